"""Two nodes tell each other: everything arrives, once, in its order, whatever is lost or killed."""

import tracemalloc
from functools import partial
from typing import Any

from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from safeum_home.errors import Code, Problem
from safeum_home.node.refusals import HOUR, KEPT_HOURS
from safeum_home.outgoing.http import Answer
from safeum_home.ports.federation import Noted
from safeum_home.protocol.federation.events import Event
from tests.federated import Node, Pair, refuse


class Case(SynchronousTestCase):
    """Two nodes."""

    def setUp(self) -> None:
        self.pair = Pair()
        self.a, self.b = self.pair["a.example"], self.pair["b.example"]

    def aside(self, node: Node) -> list[tuple[str, bool, str, str]]:
        """What a node has set aside."""
        found = node.database.now(lambda c: node.federation.rows.aside(c, 100))
        return sorted((each.name, each.ours, each.type, each.code) for each in found)

    def transactions(self) -> list[str]:
        """The numbers of those that were sent."""
        return [path.rpartition("/")[2] for _, _, method, path in self.pair.requests if method == "PUT"]

    def sent_more_than(self, count: int) -> bool:
        return len(self.transactions()) > count

    def logged(self, kind: type[Exception], count: int) -> None:
        self.assertEqual(len(self.flushLoggedErrors(kind)), count)


class FlowTests(Case):
    """Nothing goes wrong."""

    def test_woken_for_nothing(self) -> None:
        """A node that nothing was noted for hears what is said to it later."""
        self.a.federation.wake(["b.example"])
        self.a.say("1", 5)
        self.pair.settle()
        self.assertEqual(self.b.arrived(), [("a.example", "1", 5)])
        self.assertEqual(self.a.waiting, 0)

    def test_arrives(self) -> None:
        """What is said here is there, in its order, and waits no more; both ways."""
        for number in range(3):
            self.a.say(str(number), number)
        self.b.say("back", 9)
        self.pair.settle()
        self.assertEqual(self.b.arrived(), [("a.example", str(number), number) for number in range(3)])
        self.assertEqual(self.a.arrived(), [("b.example", "back", 9)])
        self.assertEqual((self.a.waiting, self.b.waiting), (0, 0))
        self.assertEqual((self.a.federation.sender.held, self.b.federation.sender.held), (0, 0))
        self.assertEqual([kind.ended for kind in self.b.kinds], [3, 0, 0])

    def test_messages_together(self) -> None:
        """A thousand messages are two transactions, each stored in one commit."""
        self.pair.away.add("b.example")
        pointers = (self.a.kinds[1].pointer(str(number)) for number in range(1000))
        rows = [Noted("b.example", "chat.message", pointer) for pointer in pointers]

        def write(c: Connection) -> None:
            c.exec_driver_sql(
                "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999)"
                " INSERT INTO said SELECT CAST(i AS TEXT), i + 1000 FROM n"
            )
            self.a.federation.note(c, rows)

        self.successResultOf(self.a.database.transact(write))
        before = self.b.database.transactions
        self.pair.away.clear()
        self.a.federation.wake(["b.example"])
        self.pair.settle()
        self.assertEqual(self.b.values(), list(range(1000, 2000)))
        self.assertEqual(self.b.database.transactions - before, 2)
        self.assertEqual(self.transactions(), ["1", "2"])
        self.assertEqual(len(self.b.kinds[1].published), 1000)
        self.assertEqual(self.b.kinds[1].ended, 1000)

    def test_once_while_it_waits(self) -> None:
        """What changes while it waits is told once, as it is then; what changes on its way is told again."""
        self.pair.away.add("b.example")
        for value in range(5):
            self.a.say("object", value)
        # One is on its way.
        self.assertEqual(self.a.waiting, 2)
        self.pair.settle(400)
        self.pair.away.clear()
        self.a.say("object", 7)
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values(), [7, 7])
        self.a.say("object", 8)
        self.a.say("object", 9)
        self.assertEqual(self.a.waiting, 2)
        self.pair.settle()
        self.assertEqual(self.b.values()[-1], 9)
        self.assertEqual(self.a.waiting, 0)

    def test_urgent_first(self) -> None:
        """What is urgent is told before all that waited longer, also where it was not urgent before."""
        self.pair.away.add("b.example")
        for number in range(3):
            self.a.say(str(number), number)
        self.pair.settle(400)
        self.a.say("2", 2, urgent=True)
        self.a.say("3", 3, urgent=True)
        self.a.say("3", 3)
        self.pair.away.clear()
        self.pair.until(lambda: not self.a.waiting)
        # Even before what was about to be sent when the node went away.
        self.assertEqual(self.b.values(), [2, 3, 0, 1])
        self.pair.away.add("b.example")
        self.a.say("4", 4)
        self.pair.settle(1)
        for number in range(5, 8):
            self.a.say(str(number), number)
        self.a.say("7", 7, urgent=True)
        self.pair.away.clear()
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values()[4:], [7, 4, 5, 6])

    def test_bodies_are_bounded(self) -> None:
        """What does not fit into a megabyte waits for the next transaction."""
        self.a.padding = "x" * 30_000
        self.pair.away.add("b.example")
        for number in range(100):
            self.a.say(str(number), number)
        self.pair.away.clear()
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values(), list(range(100)))
        self.assertEqual(self.transactions()[-3:], ["2", "3", "4"])

    def test_nothing_to_tell(self) -> None:
        """Objects that are gone by now are no transaction."""
        self.pair.away.add("b.example")
        self.a.say("1", 1)
        self.pair.settle()
        self.a.database.execute("DELETE FROM said")
        self.pair.away.clear()
        count = len(self.transactions())
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values(), [])
        self.assertEqual(len(self.transactions()), count)
        self.a.say("2", 2)
        self.pair.settle()
        self.assertEqual((self.b.values(), self.transactions()[-1]), ([2], "1"))

    def test_new_key(self) -> None:
        """A node whose key was replaced is believed, and so is what waited."""
        self.a.say("1", 1)
        self.pair.settle()
        done = self.a.federation.rotate()
        self.assertEqual(self.successResultOf(_now(done)), "ed25519:2")
        self.a.say("2", 2)
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values(), [1, 2])

    def test_not_dealt_with(self) -> None:
        """Of nodes that this one has nothing to do with there are no rows, neither of itself."""
        pair = Pair(deny=["b.example"])
        pair["a.example"].say("1", 1)
        pair["a.example"].say("2", 2, "a.example")
        pair.settle()
        for table in ("outbox", "peers"):
            self.assertEqual(pair["a.example"].database.count(table), 0)
        self.assertEqual(pair.requests, [])


