"""kill -9 in the middle of load: what was acknowledged is there, once, and everybody is told of it once."""

import random
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from twisted.trial.unittest import SynchronousTestCase

from tests import postgres
from tests.e2e.node_process import PATIENCE, NodeProcess
from tests.e2e.talk import Ledger, Talker, talkers

ROUNDS = 20
PAIRS = 3
MOST_SECONDS = 0.1
"""How long a round's load lasts at most, once everybody is in the middle of it."""


class Killing:
    """Pairs of people who write to each other on a node that keeps being killed."""

    def __init__(self, node: NodeProcess) -> None:
        self.node = node
        self.pairs = talkers(node, PAIRS)
        self.everybody = [talker for pair in self.pairs for talker in pair]

    def round(self) -> None:
        """Start, load, kill."""
        self._run(self._kill_under_load)
        self.node.start()

    def finish(self) -> None:
        """Let everybody get everything answered and hear everything."""
        self._run(self._drain)

    def listen(self) -> None:
        """Everybody hears what was missed, and sends nothing."""
        self._run(lambda: None, Talker.listen)

    def faults(self) -> list[str]:
        return [fault for pair in self.pairs for fault in Ledger(self.node, *pair).faults()]

    def acknowledged(self) -> int:
        return sum(len(talker.acknowledged) for talker in self.everybody)

    def unanswered(self) -> int:
        return sum(len(talker.unanswered) for talker in self.everybody)

    def _run(
        self,
        meanwhile: Callable[[], None],
        part: Callable[[Talker, NodeProcess], None] = Talker.run,
    ) -> None:
        with ThreadPoolExecutor(len(self.everybody)) as threads:
            running = [threads.submit(part, talker, self.node) for talker in self.everybody]
            meanwhile()
            for one in running:
                one.result(PATIENCE)

    def _kill_under_load(self) -> None:
        for talker in self.everybody:
            talker.progress.clear()
        for talker in self.everybody:
            if not talker.progress.wait(PATIENCE):
                raise AssertionError(f"nothing is acknowledged:\n{self.node.logged()[-2000:]}")
        time.sleep(random.uniform(0, MOST_SECONDS))
        self.node.kill()

    def _drain(self) -> None:
        for talker in self.everybody:
            talker.finishing.set()
        for left, right in self.pairs:
            left.expected, right.expected = right.written, left.written


class KillTests(SynchronousTestCase):
    """A node that is killed and started again, twenty times, with people who come back each time."""

    def _twenty_rounds(self, database: str) -> NodeProcess:
        node = NodeProcess(database)
        self.addCleanup(node.close)
        node.start()
        killing = Killing(node)
        unanswered = 0
        for _ in range(ROUNDS):
            killing.round()
            unanswered += killing.unanswered()
        killing.finish()
        self.assertEqual(killing.unanswered(), 0)
        self.assertEqual(killing.faults(), [])

        # Once more, and nobody sends again: what was not acknowledged may be there, but not twice.
        for talker in killing.everybody:
            talker.finishing.clear()
        killing.round()
        killing.listen()
        self.assertEqual(killing.faults(), [])
        self.assertGreater(unanswered, 0, "no kill ever hit a message under way")
        print(f"\n    {killing.acknowledged()} acknowledged, {unanswered} cut off by {ROUNDS} kills", end=" ")
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
