"""Nodes that are away, slow or killed, and answers that are lost: everything arrives once, in its order."""

import tracemalloc
from functools import partial
from typing import Any

from sqlalchemy import Connection

from safeum_home.node.refusals import HOUR, KEPT_HOURS
from safeum_home.outgoing.http import Answer
from safeum_home.ports.federation import Noted
from tests.federated import Node, Pair
from tests.federation_case import FederationCase, all_told


class AwayTests(FederationCase):
    """Something goes wrong."""

    def test_lost_answers(self) -> None:
        """Where answers are lost all is sent again, and applied once."""
        self.a.say("0", 0)
        self.pair.settle()
        self.pair.deaf.add("b.example")
        for number in range(1, 4):
            self.a.say(str(number), number)
        self.pair.settle(600)
        # What was said while the first was on its way waits for its answer.
        self.assertEqual(self.b.values(), [0, 1])
        self.assertGreater(self.transactions().count("2"), 3)
        self.pair.deaf.clear()
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values(), [0, 1, 2, 3])

    def test_changed_on_its_way(self) -> None:
        """What has changed since it was sent, and is to be sent anew, stays before what was said after it."""
        self.pair.away.add("b.example")
        self.a.say("1", 1)
        self.pair.settle()
        self.a.say("2", 2)
        self.a.say("1", 3)
        self.a.say("now", 4, urgent=True)
        self.pair.settle(60)
        self.pair.away.clear()
        self.pair.until(lambda: not self.a.waiting)
        told = [(name, value) for _, name, value in self.b.arrived()]
        self.assertEqual(told, [("now", 4), ("1", 3), ("2", 2)])

    def test_never_answers(self) -> None:
        """A node that takes everything and never answers has one request at a time, and holds up nobody."""
        pair = Pair("a.example", "b.example", "c.example")
        a = pair["a.example"]
        pair.mute.add("b.example")
        for number in range(5):
            a.say(str(number), number)
            pair.settle(1)
        self.assertEqual(pair["c.example"].values(), [0, 1, 2, 3, 4])
        self.assertEqual(
            len([each for each in pair.requests if each[1] == "b.example" and each[2] == "PUT"]), 1
        )
        self.assertEqual(pair["b.example"].values(), [0])
        pair.settle(120)
        self.assertEqual(a.federation.sender.reports()["b.example"].error, "there was no answer in time")
        pair.mute.clear()
        pair.until(lambda: not a.waiting)
        self.assertEqual(pair["b.example"].values(), [0, 1, 2, 3, 4])

    def test_hellos_are_paced(self) -> None:
        """A node that starts among many dead ones greets a few at a time."""
        names = [f"n{number}.example" for number in range(40)]
        self.a.say("1", 1, *names)
        self.pair.settle()
        self.a.database.execute("DELETE FROM outbox")
        self.a.database.execute("UPDATE peers SET waiting = 0")
        self.pair.mute.update(names)
        for name in names:
            self.pair.nodes[name] = self.b
        count = len(self.pair.requests)
        self.pair.restart("a.example")
        self.pair.clock.pump([0.1] * 200)
        hellos = [each for each in self.pair.requests[count:] if each[2] == "POST"]
        self.assertEqual(len(hellos), 16)
        self.pair.clock.pump([0.5] * 180)
        hellos = [each for each in self.pair.requests[count:] if each[2] == "POST"]
        self.assertEqual(len(hellos), 40)

    def test_killed_anywhere(self) -> None:
        """The receiver is killed after each commit of a transaction, and before each: all is there once."""
        for commits in range(6):
            for told in (False, True):
                pair = Pair()
                a, b = pair["a.example"], pair["b.example"]
                a.say("first", 100)
                pair.settle()
                pair.away.add("b.example")
                for number in range(4):
                    a.say(str(number), number)
                pair.settle(0.1)
                pair.away.clear()
                b.database.hold = True
                pair.until(partial(_holds, b))
                for _ in range(commits):
                    b.database.release()
                    pair.clock.advance(0)
                if told:
                    b.database.commit()
                pair.restart("b.example")
                pair.until(partial(all_told, a))
                self.assertEqual(b.values(), [100, 0, 1, 2, 3], (commits, told))
                self.assertNotIn("1", self.transactions()[1:])

    def test_sender_killed(self) -> None:
        """The sender is killed at each moment of a transaction: all is there once."""
        for steps in range(12):
            pair = Pair()
            a, b = pair["a.example"], pair["b.example"]
            for number in range(3):
                a.say(str(number), number)
            for _ in range(steps):
                pair.clock.advance(0.0005)
            pair.restart("a.example")
            a.say("3", 3)
            pair.until(partial(all_told, a))
            self.assertEqual(b.values(), [0, 1, 2, 3], steps)

    def test_away(self) -> None:
        """Nothing is lost while a node is away, nor when the sender is started anew meanwhile."""
        self.pair.away.add("b.example")
        for number in range(3):
            self.a.say(str(number), number)
        self.pair.settle(5000)
        self.pair.restart("a.example")
        self.a.say("3", 3)
        self.pair.settle(5000)
        self.pair.away.clear()
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values(), [0, 1, 2, 3])

    def test_heard(self) -> None:
        """A node that is back says hello, and is told at once what waited for hours."""
        self.b.say("known", 1)
        self.pair.settle()
        self.pair.away.add("b.example")
        self.a.say("1", 1)
        self.pair.settle(9 * 3600)
        self.pair.away.clear()
        self.assertEqual(self.a.waiting, 1)
        self.pair.restart("b.example")
        self.assertLess(self.pair.until(lambda: not self.a.waiting), 10)
        self.assertIn(("b.example", "a.example", "POST", "/_safeum/federation/v1/hello"), self.pair.requests)

    def test_given_up(self) -> None:
        """After 30 days what waited so long is dropped, and nothing else."""
        self.pair.away.add("b.example")
        self.a.say("1", 1)
        hours = KEPT_HOURS - 5
        self.pair.clock.pump([600.0] * (hours * 6))
        self.assertEqual(self.a.waiting, 1)
        self.a.say("2", 2)
        self.pair.clock.pump([600.0] * (10 * 6))
        self.assertEqual(self.a.waiting, 1)
        self.assertEqual(self.a.database.now(_waiting), 1)
        self.pair.away.clear()
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values(), [2])
        self.assertEqual(self.a.kinds[0].untold_of, [("b.example", "1")])
        self.assertEqual(HOUR, 3_600_000)

    def test_database_fails(self) -> None:
        """Neither side loses anything while a database takes nothing."""
        for node in (self.a, self.b):
            self.pair.away.add("b.example")
            self.a.say("1", 1)
            self.a.say("2", 2)
            node.database.failing = True
            self.pair.away.clear()
            self.pair.settle(60)
            node.database.failing = False
            self.pair.until(lambda: not self.a.waiting)
            self.assertEqual(self.b.values()[-2:], [1, 2])
        self.assertEqual(len(self.b.values()), 4)

    def test_memory(self) -> None:
        """A hundred thousand rows for a node that is away are in no memory, however often it is tried."""
        self.pair.away.add("b.example")
        self.a.say("0", 0)
        self.pair.settle(600)

        def write(c: Connection) -> None:
            for start in range(0, 100_000, 5000):
                rows = range(start, start + 5000)
                pointers = (self.a.kinds[1].pointer(str(row)) for row in rows)
                self.a.federation.note(c, [Noted("b.example", "chat.message", each) for each in pointers])

        held: list[int] = []
        outbox: Any = self.a.federation.outbox
        first = outbox.next
        outbox.next = lambda node: first(node).addCallback(_kept(held))
        self.successResultOf(self.a.database.transact(write))
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        self.a.federation.wake(["b.example"])
        self.pair.clock.pump([30.0] * 60)
        _, peak = tracemalloc.get_traced_memory()
        self.assertGreater(len(held), 5)
        self.assertLessEqual(max(held), 500)
        self.assertLess(peak, 4_000_000)
        self.assertEqual(self.a.waiting, 100_001)
        self.assertEqual(self.a.federation.sender.held, 1)

    def test_others_go_on(self) -> None:
        """While one node is away, and one refuses everything, the third is told at once."""
        pair = Pair("a.example", "b.example", "c.example", "d.example")
        a = pair["a.example"]
        pair.away.add("b.example")
        pair.answers["c.example"] = Answer(500, b"")
        a.say("1", 1)
        pair.settle()
        self.assertEqual(pair["d.example"].values(), [1])
        self.assertEqual(a.waiting, 2)
        reports = a.federation.sender.reports()
        self.assertEqual(reports["b.example"], ("backing off", "there is no connection"))
        self.assertEqual(reports["c.example"], ("backing off", "status 500"))


def _holds(node: Node) -> bool:
    return node.database.held > 0


def _waiting(c: Connection) -> int:
    return int(c.exec_driver_sql("SELECT sum(waiting) FROM peers").scalar_one())


def _kept(held: list[int]) -> Any:
    def keep(batch: Any) -> Any:
        held.append(0 if batch is None else len(batch.rows))
        return batch

    return keep