class TroubleTests(Case):
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
                pair.until(partial(_told, a))
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
            pair.until(partial(_told, a))
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

    def test_refused_for_good(self) -> None:
        """The kind hears of an object that the other node has refused, unless it has changed since then."""
        self.b.kinds[0].applying = refuse(Code.NOT_A_CONTACT)
        self.a.say("1", 1)
        self.a.say("2", 2)
        self.a.say("1", 3)
        self.pair.until(lambda: bool(self.b.database.count("set_aside")))
        self.b.kinds[0].applying = lambda event: None
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values(), [2, 3])
        self.assertEqual(self.a.kinds[0].untold_of, [])
        self.b.kinds[0].applying = refuse(Code.NOT_A_CONTACT)
        self.a.say("3", 4)
        self.pair.settle()
        self.assertEqual(self.a.kinds[0].untold_of, [("b.example", "3")])

    def test_passing_trouble(self) -> None:
        """What cannot be applied now is asked again, in its order, and what was applied is not."""
        left = [5]

        def sometimes(event: Event) -> None:
            if event.content["value"] == 2 and left[0]:
                left[0] -= 1
                raise Problem(Code.BUSY)

        self.pair.away.add("b.example")
        for number in range(5):
            self.a.say(str(number), number)
        self.b.kinds[0].applying = sometimes
        self.pair.away.clear()
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual((self.b.values(), left), ([0, 1, 2, 3, 4], [0]))
        self.assertEqual(self.b.kinds[0].ended, 5)

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

    def test_poison(self) -> None:
        """What is refused, or cannot be told, applied or stored, is set aside; the rest goes on."""

        def applying(event: Event) -> None:
            if event.content["value"] == 1:
                raise Problem(Code.NOT_A_CONTACT)
            if event.content["value"] == 2:
                raise KeyError("it cannot be applied")

        def storing(c: Connection, event: Event) -> None:
            c.exec_driver_sql("INSERT INTO said VALUES ('a half', 1) ON CONFLICT DO NOTHING")
            if event.content["value"] == 3:
                raise Problem(Code.LIMIT_REACHED)
            if event.content["value"] == 4:
                raise IndexError("it cannot be stored")

        for kind in ("test.saying", "chat.message"):
            self.pair = Pair()
            self.a, self.b = self.pair["a.example"], self.pair["b.example"]
            for each in self.b.kinds:
                each.applying, each.storing = applying, storing
            self.pair.away.add("b.example")
            self.a.say("unknown", 1, kind="test.unknown")
            for value in (0, 1, 2, 3, 4, 666, 5):
                self.a.say(str(value), value, kind=kind)
            self.pair.away.clear()
            self.pair.until(lambda: not self.a.waiting)
            self.assertEqual(self.b.values(), [0, 5])
            codes = ["internal_error", "internal_error", "limit_reached", "not_a_contact"]
            self.assertEqual(self.aside(self.b), [("a.example", True, kind, code) for code in codes])
            told = [("b.example", False, kind, code) for code in codes]
            built = [
                ("b.example", True, kind, "internal_error"),
                ("b.example", True, "test.unknown", "unknown_kind"),
            ]
            self.assertEqual(self.aside(self.a), sorted([*told, *built]))
            self.assertEqual(sum(each.ended for each in self.b.kinds), 4)
            self.logged(KeyError, 1)
            self.assertGreaterEqual(len(self.flushLoggedErrors(IndexError)), 1)
            self.logged(ValueError, 1)

    def test_senseless_answers(self) -> None:
        """An answer without sense is no reason to take anything for told, or to try without pause."""
        for status, body in (
            (200, b"garbage"),
            (200, b"{}"),
            (200, b'{"received":7}'),
            (200, b'{"received":1,"refused":[{"index":400,"code":"x"}]}'),
            (200, b'{"received":1,"refused":[{"index":0,"code":"<b>"}]}'),
            (200, b"[" * 100_000),
            (500, b"<html>"),
            (302, b""),
            (409, b'{"type":"about:blank","title":"","status":409,"code":"stale_stream"}'),
        ):
            pair = Pair()
            a, b = pair["a.example"], pair["b.example"]
            pair.answers["b.example"] = Answer(status, body)
            a.say("1", 1)
            pair.settle(1000)
            self.assertEqual(a.waiting, 1, body)
            sent = [each for each in pair.requests if each[2] == "PUT"]
            self.assertTrue(2 <= len(sent) < 40, (body, len(sent)))
            pair.answers.clear()
            pair.until(partial(_told, a))
            self.assertEqual(set(b.values()), {1})

    def test_refuses_all(self) -> None:
        """Where a node takes no transaction as it is, each event is tried alone, and then set aside."""
        body = b'{"type":"about:blank","title":"","status":413,"code":"too_large"}'
        self.pair.answers["b.example"] = Answer(413, body)
        self.pair.away.add("b.example")
        for number in range(4):
            self.a.say(str(number), number)
        self.pair.away.clear()
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(len(self.aside(self.a)), 4)

    def test_retry_after(self) -> None:
        """The time that a node asks for is waited, and half an hour at the most."""
        for asked, least, most in (("100", 100, 400), ("999999999", 1800, 1900)):
            self.pair.answers["b.example"] = Answer(503, b"{}", Headers({"Retry-After": [asked]}))
            self.a.say("1", 1)
            self.pair.settle(5)
            count = len(self.transactions())
            waited = self.pair.until(partial(self.sent_more_than, count))
            self.assertTrue(least - 10 <= waited <= most, waited)
            self.pair.restart("a.example")

    def test_too_much(self) -> None:
        """A node has as many messages waiting as it may; all else is no more than there are accounts."""
        pair = Pair(waiting=3)
        a = pair["a.example"]
        pair.away.add("b.example")
        for number in range(3):
            a.say(str(number), number, kind="chat.message")
        with self.assertRaises(Problem) as caught:
            a.say("3", 3, kind="chat.message")
        self.assertIs(caught.exception.code, Code.PEER_BEHIND)
        room = [a.database.now(partial(a.federation.room, node=node)) for node in ("b.example", "c.example")]
        self.assertEqual(room, [0, 3])
        a.say("4", 4)
        self.assertEqual(a.waiting, 4)
        pair.away.clear()
        pair.until(lambda: not a.waiting)
        self.assertEqual(pair["b.example"].values(), [0, 1, 2, 4])

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


def _told(node: Node) -> bool:
    return not node.waiting


def _waiting(c: Connection) -> int:
    return int(c.exec_driver_sql("SELECT sum(waiting) FROM peers").scalar_one())


def _kept(held: list[int]) -> Any:
    def keep(batch: Any) -> Any:
        held.append(0 if batch is None else len(batch.rows))
        return batch

    return keep


def _now(coroutine: Any) -> Any:
    return Deferred.fromCoroutine(coroutine)
