"""When changes are handed to the writer, told on a clock: no database is opened."""

from typing import Any, cast

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.storage.backend import Backend
from safeum_home.storage.database import GATHER, PATIENCE, NodeDatabase
from tests.storage import never, problem


class GatherTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.db = NodeDatabase(cast(Backend, None), self.clock, readers=0, queue=10_000, group=1_000)

    def groups(self) -> list[tuple[int, int]]:
        """The sizes and horizons of the groups that were handed over."""
        queue = self.db._writer.queue
        found = [queue.get_nowait() for _ in range(queue.qsize())]
        return [(len(group.changes), group.horizon) for group in found if group is not None]

    def change(self, *_: Any) -> None:
        self.db.next_position()
        self.db.transact(never)

    def test_alone(self) -> None:
        """A change that comes alone is handed over after the turn, without a wait."""
        self.change()
        self.assertEqual(self.groups(), [])
        self.clock.advance(0)
        self.assertEqual(self.groups(), [(1, 1)])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_turn(self) -> None:
        """Positions that are taken together, and used one after the other, are in one group."""
        for _ in range(3):
            self.db.next_position()
        for _ in range(3):
            self.db.transact(never)
        self.clock.advance(0)
        self.assertEqual(self.groups(), [(3, 3)])

    def test_busy_turns(self) -> None:
        """Turns that keep bringing changes are gathered, until there are enough."""

        def turn(left: int) -> None:
            self.change()
            if left > 1:
                self.clock.callLater(0, turn, left - 1)

        turn(GATHER + 10)
        self.clock.advance(0)
        self.assertEqual(self.groups(), [(GATHER, GATHER), (10, GATHER + 10)])

    def test_patience(self) -> None:
        """However busy the turns, a change waits no longer than this."""
        self.change()
        self.change()
        self.clock.rightNow += PATIENCE
        self.clock.callLater(0, self.change)
        self.clock.advance(0)
        self.assertEqual(self.groups()[0], (2, 2))

    def test_bound(self) -> None:
        """No more than the queue holds is gathered."""
        for _ in range(10_000):
            self.change()
        self.assertEqual(self.successResultOf(problem(self.db.transact(never))), "busy")
