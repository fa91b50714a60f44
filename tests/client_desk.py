"""A desk of the terminal client for tests, in front of a node in memory."""

from datetime import UTC
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.desk_events import Listening
from safeum_home.client.screen import page, render
from safeum_home.client.screen.blocks import text_of
from safeum_home.client.slash.commands import submit
from safeum_home.client.words.text import width
from safeum_home.protocol.events import ContactChanged, ProfileChanged
from safeum_home.protocol.group_types import Invitation
from safeum_home.protocol.types import ChatSummary, Contact, ContactState, Message, Profile
from tests.client_double import ADA, BOB, CHAT, OTHER, FakeNode, contact, cursor, message

NOW = 1_700_000_600_000  # 2023-11-14 22:23:20 UTC
COLUMNS, ROWS = 55, 20
"""The open chat on a screen of 80x24."""
CAROL = "@" + "c" * 26 + ":far.test"


class DeskTestCase(SynchronousTestCase):
    """Ada at her desk, with Bob as a contact and three messages of his, two of them unread."""

    def setUp(self) -> None:
        self.node = FakeNode()
        self.history = [message(number, f"text {number}") for number in (1, 2, 3)]
        self.alerts: list[Message] = []
        self.contacts = [contact()]
        self.invitations: list[Invitation] = []
        bob = ChatSummary(CHAT, "direct", BOB, "bob@home.test", "Bob", self.history[-1], 2, None, None, None)
        self.chats = [bob]
        self.node.answers |= {
            "profile.get": lambda params: {
                "account": params["account"] or ADA,
                "address": "ada@home.test",
                "profile": {"display_name": "Ada"},
            },
            "profile.set": lambda params: {},
            "contact.list": lambda params: {"contacts": self.contacts, "next": None},
            "chat.list": lambda params: {"chats": self.chats, "next": None},
            "chat.history": lambda params: {
                "messages": self.history if params["chat"] == CHAT else self.alerts,
                "more": False,
            },
            "group.invitations": lambda params: {"invitations": self.invitations},
            "chat.read": lambda params: {},
            "chat.send": lambda params: {"id": cursor(50), "at": NOW},
        }
        self.begin()

    def begin(self) -> None:
        """Log in, and sit down."""
        self.wire = self.node.login()
        loading = self.node.client.load()
        assert isinstance(loading, Deferred)
        self.successResultOf(loading)
        self.now = NOW
        self.desk = Desk(self.node.client, self.node.clock, lambda: self.now)
        self.node.client.listen(Listening(self.desk).heard)

    def enter(self, line: str) -> None:
        submit(self.desk, line)

    def body(self, columns: int = COLUMNS, rows: int = ROWS) -> str:
        lines = page.body(self.desk, columns, rows, UTC)
        self.assertEqual(len(lines), rows)
        text = text_of(lines)
        for line in text.split("\n"):
            self.assertLessEqual(width(line), columns, line)
        return text.strip("\n")

    def sidebar(self) -> str:
        return text_of(render.sidebar(self.desk, render.SIDEBAR, ROWS, UTC))

    def header(self) -> str:
        return text_of([render.header(self.desk, 80)])

    def info(self, columns: int = 80) -> str:
        return text_of([render.info(self.desk, columns, ROWS)])

    def status(self) -> str:
        return text_of([render.status(self.desk, 80)])

    def meet(
        self, state: ContactState, name: str = "", account: str = CAROL, *, erased: bool = False
    ) -> None:
        """Things with Carol, or Bob, stand like this now."""
        address, chat = ("bob@home.test", CHAT) if account == BOB else ("carol@far.test", OTHER)
        self._place += 1
        contact = Contact(account, address, chat, state, name)
        self.wire.event(ContactChanged(cursor(self._place), contact, erased))

    def rename(self, name: str, account: str = BOB) -> None:
        """A contact has another name now."""
        self._place += 1
        self.wire.event(ProfileChanged(cursor(self._place), account, Profile(name)))

    _place = 1000

    def params(self, method: str) -> list[dict[str, Any]]:
        return [request["params"] for request in self.wire.of(method)]
