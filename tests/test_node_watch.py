"""The watch over a database: loss and recovery are noticed while nobody writes."""

from collections.abc import Callable

from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Code, Problem
from safeum_home.node.watch import INTERVAL, PATIENCE, DatabaseWatch


class FakeDatabase:
    """Answers when it is told to."""

    outage: str | None = None

    def __init__(self) -> None:
        self.asked: list[Deferred[None]] = []

    def transact(self, fn: Callable[[Connection], None]) -> "Deferred[None]":
        self.asked.append(Deferred())
        return self.asked[-1]


class WatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.database = Clock(), FakeDatabase()
        self.watch = DatabaseWatch(self.clock, self.database)

    def test_asks_on(self) -> None:
        """It asks again some seconds after each answer, good or bad, and shows what the database says."""
        self.clock.advance(INTERVAL)
        self.database.outage = "disk_full"
        self.database.asked[0].errback(Problem(Code.STORAGE_UNAVAILABLE))
        self.assertEqual(self.watch.outage, "disk_full")
        self.clock.advance(INTERVAL)
        self.database.outage = None
        self.database.asked[1].callback(None)
        self.assertIsNone(self.watch.outage)
        self.clock.advance(INTERVAL)
        self.assertEqual(len(self.database.asked), 3)

    def test_no_answer(self) -> None:
        """Where no answer comes the database is away, and nothing more is asked of it."""
        self.clock.advance(INTERVAL)
        self.assertIsNone(self.watch.outage)
        self.clock.advance(PATIENCE + 1)
        self.assertEqual(self.watch.outage, "storage_unavailable")
        self.assertEqual(len(self.database.asked), 1)
        self.database.asked[0].callback(None)
        self.assertIsNone(self.watch.outage)

    def test_stop(self) -> None:
        """After the end nothing is asked, whenever the last answer comes."""
        self.clock.advance(INTERVAL)
        self.watch.stop()
        self.database.asked[0].callback(None)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        DatabaseWatch(self.clock, self.database).stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
