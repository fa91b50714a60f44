"""Whatever others have written, of all that a client shows: nothing of it is obeyed by a terminal."""

from datetime import UTC

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct, structs

from safeum_home.client.screen import page, render
from safeum_home.client.screen.blocks import Line
from safeum_home.client.slash.commands import completions
from safeum_home.client.words.text import width
from safeum_home.protocol.events import (
    ChatUpdated,
    GroupInvitation,
    MemberChanged,
    ProfileChanged,
    SettingsChanged,
)
from safeum_home.protocol.files import File
from safeum_home.protocol.group_types import GroupMember, Invitation
from safeum_home.protocol.message_types import ChatSettings, Deleted, Draft, Forwarded, Reaction, Unknown
from safeum_home.protocol.types import ChatInfo, GroupInfo, LoginAlert, Message, Notice, Profile, Text
from tests.client_desk import CAROL, COLUMNS, ROWS, DeskTestCase
from tests.client_double import ADA, BOB, CHAT, OTHER, cursor
from tests.client_file_case import FILE

_ALLOWED = "\u200c"
"""Zero-width, and needed in Persian: see `text.safe`."""
_HOSTILE = st.sampled_from(
    [
        *(
            "\x1b[2J",
            "\x1b]0;x\x07",
            "\x9b31m",
            "\x00",
            "\x07",
            "\x08",
            "\x7f",
            "\r",
            "\n",
            "\t",
            "\x0b",
            "\x85",
        ),
        *(
            "\u202e",
            "\u2066",
            "\u200f",
            "\u2028",
            "\u2029",
            "\ufeff",
            "\u200b",
            "\u00ad",
            "\U000e0041",
            "\ue000",
        ),
        *(
            "◆",
            "▣",
            "│",
            "a" * 300,
            " " * 90,
            "世" * 90,
            "👩‍👩‍👧",
            "e" + "\u0301" * 40,
            "{who}",
            "%s",
            "@bob",
        ),
    ]
)
_TEXT = st.lists(st.one_of(_HOSTILE, st.text(max_size=6)), min_size=1, max_size=6).map("".join)


def _bodies(text: str) -> list[object]:
    """A body of each kind, with this wherever words can stand."""
    return [
        Text(text),
        File(FILE, text, 5, text, text),
        Notice("named", BOB, ADA, text),
        Notice(text, text, text, text),
        Unknown({"kind": text, "text": text}),
        LoginAlert("D" + "x" * 16, text, text, 0),
        Deleted(BOB, 0),
    ]


class SafeTests(DeskTestCase):
    def lines(self, lines: list[Line], columns: int) -> None:
        for line in lines:
            shown = "".join(text for _, text in line)
            self.assertTrue(all(char.isprintable() or char in _ALLOWED for char in shown), ascii(shown))
            self.assertLessEqual(width(shown), columns, ascii(shown))

    def everything(self) -> None:
        """All that is on the screen now, and what is offered while one types."""
        for columns in (COLUMNS, 30):
            self.lines(page.body(self.desk, columns, 400, UTC), columns)
            self.lines(
                [render.header(self.desk, columns, UTC), render.info(self.desk, columns, ROWS)], columns
            )
            self.lines([render.status(self.desk, columns)], columns)
        self.lines(render.sidebar(self.desk, render.SIDEBAR, ROWS, UTC), render.SIDEBAR)
        for before in ("/chat ", "/accept ", "/forward 1 ", "/kick ", "/role ", "/block ", "@"):
            for choice, about in completions(self.desk, before):
                self.lines([[("", choice), ("", about)]], 10_000)

    def hear(self, *events: Struct) -> None:
        for event in events:
            self.node.client._inbox.tell(event)

    def test_all_of_it(self) -> None:
        """Names, groups, notices, files, unknown kinds, reactions, drafts, invitations, transfers."""

        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
        @given(_TEXT)
        def check(text: str) -> None:
            self.shown(text)

        check()

    def shown(self, text: str) -> None:
        group = GroupInfo(text, text, text, None, False, 3)
        info = ChatInfo(OTHER, "group", group=group, history=True, pinned=(cursor(2),))
        member = GroupMember(CAROL, text, text, "member", "member")
        state = self.desk.state
        state.take(ChatUpdated(cursor(1), info))
        state.take(MemberChanged(cursor(1), OTHER, member, 3))
        state.take(ProfileChanged(cursor(1), BOB, Profile(text)))
        state.take(SettingsChanged(cursor(1), OTHER, ChatSettings(draft=Draft(text))))
        invitation = Invitation("!" + "g" * 26, text, text, CAROL, text, text, 3)
        self.desk.open(OTHER)
        view = self.desk.chat
        assert view is not None
        view.messages = [
            Message(
                cursor(number),
                OTHER,
                CAROL,
                1_700_000_000_000,
                body,  # type: ignore[arg-type]
                reply_to=cursor(max(1, number - 1)),
                mentions=(CAROL, text),
                forwarded=Forwarded(1, text),
                reactions=(Reaction(text, 3),),
                mine=text,
            )
            for number, body in enumerate(_bodies(text), 1)
        ]
        view.typing = {CAROL, text}
        for each in view.messages:
            elsewhere = structs.replace(each, chat=CHAT, id=cursor(next(_numbers)))
            self.hear(elsewhere)
            self.lines([render.info(self.desk, COLUMNS, ROWS)], COLUMNS)
        state.take(GroupInvitation(cursor(1), invitation))
        self.hear(GroupInvitation(cursor(1), invitation))
        transfer = self.desk.transfers.begin(f"↓ {text}", self.now)
        self.everything()
        self.desk.transfers.end(transfer)
        view.typing.clear()
        for line in (
            "/invitations",
            "/contacts",
            "/files",
            "/archived",
            f"/search {text}",
            f"/zz{text}",
            "/search a",
        ):
            self.enter(line)
        self.enter(f"/chat {text}")
        self.enter("/chat bob")
        self.everything()
        self.desk.notices.clear()


_numbers = iter(range(10_000, 10_000_000))
