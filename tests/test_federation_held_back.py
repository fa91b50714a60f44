"""What is of no chat, and a node cannot take for now, is told again later, and holds up nothing."""

from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from federation.answers import refused_in
from safeum_home.errors import Code, Problem
from safeum_home.node.held_back import LONGEST, SHORTEST
from safeum_home.node.refusals import KEPT_HOURS
from safeum_home.outgoing.http import Answer
from safeum_home.ports.outbox import Batch, Refused, Waiting
from safeum_home.protocol.federation.events import Event
from tests.federated import Node, Pair

PATIENT = "test.patient"


class Case(SynchronousTestCase):
    """a.example tells b.example, also of a kind that may wait."""

    def setUp(self) -> None:
        self.pair = Pair()
        self.a, self.b = self.pair["a.example"], self.pair["b.example"]
        self.kinds = {node.name: node.kinds[2] for node in (self.a, self.b)}

    def refuse(self, *values: int, code: Code = Code.BUSY, storing: bool = False) -> None:
        """These values are refused by b.example from now on."""
        kind = self.kinds["b.example"]

        def raises(event: Event) -> None:
            if event.content["value"] in values:
                raise Problem(code, retry_after=2.5 if code is Code.BUSY else None)

        kind.applying = (lambda event: None) if storing else raises
        kind.storing = (lambda c, event: raises(event)) if storing else (lambda c, event: None)

    def say(self, *values: int) -> None:
        for value in values:
            self.a.say(str(value), value, kind=PATIENT)

    def aside(self, node: Node) -> list[tuple[str, str]]:
        found = node.database.now(lambda c: node.federation.rows.aside(c, 100))
        return sorted((each.type, each.code) for each in found)

    def assertWaiting(self, count: int) -> None:
        """So many rows wait at a.example, and it knows that."""
        self.assertEqual((self.a.waiting, self.a.database.now(_counted)), (count, count))

    @property
    def timers(self) -> Any:
        """What a.example still wants to release."""
        held_back: Any = self.a.federation.outbox.refusals.held_back
        return held_back._timers

    @property
    def transactions(self) -> int:
        return len([each for each in self.pair.requests if each[2] == "PUT"])


