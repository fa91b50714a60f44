"""Loading: usable after one answer, the rest behind it, and nothing that comes meanwhile lost or doubled."""

from typing import Any

from msgspec import Struct, structs
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.errors import SessionEnded
from safeum_home.client.state import filling
from safeum_home.client.state.filling import Loaded
from safeum_home.client.state.seeking import PATIENCE
from safeum_home.client.state.state import State
from safeum_home.errors import Code, Problem
from safeum_home.protocol.events import ChatUpdated, ContactChanged, ProfileChanged, Receipt
from safeum_home.protocol.types import ChatInfo, ChatSummary, Contact, ContactState, Message, Profile
from tests.client_double import ADA, CHAT, OTHER, SELF_CHAT, FakeNode, contact, cursor, message, start

CARL = "@" + "x" * 26 + ":home.test"
OWN = {"account": ADA, "address": "ada@home.test", "profile": {"display_name": "Ada"}}


def summary(chat: str, last: Message | None, unread: int = 0, **more: Any) -> ChatSummary:
    peer = contact().account if chat == CHAT else CARL
    name = "Bob" if chat == CHAT else "Carl"
    address = f"{name.lower()}@home.test"
    listed = ChatSummary(chat, "direct", peer, address, name, last, unread, None, None, None)
    return structs.replace(listed, **more)


class LoadingCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.node = FakeNode()
        self.wire = self.node.login()
        self.heard: list[Struct | object] = []
        self.node.client.listen(self.heard.append)
        self.loading = self.load()

    def load(self) -> "Deferred[None]":
        loading = self.node.client.load()
        assert isinstance(loading, Deferred)
        return loading

    @property
    def state(self) -> State:
        return self.node.client.state

    def start(
        self,
        chats: list[ChatSummary],
        older: str | None = cursor(5),
        contacts: list[Contact] | None = None,
        further: str | None = None,
    ) -> None:
        listed = [contact()] if contacts is None else contacts
        answer = start(OWN, {"chats": chats, "next": older}, {"contacts": listed, "next": further})
        self.wire.reply(self.wire.of("sync.start")[-1], answer)

    def page(self, *chats: ChatSummary, then: str | None = None) -> None:
        self.wire.reply(self.wire.of("chat.list")[-1], {"chats": list(chats), "next": then})

    def ids(self, chat: str) -> list[str]:
        view = self.state.chat(chat)
        assert view is not None
        return [entry.id for entry in view.messages]

    def order(self) -> list[str]:
        return [view.chat for view in self.state.chats]

    def unread(self, chat: str) -> int:
        view = self.state.chat(chat)
        assert view is not None
        return view.unread


