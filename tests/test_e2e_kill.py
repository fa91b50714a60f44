"""kill -9 in the middle of load: what was acknowledged is there, once, and everybody is told of it once."""

import random
import sqlite3
import time

from twisted.trial.unittest import SynchronousTestCase

from tests import postgres
from tests.e2e.crowd import Crowd
from tests.e2e.node_process import NodeProcess

ROUNDS = 20
PAIRS = 3
MOST_SECONDS = 0.1
"""How long a round's load lasts at most, once everybody is in the middle of it."""


class KillTests(SynchronousTestCase):
    """A node that is killed and started again, twenty times, with people who come back each time."""

    def _twenty_rounds(self, database: str) -> NodeProcess:
        node = NodeProcess(database)
        self.addCleanup(node.close)
        node.start()
        crowd = Crowd(node, PAIRS)

        def kill() -> None:
            crowd.wait_for_progress()
            time.sleep(random.uniform(0, MOST_SECONDS))
            node.kill()

        unanswered = 0
        for _ in range(ROUNDS):
            crowd.talk(kill)
            unanswered += crowd.unanswered()
            node.start()
        crowd.talk(crowd.finish)
        self.assertEqual(crowd.unanswered(), 0)
        self.assertEqual(crowd.faults(), [])

        # Once more, and nobody sends again: what was not acknowledged may be there, but not twice.
        crowd.go_on()
        crowd.talk(kill)
        node.start()
        crowd.listen()
        self.assertEqual(crowd.faults(), [])
        self.assertGreater(unanswered, 0, "no kill ever hit a message under way")
        print(f"\n    {crowd.acknowledged()} acknowledged, {unanswered} cut off by {ROUNDS} kills", end=" ")
        return node

    def test_sqlite(self) -> None:
        """On SQLite; and the file is whole."""
        node = self._twenty_rounds("sqlite")
        node.kill()
        database = sqlite3.connect(node.state / "home.sqlite")
        self.addCleanup(database.close)
        self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])

    def test_postgresql(self) -> None:
        """On PostgreSQL."""
        self._twenty_rounds(postgres.url())