class HeldBackTests(Case):
    def test_others_go_on(self) -> None:
        """What is behind it is told at once, of all kinds; it comes when it can be taken."""
        for storing in (False, True):
            self.setUp()
            self.refuse(1, 3, storing=storing)
            self.pair.away.add("b.example")
            self.say(0)
            self.pair.settle(0.1)
            self.say(1, 2, 3)
            self.a.say("9", 9, kind="chat.message")
            self.pair.away.clear()
            self.pair.until(lambda: 9 in self.b.values(), 30)
            self.pair.settle()
            self.assertEqual(self.b.values(), [0, 2, 9])
            self.assertWaiting(2)
            self.pair.settle(60)
            self.assertEqual(self.b.values(), [0, 2, 9])
            self.refuse()
            self.pair.until(lambda: not self.a.waiting, 400)
            self.assertEqual(self.b.values(), [0, 2, 9, 1, 3])
            self.assertEqual((self.aside(self.a), self.aside(self.b)), ([], []))
            self.assertWaiting(0)
            self.assertEqual(self.timers, {})

    def test_better_late(self) -> None:
        """Where a kind has it so for a code that is refused is told later, behind others, and not lost."""
        kind = self.b.kinds[1]
        for code, waits in ((Code.INVALID_CURSOR, 1), (Code.NOT_PERMITTED, 0)):
            kind.applying = partial(_refuse_with, code)
            for number in (1, 2):
                self.a.say(f"{code.code} {number}", number, kind="chat.message")
            self.pair.settle()
            self.assertEqual(self.b.values()[-1], 2)
            self.assertWaiting(waits)
            kind.applying = lambda event: None
            self.pair.until(lambda: not self.a.waiting, 100)
        self.assertEqual(self.b.values(), [2, 1, 2])
        self.assertEqual(self.aside(self.a), [("chat.message", "not_permitted")])

    def test_seldom(self) -> None:
        """It is told again after some seconds, then ever more seldom; once it went well it begins anew."""
        self.refuse(*range(600))
        self.say(*range(600))
        self.pair.until(lambda: self.transactions >= 3, 60)
        self.pair.clock.pump([1.0] * 3600)
        # Two transactions each time, or three: after 5, 10, 20 ... 1,800 seconds.
        self.assertTrue(18 <= self.transactions <= 30, self.transactions)
        self.refuse()
        self.pair.until(lambda: not self.a.waiting, 2 * LONGEST)
        self.assertEqual(sorted(self.b.values()), list(range(600)))
        self.refuse(1000)
        self.say(1000)
        self.pair.settle()
        self.refuse()
        self.assertLess(self.pair.until(lambda: not self.a.waiting), SHORTEST + 1)

    def test_asked_for(self) -> None:
        """The time that the other node asks for is waited, though not longer than the longest."""
        said: dict[str, Any] = {
            "received": 1,
            "refused": [{"index": 0, "code": "busy", "retry_after": 86400}],
        }
        batch = Batch(bytes(16), 1, (Waiting(1, PATIENT, b"1"),))
        for seconds, count in ((100, 1), (86_400, 1), (0, 0), (-1, 0), (86_401, 0), (1.5, 0)):
            said["refused"][0]["retry_after"] = seconds
            try:
                found = refused_in(_json(said), batch)
            except Exception:
                found = []
            self.assertEqual(found, [Refused(0, "busy", seconds)] * count)  # type: ignore[arg-type]
        said["refused"][0]["retry_after"] = 86_400
        self.pair.answers["b.example"] = Answer(200, _json(said))
        self.say(1)
        self.pair.settle()
        self.assertWaiting(1)
        self.pair.answers.clear()
        took = self.pair.until(lambda: not self.a.waiting)
        self.assertTrue(LONGEST - 5 < took < LONGEST + 5, took)

    def test_each_for_itself(self) -> None:
        """What one is asked to wait for holds up no other, nor does how often it was refused."""
        delays = {1: 1000, 2: 1}
        refused = list[int]()

        def raises(event: Event) -> None:
            value = int(event.content["value"])
            if value in delays:
                refused.append(value)
                raise Problem(Code.RATE_LIMITED, retry_after=delays[value])

        self.kinds["b.example"].applying = raises
        self.say(1)
        self.pair.settle()
        self.say(2)
        self.pair.settle()
        del delays[2]
        self.assertLess(self.pair.until(lambda: 2 in self.b.values(), 30), SHORTEST + 2)
        self.assertEqual(refused, [1, 2])
        delays[1] = 1
        self.pair.until(lambda: len(refused) >= 8, 3 * LONGEST)
        delays[3] = 1
        self.say(3)
        self.pair.settle()
        del delays[3]
        self.assertLess(self.pair.until(lambda: 3 in self.b.values(), 30), SHORTEST + 2)
        delays.clear()
        self.pair.until(lambda: not self.a.waiting, LONGEST)
        self.assertEqual(self.b.values(), [2, 3, 1])

    def test_changed_meanwhile(self) -> None:
        """What has changed is told at once, and what was held back of it is gone; however often."""
        self.refuse(1, 2)
        self.a.say("object", 1, kind=PATIENT)
        self.pair.settle()
        self.a.say("object", 2, kind=PATIENT)
        self.pair.settle()
        self.assertWaiting(1)
        self.a.say("object", 3, kind=PATIENT)
        self.pair.settle()
        self.assertEqual(self.b.values(), [3])
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(set(self.b.values()), {3})
        self.assertWaiting(0)

    def test_changed_when_released(self) -> None:
        """What waits anew already is told once."""
        self.refuse(1)
        self.a.say("object", 1, kind=PATIENT)
        self.pair.settle()
        self.pair.away.add("b.example")
        self.a.say("other", 7)
        self.pair.settle(0.1)
        self.a.say("object", 3, kind=PATIENT)
        self.pair.settle(30)
        self.assertWaiting(2)
        self.pair.away.clear()
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.b.values(), [7, 3])
        self.assertWaiting(0)

    def test_restart(self) -> None:
        """A node that starts tells it at once."""
        self.refuse(1)
        self.say(1, 2)
        self.pair.settle()
        self.refuse()
        self.pair.restart("a.example")
        self.pair.settle(0.5)
        self.assertEqual(self.b.values(), [2, 1])
        self.assertWaiting(0)

    def test_no_database(self) -> None:
        """Where it cannot be released it is as soon as it can be."""
        self.refuse(1)
        self.say(1)
        self.pair.settle()
        self.refuse()
        self.a.database.failing = True
        self.pair.settle(60)
        self.a.database.failing = False
        self.assertWaiting(1)
        self.pair.until(lambda: not self.a.waiting, 2 * SHORTEST)
        self.assertEqual(self.b.values(), [1])

    def test_stopped(self) -> None:
        """A node that ends leaves nothing behind."""
        self.refuse(1)
        self.say(1)
        self.pair.settle()
        self.successResultOf(Deferred.fromCoroutine(self.a.federation.stop()))
        self.assertEqual(self.timers, {})