class LoadingTests(LoadingCase):
    def test_one_answer_is_enough_to_begin_with(self) -> None:
        """The newest chats, contacts and one's own profile are there; the rest follows, and is told."""
        self.assertFalse(self.state.ready)
        self.start([summary(CHAT, message(5), 1)])
        self.successResultOf(self.loading)
        self.assertEqual(self.wire.methods()[1:], ["sync.start", "chat.list"])
        self.assertEqual((self.order(), self.state.unread), ([CHAT], 1))
        self.assertEqual((self.state.address, self.state.profile.display_name), ("ada@home.test", "Ada"))
        self.assertEqual((list(self.state.contacts), self.state.self_chat), ([contact().account], SELF_CHAT))
        self.assertEqual(self.wire.of("chat.list")[0]["params"]["before"], cursor(5))
        self.assertNotIn(Loaded(), self.heard)
        self.page(summary(OTHER, message(3, chat=OTHER), 2))
        self.assertEqual((self.order(), self.state.unread, self.heard[-1]), ([CHAT, OTHER], 3, Loaded()))
        self.assertIsNone(self.state.filling)

    def test_no_room_for_one(self) -> None:
        """Chats or contacts that did not fit into the answer are asked for from the beginning."""
        self.wire.reply(self.wire.of("sync.start")[0], start(OWN, None, None))
        self.successResultOf(self.loading)
        self.wire.reply(self.wire.of("contact.list")[0], {"contacts": [contact()], "next": None})
        self.assertIsNone(self.wire.of("chat.list")[0]["params"]["before"])
        self.page(summary(CHAT, message(5)))
        self.assertEqual((self.order(), list(self.state.contacts)), ([CHAT], [contact().account]))

    def test_messages_of_chats_that_come_later(self) -> None:
        """What came before the page did is on top of it, counted once, and in its order."""
        self.start([summary(CHAT, message(5), 1)])
        for number in (6, 7, 8):
            self.wire.event(message(number, sender=CARL, chat=OTHER))
        self.assertEqual(self.order(), [OTHER, CHAT])
        self.page(summary(OTHER, message(7, sender=CARL, chat=OTHER), 5))
        self.assertEqual((self.order(), self.unread(OTHER)), ([OTHER, CHAT], 6))
        self.assertEqual(self.ids(OTHER), [cursor(7), cursor(8)])
        view = self.state.chat(OTHER)
        assert view is not None
        self.assertEqual(view.display_name, "Carl")

    def test_a_chat_that_moved_to_the_front_is_fetched_there(self) -> None:
        """It is in no page that is still to come: the first one is asked for once more."""
        self.start([summary(CHAT, message(5), 1)])
        self.wire.event(message(6, sender=CARL, chat=OTHER))
        self.page()
        self.assertIsNone(self.wire.of("chat.list")[-1]["params"]["before"])
        moved = summary(OTHER, message(6, sender=CARL, chat=OTHER), 3)
        self.page(moved, summary(CHAT, message(5), 1), then=cursor(5))
        self.assertEqual((self.ids(OTHER), self.unread(OTHER)), ([cursor(6)], 3))
        self.assertEqual((len(self.wire.of("chat.list")), self.state.filling), (2, None))

    def test_receipts_and_names_that_are_newer_than_a_page(self) -> None:
        """They are kept until what they are about is there."""
        self.start([summary(CHAT, message(5), 1)], further="@" + "b" * 26 + ":home.test")
        self.wire.event(Receipt(cursor(6), OTHER, ADA, None, cursor(3)))
        self.wire.event(ProfileChanged(cursor(7), CARL, Profile("Charles")))
        blocked = Contact(CARL, "carl@home.test", OTHER, ContactState.BLOCKED)
        self.wire.event(ContactChanged(cursor(8), blocked))
        asked = self.wire.of("contact.list")[0]
        carl = Contact(CARL, "carl@home.test", OTHER, ContactState.ACCEPTED, "Carl")
        self.wire.reply(asked, {"contacts": [carl], "next": None})
        self.assertIs(self.state.contacts[CARL].state, ContactState.BLOCKED)
        self.page(summary(OTHER, message(3, sender=CARL, chat=OTHER), 1))
        view = self.state.chat(OTHER)
        assert view is not None
        self.assertEqual((view.unread, view.read, view.display_name), (0, cursor(3), "Charles"))

    def test_a_contact_that_went_is_not_brought_back(self) -> None:
        """Though the page that comes later still had it."""
        self.start([], None, [], "@" + "b" * 26 + ":home.test")
        self.wire.event(ContactChanged(cursor(6), contact(ContactState.NONE)))
        self.wire.reply(self.wire.of("contact.list")[0], {"contacts": [contact()], "next": None})
        self.assertEqual(self.state.contacts, {})

    def test_what_was_erased_meanwhile_stays_away(self) -> None:
        """With a page from after the erasure nothing is back that came before it; what came after stays."""
        self.start([], contacts=[contact()])
        for number in (20, 21):
            self.wire.event(message(number, f"text {number}", chat=CHAT))
        self.wire.event(ChatUpdated(cursor(22), ChatInfo(CHAT, "direct", history=False, erased=cursor(22))))
        self.wire.event(message(23, "after", chat=CHAT))
        self.wire.event(ChatUpdated(cursor(24), ChatInfo(CHAT, "direct", history=True, erased=cursor(22))))
        self.page(summary(CHAT, None, history=False, erased=cursor(22)))
        view = self.state.chat(CHAT)
        assert view is not None
        self.assertEqual([each.id for each in view.messages], [cursor(23)])

    def test_two_erasures_wipe_once(self) -> None:
        """Of what a chat became while it was loaded the last counts: what was written after it stays."""
        for number, at in ((6, 5), (8, 7)):
            self.wire.event(ChatUpdated(cursor(number), ChatInfo(CHAT, "direct", erased=cursor(at))))
        self.wire.event(message(9))
        self.start([summary(CHAT, message(9), 1, erased=cursor(7))], None)
        self.assertEqual((self.ids(CHAT), self.unread(CHAT)), ([cursor(9)], 1))

    def test_a_page_that_fails_is_asked_for_again(self) -> None:
        """After as long as the node says, or a while; what there is stays."""
        self.start([summary(CHAT, message(5), 1)])
        self.wire.reply(self.wire.of("chat.list")[0], Problem(Code.RATE_LIMITED, retry_after=2.0))
        self.node.clock.advance(1.9)
        self.assertEqual(len(self.wire.of("chat.list")), 1)
        self.node.clock.advance(0.1)
        self.wire.reply(self.wire.of("chat.list")[1], Problem(Code.STORAGE_UNAVAILABLE))
        self.node.clock.advance(PATIENCE)
        self.page(summary(OTHER, message(3, chat=OTHER)))
        self.assertEqual(self.order(), [CHAT, OTHER])

    def test_the_end_of_the_session_ends_it(self) -> None:
        """Whether a page is awaited or a while is: no timer is left behind."""
        self.start([summary(CHAT, message(5), 1)])
        self.wire.reply(self.wire.of("chat.list")[0], Problem(Code.STORAGE_UNAVAILABLE))
        self.node.client.close()
        self.assertEqual(self.node.clock.getDelayedCalls(), [])
        self.setUp()
        self.start([summary(CHAT, message(5), 1)])
        self.node.client.close()
        self.assertEqual((self.order(), self.node.clock.getDelayedCalls()), ([CHAT], []))
        self.failureResultOf(self.load(), SessionEnded)

    def test_more_than_is_kept(self) -> None:
        """Where too much happens meanwhile, it is loaded from the beginning."""
        self.patch(filling, "KEPT_EVENTS", 2)
        self.start([summary(CHAT, message(5), 1)])
        for number in (6, 7, 8):
            self.wire.event(message(number))
        self.page(summary(OTHER, message(3, chat=OTHER)), then=cursor(3))
        self.assertEqual(len(self.wire.of("sync.start")), 2)
        self.start([summary(CHAT, message(8), 4)], None)
        self.assertEqual((self.order(), self.unread(CHAT), self.state.filling), ([CHAT], 4, None))

    def test_more_than_is_kept_stays_so(self) -> None:
        """Where an erasure makes room again, what was not kept is missing all the same."""
        self.patch(filling, "KEPT_EVENTS", 2)
        self.start([summary(CHAT, message(5), 1)])
        for number in (6, 7):
            self.wire.event(message(number))
        self.wire.event(message(8, sender=CARL, chat=OTHER))
        self.wire.event(ChatUpdated(cursor(9), ChatInfo(CHAT, "direct", erased=cursor(9))))
        self.page(summary(OTHER, message(3, chat=OTHER)), then=cursor(3))
        self.assertEqual(len(self.wire.of("sync.start")), 2)
        self.start([summary(OTHER, message(8, chat=OTHER), 2)], None)
        self.assertEqual((self.ids(OTHER), self.state.filling), ([cursor(8)], None))

    def test_more_than_is_kept_before_the_first_answer(self) -> None:
        """That is loaded again too, though all chats were in it."""
        self.patch(filling, "KEPT_EVENTS", 2)
        for number in (6, 7, 8):
            self.wire.event(message(number))
        self.start([summary(CHAT, message(5), 1)], None)
        self.successResultOf(self.loading)
        self.assertEqual(len(self.wire.of("sync.start")), 2)
        self.start([summary(CHAT, message(8), 4)], None)
        self.assertEqual((self.ids(CHAT), self.unread(CHAT), self.state.filling), ([cursor(8)], 4, None))
