"""kill -9 in the middle of load: what was acknowledged is there, once, and everybody is told of it once."""

import random
import sqlite3
import time

from twisted.trial.unittest import SynchronousTestCase

from tests import postgres
from tests.e2e.crowd import Crowd
from tests.e2e.node_process import NodeProcess
from tests.e2e.people import Person
from tests.e2e.talk import Talker, faults

ROUNDS = 20
PAIRS = 3
MOST_SECONDS = 0.1
"""How long a round's load lasts at most, once everybody is in the middle of it."""


class FaultTests(SynchronousTestCase):
    """What the tests below look for is found where it is."""

    def setUp(self) -> None:
        left, right = (Talker(Person(name, f"@{name}", name, "", ""), "!") for name in ("left", "right"))
        self.sides = left, right
        for number in range(3):
            left.begin()
            left.acknowledged[number] = f"id{number}"
            right.heard.append((number, f"id{number}"))

    def _faults(self, *numbers: int, **ids: str) -> list[str]:
        """What is found where the chat holds these of the left side's messages."""
        messages = [
            {
                "id": ids.get(f"id{number}", f"id{number}"),
                "sender": "@left",
                "body": {"text": f"{number} ..."},
            }
            for number in numbers
        ]
        self.sides[1].heard = [(number, ids.get(f"id{number}", f"id{number}")) for number in numbers]
        return faults(messages, *self.sides)

    def test_none(self) -> None:
        """All is well; also where there is one that was not acknowledged."""
        self.assertEqual(self._faults(0, 1, 2), [])
        self.sides[0].begin()
        self.assertEqual(self._faults(0, 1, 2, 3), [])

    def test_each(self) -> None:
        """Lost, doubled, out of order, made up, under another id; and told wrongly."""
        self.assertEqual(self._faults(0, 2), ["left's 1 was acknowledged and is not there"])
        self.assertEqual(self._faults(0, 1, 1, 2), ["left's 1 is there 2 times"])
        self.assertEqual(self._faults(0, 2, 1), ["left's messages are out of order"])
        self.assertEqual(self._faults(0, 1, 2, 3), ["left's 3 was never written"])
        self.assertEqual(self._faults(0, 1, 2, id1="x"), ["left's 1 was acknowledged and is not there"])
        for heard in ([], [(0, "id0")], [(0, "id0")] * 2, [(1, "id1"), (0, "id0")]):
            self.sides[1].heard = heard
            self.assertEqual(len(faults([], *self.sides)), 4 if heard else 3)


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
