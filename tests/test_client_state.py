"""The view of contacts and chats, built from a node and kept current by events."""

from typing import Any

from msgspec import Struct
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.errors import RemoteProblem
from safeum_home.client.events import Link, LinkChanged
from safeum_home.client.state.chat_view import KEPT
from safeum_home.client.state.state import State
from safeum_home.errors import Code, Problem
from safeum_home.protocol.events import ContactChanged, ProfileChanged, Receipt, Typing
from safeum_home.protocol.types import ChatSummary, Contact, ContactState, LoginAlert, Message, Profile
from tests.client_double import (
    ADA,
    BOB,
    CHAT,
    OTHER,
    SYSTEM,
    SYSTEM_CHAT,
    FakeNode,
    contact,
    cursor,
    message,
    start,
)


def summary(last: Message | None, unread: int = 0) -> ChatSummary:
    return ChatSummary(CHAT, "direct", BOB, "bob@home.test", "Bob", last, unread, None, None, None)


class StateTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.node = FakeNode()
        self.contacts: list[Contact] = [contact()]
        self.chats: list[ChatSummary] = [summary(message(5), 1)]
        self.node.answers |= {
            "profile.get": lambda params: {
                "account": ADA,
                "address": "ada@home.test",
                "profile": {"display_name": "Ada"},
            },
            "contact.list": self._contacts,
            "chat.list": lambda params: {"chats": self.chats, "next": None},
        }
        self.heard: list[Struct | object] = []
        self.wire = self.node.login()
        self.node.client.listen(self.heard.append)

    def _contacts(self, params: dict[str, Any]) -> dict[str, Any]:
        place = (
            0
            if params["after"] is None
            else [entry.account for entry in self.contacts].index(params["after"]) + 1
        )
        page = self.contacts[place : place + 1]
        more = place + 1 < len(self.contacts)
        return {"contacts": page, "next": page[0].account if more else None}

    def start(self, chats: list[ChatSummary], number: int = 0) -> None:
        """Answer what began a loading."""
        own = self.wire.answers["profile.get"]({})
        answer = start(own, {"chats": chats, "next": None}, {"contacts": self.contacts, "next": None})
        self.wire.reply(self.wire.of("sync.start")[number], answer)

    def load(self) -> State:
        self.wire = self.node.wire
        loading = self.node.client.load()
        assert isinstance(loading, Deferred)
        self.successResultOf(loading)
        return self.node.client.state

    def test_all_pages_are_loaded(self) -> None:
        self.contacts = [contact(account="@" + letter * 26 + ":home.test") for letter in "bcd"]
        state = self.load()
        self.assertEqual(list(state.contacts), [entry.account for entry in self.contacts])
        self.assertEqual((state.profile.display_name, state.unread), ("Ada", 1))
        self.assertEqual([chat.chat for chat in state.chats], [CHAT])

    def test_nothing_is_kept_before_it_is_asked_for(self) -> None:
        self.wire.event(message(6))
        self.assertEqual(self.node.client.state.chats, [])

    def test_what_was_shown_and_is_not_kept_stands_where_it_stood(self) -> None:
        """In a chat without history a page leaves out what the node has dropped."""
        state = self.load()
        for number in (6, 7, 8):
            self.wire.event(message(number))
        state.page(CHAT, [message(number) for number in (6, 8)], True)
        self.assertEqual(self.ids(), [cursor(number) for number in (5, 6, 7, 8)])
        state.page(CHAT, [message(number) for number in (4, 7)], False)
        self.assertEqual(self.ids(), [cursor(number) for number in (4, 5, 6, 7, 8)])

    def test_what_comes_while_loading_is_counted_once(self) -> None:
        del self.wire.answers["chat.list"]
        loading = self.node.client.load()
        assert isinstance(loading, Deferred)
        self.wire.event(message(4))
        self.wire.event(message(5))
        self.wire.event(message(6))
        self.start(self.chats)
        self.successResultOf(loading)
        chat = self.node.client.state.chats[0]
        self.assertEqual((chat.unread, [entry.id for entry in chat.messages]), (2, [cursor(5), cursor(6)]))

    def test_messages_count_until_they_are_read_anywhere(self) -> None:
        state = self.load()
        self.wire.event(message(6))
        self.wire.event(message(7, sender=ADA))
        self.wire.event(message(8))
        self.assertEqual(state.unread, 1)  # who writes has read what was there
        self.wire.event(message(9))
        self.wire.event(Receipt(cursor(10), CHAT, ADA, None, cursor(6)))
        self.assertEqual(state.unread, 2)
        self.wire.event(Receipt(cursor(11), CHAT, ADA, None, cursor(8)))
        self.assertEqual(state.unread, 1)
        reading = self.node.client.read(CHAT, cursor(9))
        self.wire.reply(self.wire.of("chat.read")[0], {})
        assert isinstance(reading, Deferred)
        self.successResultOf(reading)
        self.assertEqual(state.unread, 0)

    def test_an_own_message_is_shown_when_the_node_has_it(self) -> None:
        state = self.load()
        self.node.client.send(CHAT, "mine")
        self.wire.reply(self.wire.of("chat.send")[0], {"id": cursor(6), "at": 1_700_000_000_006})
        last = state.chats[0].last
        assert last is not None
        self.assertEqual((last.id, last.sender, state.unread), (cursor(6), ADA, 0))

    def test_receipts_of_the_other_side(self) -> None:
        state = self.load()
        self.wire.event(Receipt(cursor(9), CHAT, BOB, cursor(5), None))
        self.wire.event(Receipt(cursor(10), CHAT, BOB, cursor(6), cursor(5)))
        chat = state.chats[0]
        self.assertEqual((chat.peer_delivered, chat.peer_read), (cursor(6), cursor(5)))

    def test_typing_ends_with_a_message_or_after_six_seconds(self) -> None:
        state = self.load()
        chat = state.chats[0]
        self.wire.event(Typing(CHAT, BOB, True))
        self.assertEqual(chat.typing, {BOB})
        self.wire.event(message(6))
        self.assertEqual(chat.typing, set())
        self.wire.event(Typing(CHAT, BOB, True))
        self.node.clock.advance(6)
        self.assertEqual(chat.typing, set())
        self.assertEqual(self.heard[-1], Typing(CHAT, BOB, False))
        self.wire.event(Typing(CHAT, BOB, True))
        self.node.client.close()
        self.assertEqual(self.node.clock.getDelayedCalls(), [])

    def test_contacts_and_names_change(self) -> None:
        state = self.load()
        carol = "@" + "c" * 26 + ":far.test"
        new = Contact(carol, "carol@far.test", OTHER, ContactState.ACCEPTED)
        self.wire.event(ContactChanged(cursor(6), new))
        self.wire.event(ProfileChanged(cursor(7), carol, Profile("Carol")))
        self.assertEqual(state.contacts[carol].display_name, "Carol")
        view = state.chat(OTHER)
        assert view is not None
        self.assertEqual((view.display_name, state.chats[0].chat), ("Carol", CHAT))
        self.wire.event(ProfileChanged(cursor(8), ADA, Profile("Countess")))
        self.assertEqual(state.profile.display_name, "Countess")
        self.wire.event(ContactChanged(cursor(9), Contact(carol, "", OTHER, ContactState.NONE)))
        self.assertNotIn(carol, state.contacts)

    def test_a_chat_that_nobody_knew_of(self) -> None:
        state = self.load()
        alert = LoginAlert("D" + "e" * 16, "phone", "Linux", 1_700_000_000_000)
        self.wire.event(Message(cursor(7), SYSTEM_CHAT, SYSTEM, 1_700_000_000_009, alert))
        self.assertEqual(
            (state.chats[0].chat, state.chats[0].kind, state.chats[0].unread), (SYSTEM_CHAT, "system", 1)
        )

    def test_history_joins_without_doubles_and_memory_is_bounded(self) -> None:
        state = self.load()
        chat = state.chats[0]
        state.page(CHAT, [message(number) for number in range(1, 6)], False)
        state.page(CHAT, [message(number) for number in range(1, 6)], False)
        self.assertEqual([entry.id for entry in chat.messages], [cursor(number) for number in range(1, 6)])
        for number in range(6, KEPT + 10):
            self.wire.event(message(number))
        self.assertEqual((len(chat.messages), chat.more, chat.unread), (KEPT, True, 100))

    def ids(self) -> list[str]:
        return [entry.id for entry in self.node.client.state.chats[0].messages]

    def test_the_order_is_the_nodes_though_its_clock_goes_back(self) -> None:
        self.contacts = [contact(), Contact("@" + "c" * 26 + ":x", "c@x", OTHER, ContactState.ACCEPTED)]
        self.chats = [
            ChatSummary(OTHER, "direct", BOB, "c@x", "", message(6, chat=OTHER, at=1), 0, None, None, None),
            summary(message(5, at=9_000), 1),
        ]
        state = self.load()
        self.assertEqual([chat.chat for chat in state.chats], [OTHER, CHAT])
        self.wire.event(message(7, at=3_000))
        self.wire.event(message(8, at=2_000))
        self.assertEqual([chat.chat for chat in state.chats], [CHAT, OTHER])
        self.assertEqual(self.ids(), [cursor(5), cursor(7), cursor(8)])
        self.wire.event(Receipt(cursor(9), CHAT, ADA, None, cursor(7)))
        self.assertEqual(state.unread, 1)
        newest = [message(number, at=10_000 - number) for number in range(3, 9)]
        state.page(CHAT, newest, True)
        self.assertEqual(self.ids(), [cursor(number) for number in range(3, 9)])
        state.page(CHAT, [message(1, at=90_000), message(2, at=80_000)], False)
        self.assertEqual(self.ids(), [cursor(number) for number in range(1, 9)])

    def test_a_page_that_was_read_before_what_came_meanwhile_stands_before_it(self) -> None:
        state = self.load()
        self.wire.event(message(6, at=1))
        state.page(CHAT, [message(number) for number in (3, 4, 5)], True)
        self.assertEqual(self.ids(), [cursor(number) for number in (3, 4, 5, 6)])
        state.page(CHAT, [message(number) for number in (5, 6, 7)], True)
        self.wire.event(message(7))
        self.assertEqual(self.ids(), [cursor(number) for number in (3, 4, 5, 6, 7)])

    def test_what_comes_while_loading_is_counted_once_though_the_clock_goes_back(self) -> None:
        del self.wire.answers["chat.list"]
        loading = self.node.client.load()
        assert isinstance(loading, Deferred)
        for number in (4, 5, 6):
            self.wire.event(message(number, at=100 - number))
        last = summary(message(5, at=95), 1)
        self.start([last])
        self.successResultOf(loading)
        self.assertEqual((self.node.client.state.unread, self.ids()), (2, [cursor(5), cursor(6)]))

    def test_an_own_message_finds_its_place_among_those_that_were_left_with_the_node(self) -> None:
        self.load()
        stream = self.node.client.events(limit=1)
        self.wire.event(message(6))
        self.wire.event(message(7))
        self.node.client.send(CHAT, "mine")
        self.wire.reply(self.wire.of("chat.send")[0], {"id": cursor(8), "at": 1})
        self.assertEqual(self.ids(), [cursor(5), cursor(6), cursor(8)])
        self.successResultOf(stream.__anext__())
        self.node.clock.advance(1)
        stream.close()
        for event in (message(7), message(8, "mine", ADA), message(9)):
            self.node.wire.event(event)
        self.assertEqual(self.ids(), [cursor(number) for number in range(5, 10)])

    def test_a_loading_that_fails_leaves_what_there_was(self) -> None:
        state = self.load()
        self.wire.answers["chat.list"] = lambda params: Problem(Code.BUSY)
        loading = self.node.client.load()
        assert isinstance(loading, Deferred)
        self.failureResultOf(loading, RemoteProblem)
        self.wire.event(message(6))
        self.assertEqual(state.unread, 2)

    def test_of_two_loadings_the_later_one_counts(self) -> None:
        del self.wire.answers["chat.list"]
        for _ in range(2):
            assert isinstance(self.node.client.load(), Deferred)
        self.start([summary(message(5), 1)])
        self.wire.event(message(6))
        self.start([summary(message(4), 0)], 1)
        self.assertEqual(self.node.client.state.unread, 1)

    def _forget_cursors(self) -> None:
        """From the next connection on the node knows no cursor, and holds `self.chats`."""
        self.node.answers |= {
            method: self.node.wire.answers[method] for method in ("profile.get", "contact.list", "chat.list")
        }
        refuse = self.node.answers["session.resume"]

        def resume(params: dict[str, Any]) -> Any:
            return refuse(params) if params["since"] is None else Problem(Code.INVALID_CURSOR)

        self.node.answers["session.resume"] = resume

    def test_a_forgotten_cursor_means_loading_again(self) -> None:
        state = self.load()
        self.wire.event(message(6, "lost with the disk"))
        self.chats = [summary(message(20), 7)]
        self._forget_cursors()
        self.wire.drop()
        self.node.clock.advance(1)
        self.assertEqual(state.unread, 7)
        self.assertEqual([entry.id for entry in state.chats[0].messages], [cursor(20)])
        self.assertEqual(self.heard[-1], LinkChanged(Link.ONLINE, reset=True))

    def test_it_is_loaded_again_until_that_succeeds(self) -> None:
        state = self.load()
        self.chats = [summary(message(20), 7)]
        self._forget_cursors()
        answer, self.node.answers["chat.list"] = (
            self.node.answers["chat.list"],
            lambda params: Problem(Code.STORAGE_UNAVAILABLE),
        )
        self.wire.drop()
        self.node.clock.advance(1)
        self.assertIsInstance(self.heard[-1], LinkChanged)
        self.assertNotIn(LinkChanged(Link.ONLINE, reset=True), self.heard)
        self.node.answers["chat.list"] = answer
        self.node.clock.advance(60)
        self.assertEqual(self.heard[-1], LinkChanged(Link.ONLINE, reset=True))
        self.assertEqual(state.unread, 7)
