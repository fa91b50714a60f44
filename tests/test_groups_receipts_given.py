"""Receipts for copies of groups that are gone: each hub is told when its own is true, and not before."""

from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.chats.across.groups.receipts import GroupReceipts
from safeum_home.errors import Code, Problem
from safeum_home.jobs import AGAIN, Jobs


class Keys:
    """A database and its keyring, as far as a receipt needs them: what was erased last is never destroyed."""

    oldest = 1

    def __init__(self) -> None:
        self.turns: list[Deferred[None]] = []

    def read(self, fn: Any) -> Deferred[int]:
        return succeed(1)

    def turned(self) -> Deferred[None]:
        self.turns.append(Deferred())
        return self.turns[-1]


class GivenTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.keys, self.woken = Clock(), Keys(), list[list[str]]()
        keys: Any = self.keys
        this: Any = self
        self.receipts = GroupReceipts(Jobs(self.clock), keys, keys, this, keys, keys, lambda: 0)

    def wake(self, nodes: list[str]) -> None:
        self.woken.append(nodes)

    def test_meanwhile(self) -> None:
        """What was erased while the keyring is turned is destroyed by the turn after that one."""
        self.receipts.give("a.example")
        self.receipts.give("b.example")
        self.keys.turns[0].callback(None)
        self.assertEqual(self.woken, [["a.example"]])
        self.keys.turns[1].callback(None)
        self.assertEqual(self.woken, [["a.example"], ["b.example"]])

    def test_away(self) -> None:
        """Where the database is away it is done once that is back, for those who came meanwhile, too."""
        self.receipts.give("a.example")
        self.keys.turns[0].errback(Problem(Code.STORAGE_UNAVAILABLE))
        self.receipts.give("b.example")
        self.clock.advance(AGAIN)
        self.keys.turns[1].callback(None)
        self.assertEqual(self.woken, [["a.example", "b.example"]])
