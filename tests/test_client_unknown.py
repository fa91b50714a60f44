"""Chats of which something comes before the client knows which they are: nothing goes into a wrong one."""

from twisted.internet.defer import Deferred

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.standing import NOT_KNOWN
from safeum_home.client.slash.commands import submit
from safeum_home.client.state.chat_view import UNKNOWN, ChatView
from safeum_home.client.state.filling import Loaded
from safeum_home.client.state.seeking import PATIENCE
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, direct_chat_id, group_id
from safeum_home.protocol.events import ChatUpdated, ContactChanged
from safeum_home.protocol.types import ChatInfo, ChatSummary, Contact, ContactState, GroupInfo
from tests.client_double import ADA, BOB, CHAT, contact, cursor, message
from tests.test_client_loading import CARL, LoadingCase, summary

GROUP = group_id("home.test", "walks")
DIRECT = direct_chat_id(AccountId(ADA), AccountId(CARL))


def group(last: int, unread: int, erased: str | None = None) -> ChatSummary:
    """What the node says of the group; Bob, a contact, is in it."""
    info = GroupInfo("home.test", "Walks", "", None, False, 3, seed="walks")
    newest = message(last, chat=GROUP)
    return summary(
        GROUP,
        newest,
        unread,
        kind="group",
        peer=None,
        address="",
        display_name="Walks",
        group=info,
        role="member",
        erased=erased,
    )


class UnknownCase(LoadingCase):
    def setUp(self) -> None:
        super().setUp()
        self.desk = Desk(self.node.client, self.node.clock, lambda: 1_700_000_000_000)

    def view(self, chat: str = GROUP) -> ChatView:
        view = self.state.chat(chat)
        assert view is not None
        return view

    def asked(self) -> int:
        return len(self.wire.of("chat.list"))


class WindowTests(UnknownCase):
    def test_before_its_page(self) -> None:
        """A group's message from a contact is no chat with that contact, and nothing is typed to all."""
        self.start([summary(CHAT, message(5), 1)])
        self.wire.event(message(6, "hello all", chat=GROUP))
        view = self.view()
        self.assertEqual((view.kind, view.peer, self.desk.names.title(view)), (UNKNOWN, "", "Unknown chat"))
        self.desk.open(GROUP)
        self.desk.typed("a secret")
        self.desk.write("a secret, Bob")
        submit(self.desk, "/send /etc/hostname")
        submit(self.desk, "/history off")
        self.assertEqual(self.wire.of("chat.send") + self.wire.of("chat.typing"), [])
        [kept] = self.desk.outbox.items
        self.assertEqual((kept.text, kept.error), ("a secret, Bob", f"{NOT_KNOWN}."))
        said = [notice.text for notice in self.desk.notices]
        self.assertEqual(said, [f"Not sent: {NOT_KNOWN}.", f"Nothing was erased: {NOT_KNOWN}."])
        self.page(group(6, 1))
        self.assertEqual((self.view().kind, self.desk.names.title(self.view())), ("group", "▣ Walks"))
        self.desk.write("hello group")
        self.assertEqual(self.wire.of("chat.send")[0]["params"]["body"]["text"], "hello group")

    def test_after_all_was_loaded(self) -> None:
        """Where more chats are held by the node than by the client: its summary is asked for, once."""
        self.start([summary(CHAT, message(5), 1)], older=None)
        self.assertEqual(self.asked(), 0)
        self.wire.event(message(6, "hello all", chat=GROUP))
        self.wire.event(message(7, "still there?", chat=GROUP))
        self.assertEqual((self.view().kind, self.asked()), (UNKNOWN, 1))
        self.page(group(7, 9, erased=cursor(2)), then=cursor(4))
        view = self.view()
        self.assertEqual((view.kind, view.peer, view.unread, view.role), ("group", "", 9, "member"))
        self.assertEqual((self.ids(GROUP), self.asked()), ([cursor(6), cursor(7)], 1))
        self.assertIn(Loaded(), self.heard)
        self.wire.event(message(8, chat=GROUP))
        self.assertEqual((view.unread, self.asked()), (10, 1))

    def test_it_is_looked_for_again(self) -> None:
        """A page that cannot be had is asked for again, and a chat that is further back too."""
        self.start([], older=None)
        self.wire.event(message(6, chat=GROUP))
        self.wire.reply(self.wire.of("chat.list")[-1], Problem(Code.BUSY))
        self.node.clock.advance(PATIENCE)
        self.assertEqual(self.asked(), 2)
        self.page(then=cursor(4))
        self.assertEqual(self.wire.of("chat.list")[-1]["params"]["before"], cursor(4))
        self.page()
        self.assertEqual((self.view().kind, self.asked()), (UNKNOWN, 3))  # it is gone
        self.wire.event(message(7, chat=GROUP))
        self.page(group(7, 2))
        self.assertEqual((self.view().kind, self.state.unknown), ("group", set()))

    def test_left_while_waiting(self) -> None:
        """No timer is left where the client ends while it waits to ask again."""
        self.start([], older=None)
        self.wire.event(message(6, chat=GROUP))
        self.wire.reply(self.wire.of("chat.list")[-1], Problem(Code.BUSY))
        self.node.clock.advance(1)
        self.assertEqual(len(self.node.clock.getDelayedCalls()), 1)
        self.state.stop()
        self.assertEqual(self.node.clock.getDelayedCalls(), [])


class KindTests(UnknownCase):
    def test_direct(self) -> None:
        """The id of a chat with somebody says with whom it is: also before anything is known of them."""
        self.start([], older=None)
        self.wire.event(message(6, sender=CARL, chat=DIRECT))
        view = self.view(DIRECT)
        self.assertEqual((view.kind, view.peer, self.asked()), ("direct", CARL, 0))

    def test_ones_own(self) -> None:
        """What one has written oneself does not say to whom, until the contact is known."""
        self.start([], older=None, contacts=[])
        self.wire.event(message(6, sender=ADA, chat=DIRECT))
        view = self.view(DIRECT)
        self.assertEqual((view.kind, view.peer, self.asked()), (UNKNOWN, "", 1))
        known = Contact(CARL, "carl@home.test", DIRECT, ContactState.ACCEPTED, "Carl")
        self.wire.event(ContactChanged(cursor(7), known))
        self.assertEqual((view.kind, view.peer, view.display_name), ("direct", CARL, "Carl"))

    def test_a_change_of_a_chat(self) -> None:
        """What a chat is now does not say with whom it is."""
        self.start([], older=None, contacts=[])
        self.wire.event(ChatUpdated(cursor(6), ChatInfo(CHAT, "direct")))
        self.assertEqual((self.view(CHAT).kind, self.asked()), (UNKNOWN, 1))
        self.page(summary(CHAT, message(5), 1))
        view = self.view(CHAT)
        self.assertEqual((view.kind, view.peer, view.unread, self.ids(CHAT)), ("direct", BOB, 1, [cursor(5)]))

    def test_contacts_of_a_page(self) -> None:
        """A group's message does not become a contact's where that is loaded later."""
        self.start([], older=None, contacts=[], further=CARL)
        self.wire.event(message(6, sender=BOB, chat=GROUP))
        self.wire.reply(self.wire.of("contact.list")[-1], {"contacts": [contact()], "next": None})
        self.assertEqual((self.view().kind, self.view().peer), (UNKNOWN, ""))
        self.page(group(6, 1))
        self.assertEqual(self.view().kind, "group")
        self.assertIsInstance(self.loading, Deferred)
