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
