"""Typing in chats of many: told to those who are there, so often and no more."""

from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.chats.contents import Chat, ChatKind
from safeum_home.chats.typing_signal import AGAIN_SECONDS, MOST_MEMBERS, TypingSignals
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Published
from safeum_home.protocol.commands import ChatTyping
from tests.group_case import GroupCase
from tests.world import Client

CHAT = ChatId("!" + "g" * 26)


def member(number: int) -> AccountId:
    return AccountId(f"@{number:026d}:home.example")


class Caller:
    """`ports.Caller`, as far as typing asks."""

    def __init__(self, account: AccountId) -> None:
        self.account = account


class TypingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.told: list[AccountId] = []
        self.hiding: set[AccountId] = set()
        self.strangers: set[AccountId] = set()
        test: Any = self
        self.signals = TypingSignals(self.clock.seconds, test, test, test)

    def group(self, members: int) -> None:
        everybody = tuple(member(number) for number in range(members))
        nothing: Any = None
        writers = frozenset(everybody)
        self.chat = Chat(CHAT, b"", ChatKind.GROUP, nothing, everybody, writers, nothing, nothing)

    def type(self, number: int, active: bool = True) -> None:
        caller: Any = Caller(member(number))
        self.successResultOf(self.signals.typing(caller, ChatTyping(CHAT, active)))

    # What the signals are handed

    def load(self, chat: ChatId) -> "Deferred[Chat | None]":
        return succeed(self.chat)

    def publish(self, account: AccountId, event: Published) -> None:
        self.told.append(account)

    def tells_typing(self, account: AccountId) -> bool:
        return account not in self.hiding

    def are_contacts(self, one: AccountId, other: AccountId) -> bool:
        return not {one, other} & self.strangers

    def test_strangers(self) -> None:
        """In a group nobody is told of somebody who is no contact; in a chat of two both are."""
        self.group(5)
        self.strangers = {member(1), member(3)}
        self.type(0)
        self.assertEqual(self.told, [member(2), member(4)])
        self.type(1)
        self.assertEqual(self.told, [member(2), member(4)])
        self.group(2)
        self.chat.kind = ChatKind.DIRECT
        self.clock.advance(AGAIN_SECONDS)
        self.type(1)
        self.assertEqual(self.told, [member(2), member(4), member(0)])

    def test_members(self) -> None:
        """All others are told, but those who hide it; and nobody is told of those."""
        self.group(5)
        self.hiding = {member(2)}
        self.type(0)
        self.assertEqual(self.told, [member(1), member(3), member(4)])
        self.type(2)
        self.assertEqual(len(self.told), 3)

    def test_large(self) -> None:
        """In a group beyond the bound nobody is told."""
        self.group(MOST_MEMBERS)
        self.type(0)
        self.assertEqual(len(self.told), MOST_MEMBERS - 1)
        self.group(MOST_MEMBERS + 1)
        self.type(1)
        self.assertEqual(len(self.told), MOST_MEMBERS - 1)

    def test_many_type(self) -> None:
        """A hundred that type all the time are told of twice a second, in all."""
        self.group(100)
        for _ in range(60):
            for number in range(100):
                self.type(number)
            self.clock.advance(1.0)
        self.assertLessEqual(len(self.told), (2 * 60 + 10) * 99)
        self.assertGreaterEqual(len(self.told), 2 * 59 * 99)

    def test_stopping(self) -> None:
        """That somebody types no more is told where it was told that he does, and not forgotten since."""
        self.group(2)
        self.type(0, active=False)
        self.assertEqual(len(self.told), 0)
        self.type(0)
        self.type(0, active=False)
        self.type(0, active=False)
        self.assertEqual(len(self.told), 2)
        self.type(0)
        self.clock.advance(2 * AGAIN_SECONDS)
        self.type(0, active=False)
        self.assertEqual(len(self.told), 3)

    def test_bounded(self) -> None:
        """However many type, a bounded number is remembered."""
        self.group(2)
        for number in range(70_000):
            chat = ChatId(f"!{number:026d}")
            self.signals._is_news(chat, member(0), True, 2)
        self.assertEqual(len(self.signals._told), 65536)
        self.signals.sent(ChatId(f"!{69_999:026d}"), member(0))
        self.assertEqual(len(self.signals._told), 65535)


class NodeTests(GroupCase):
    """Alice, Bob, who is her contact, and Carol, who is hers alone, in a group of a whole node."""

    def typed(self, chat: str, who: Client) -> list[str]:
        """Who is told that somebody types."""
        people = {"alice": self.alice, "bob": self.bob, "carol": self.carol}
        for client in people.values():
            client.take()
        self.world.clock.advance(10)
        who.notify("chat.typing", chat=chat)
        return [name for name, client in people.items() if client.take("chat.typing")]

    def test_contacts_alone(self) -> None:
        """Neither a stranger nor somebody who is blocked, or hides it, is told; nor are these told of."""
        chat = self.group(self.alice, self.bob, self.carol)
        self.world.clock.pump([0.1] * 100)
        self.assertEqual(self.typed(chat, self.bob), ["alice"])
        self.assertEqual(self.typed(chat, self.alice), ["bob", "carol"])
        self.carol.call("account.privacy", hide_typing=True)
        self.assertEqual(self.typed(chat, self.alice), ["bob"])
        self.assertEqual(self.typed(chat, self.carol), [])
        self.bob.call("contact.block", account=self.alice.account)
        self.assertEqual(self.typed(chat, self.bob), [])
        self.assertEqual(self.typed(chat, self.alice), [])
        self.bob.call("contact.unblock", account=self.alice.account)
        self.world.befriend(self.alice, self.bob)
        self.assertEqual(self.typed(chat, self.bob), ["alice"])