class PassingTests(Case):
    """What is refused for a reason that passes is not refused for good."""

    def test_the_other_node_fails(self) -> None:
        """Where the other node fails at it, it is told again, and nothing comes of it meanwhile."""
        self.kinds["b.example"].applying = _fail
        self.say(1)
        self.pair.settle(60)
        self.assertEqual(self.kinds["a.example"].untold_of, [])
        self.assertWaiting(1)
        self.kinds["b.example"].applying = lambda event: None
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual((self.b.values(), self.aside(self.a)), ([1], []))
        self.flushLoggedErrors(KeyError)

    def test_this_node_fails(self) -> None:
        """Where this node cannot make the event, likewise."""
        self.say(666)
        self.pair.settle(60)
        self.assertEqual(self.kinds["a.example"].untold_of, [])
        self.assertWaiting(1)
        self.a.database.execute("UPDATE said SET value = 5")
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual((self.b.values(), self.aside(self.a)), ([5], []))
        self.flushLoggedErrors(ValueError)

    def test_refused(self) -> None:
        """What says something of the object itself is for good."""
        self.refuse(1, code=Code.LIMIT_REACHED)
        self.say(1)
        self.pair.settle()
        self.assertEqual(self.kinds["a.example"].untold_of, [("b.example", "1")])
        self.assertEqual(self.aside(self.a), [(PATIENT, "limit_reached")])
        self.assertWaiting(0)

    def test_not_for_ever(self) -> None:
        """After 30 days it will never be told, though all else is."""
        self.refuse(1)
        self.say(1)
        for hour in range(KEPT_HOURS + 3):
            if hour < KEPT_HOURS:
                self.assertEqual(self.kinds["a.example"].untold_of, [])
            self.pair.clock.advance(3599)
            self.pair.settle()
        self.assertEqual(self.kinds["a.example"].untold_of, [("b.example", "1")])
        self.assertWaiting(0)
        self.assertEqual(self.aside(self.a), [(PATIENT, "busy")])

    def test_lasting(self) -> None:
        """What waits for as long as it takes does, be it refused for now all the time, or its node away."""
        self.kinds["a.example"].lasting = True
        self.a.federation.connect(self.a.kinds, {})
        for away in (False, True):
            if away:
                self.pair.away.add("b.example")
            else:
                self.refuse(1)
            self.say(1)
            for _ in range(KEPT_HOURS + 3):
                self.pair.clock.advance(3599)
                self.pair.settle()
            self.assertEqual(self.kinds["a.example"].untold_of, [])
            self.assertWaiting(1)
            self.pair.away.clear()
            self.refuse()
            self.pair.until(lambda: not self.a.waiting, 4000)
        self.assertEqual(self.b.values(), [1, 1])
        self.assertEqual(self.aside(self.a), [])

    def test_poison(self) -> None:
        """The kind hears of what is set aside before, or instead of, it is sent."""
        self.pair.away.add("b.example")
        self.a.say("0", 0)
        self.pair.settle(0.1)
        for value in (1, 666, 2):
            self.a.say(str(value), value)
        self.pair.away.clear()
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.a.kinds[0].untold_of, [("b.example", "666")])
        self.flushLoggedErrors(ValueError)
        said = _json({"type": "about:blank", "title": "", "status": 413, "code": "too_large"})
        self.pair.answers["b.example"] = Answer(413, said)
        self.a.say("3", 3)
        self.say(4)
        self.pair.until(lambda: not self.a.waiting)
        self.assertEqual(self.a.kinds[0].untold_of, [("b.example", "666"), ("b.example", "3")])
        self.assertEqual(self.kinds["a.example"].untold_of, [("b.example", "4")])


def _fail(event: Event) -> None:
    raise KeyError("it cannot be applied")


def _counted(c: Connection) -> int:
    return int(c.exec_driver_sql("SELECT sum(waiting) FROM peers").scalar_one())


def _json(plain: Any) -> bytes:
    return msgspec.json.encode(plain)


def _refuse_with(code: Code, event: Event) -> None:
    """What has the number 1 is refused."""
    if event.content["value"] == 1:
        raise Problem(code)
