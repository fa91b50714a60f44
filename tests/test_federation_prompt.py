"""What is told to other nodes at once: behind nothing that may wait, in order; its losses are heard of."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase

from federation import now_lanes, now_telling
from federation.now_away import AGAIN, FIRST
from safeum_home.outgoing.answers import TOO_MANY, NoAnswer
from safeum_home.outgoing.http import Answer
from safeum_home.protocol.federation.now import NOW_PATH
from tests.federated import DELAY, Pair

B = "b.example"


class PromptTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.pair = Pair()
        self.a, self.b = self.pair["a.example"], self.pair[B]

    def requests(self) -> int:
        return [path for _, _, _, path in self.pair.requests].count(NOW_PATH)

    def say(self, *values: int) -> list[bool]:
        return [told for value in values for told in self.a.pass_on(f"p{value}", value, prompt=True)]

    def pump(self, seconds: float) -> None:
        """In steps of a millisecond at the most."""
        self.pair.clock.pump([0.001] * round(seconds / 0.001))

    def heard(self) -> list[int]:
        return [value for _, _, value in self.b.prompt.heard]

    def test_next_turn(self) -> None:
        """It is on its way in the next turn, with all that is told in this one."""
        self.assertEqual(self.say(1, 2, 3), [True] * 3)
        self.assertEqual(self.requests(), 0)
        self.pair.clock.advance(0)
        self.assertEqual(self.requests(), 1)
        self.pump(10 * DELAY)
        self.assertEqual(self.heard(), [1, 2, 3])

    def test_not_behind_what_is_gathered(self) -> None:
        """What may wait holds it up neither while it waits nor while it is under way, however much it is."""
        for value in range(3_000):
            self.a.pass_on(f"s{value}", value)
        self.say(1)
        self.pump(10 * DELAY)
        self.assertEqual((self.heard(), self.b.expiring.heard), ([1], []))
        self.pair.mute.add(B)
        self.pump(0.3)
        self.pair.mute.clear()
        under_way = self.requests()
        self.say(2)
        self.pump(10 * DELAY)
        self.assertEqual((self.heard(), self.requests()), ([1, 2], under_way + 1))

    def test_in_order(self) -> None:
        """What is told while a request is under way goes in the next one, behind it and in order."""
        expected = list(range(200))
        for value in expected:
            self.say(value)
            self.pump(0.003)
        self.pump(2.0)
        self.assertEqual(self.heard(), expected)

    def test_pace(self) -> None:
        """A node gets no more requests for it than it takes from one node, beside all others."""
        most = self.b.config.federation.asked_per_node
        before = self.requests()
        for value in range(400):
            self.say(value)
            self.pump(0.005)
        self.assertLess((self.requests() - before) / 2.0, most / 3)
        self.pump(4.0)
        self.assertEqual(len(self.heard()), 400)

    def test_left_alone(self) -> None:
        """Who tells learns at once that a node is left alone, and later that it is not any more."""
        self.pair.away.add(B)
        self.assertEqual(self.say(1), [True])
        self.pump(10 * DELAY)
        self.assertEqual(self.a.prompt.changes[-1:], [("lost", B)])
        self.assertEqual(self.say(2), [False])
        self.assertEqual(self.a.pass_on("s", 1), [False])
        self.pair.away.clear()
        self.pump(FIRST)
        self.assertEqual(self.say(3), [True])
        self.pump(10 * DELAY)
        self.assertEqual((self.heard(), self.a.prompt.changes[-1:]), ([3], [("back", B)]))

    def test_lost_with_others(self) -> None:
        """It is lost with all else where a node does not answer to that."""
        self.pair.mute.add(B)
        self.a.pass_on("s", 1)
        self.pump(0.5)
        self.pump(now_telling.PATIENCE)
        self.assertEqual(self.say(1), [False])
        self.assertEqual(self.a.prompt.changes[-1:], [("lost", B)])

    def test_no_room(self) -> None:
        """Where too much waits that is known at once; what is gathered takes no room of it."""
        self.patch(now_lanes, "WAITING_OF_NODE", 5)
        gathered = [self.a.pass_on(f"s{value}", value) for value in range(6)]
        self.assertEqual(gathered, [[True]] * 5 + [[False]])
        self.assertEqual(self.say(*range(6)), [True] * 5 + [False])
        self.assertEqual(self.say(0), [True])

    def test_not_reached(self) -> None:
        """Nodes with which this one has nothing to do are told nothing, nor is anybody by one that ends."""
        pair = Pair("a.example", B, deny=[B])
        self.assertEqual(pair["a.example"].pass_on("p", 1, prompt=True), [False])
        self.successResultOf(self.a.federation.now.stop())
        self.assertEqual(self.say(1), [False])

    def test_too_late(self) -> None:
        """That something could not be told while it was of use is heard of, and nobody is to blame."""
        now = self.a.federation.now
        self.patch(now, "_in_thread", lambda work: deferLater(self.pair.clock, 6.0, work))
        self.say(1)
        self.a.pass_on("s", 1)
        self.pump(7)
        self.assertEqual(self.a.prompt.missing, [(B, "p1")])
        self.assertEqual((self.a.prompt.changes, self.a.expiring.changes), ([], []))
        self.assertEqual(self.say(2), [True])

    def test_too_much_here(self) -> None:
        """So is that too much is under way at this node, which another one is not to blame for."""
        wire = self.a.federation.now

        def refused(*_: object, **__: object) -> None:
            raise NoAnswer(TOO_MANY, handed_over=False)

        self.patch(wire, "_request", refused)
        self.say(1)
        self.a.pass_on("s", 1)
        self.pump(0.5)
        self.assertEqual(self.a.prompt.missing, [(B, "p1")])
        self.assertEqual((self.a.prompt.changes, self.a.expiring.changes), ([], []))
        self.assertEqual(self.say(2), [True])

    def test_told_while_it_fails(self) -> None:
        """A kind may tell when it hears of a loss: each way still has one request at a time."""
        now = self.a.federation.now
        self.patch(now, "_in_thread", lambda work: deferLater(self.pair.clock, 6.0, work))
        self.patch(self.a.prompt, "missed", lambda node, subjects: self.say(2))
        self.say(1)
        self.pump(6.5)
        self.patch(now, "_in_thread", lambda work: deferLater(self.pair.clock, 0.0, work))
        self.pump(7)
        self.assertEqual(self.heard(), [2])

    def test_what_is_lost_alone(self) -> None:
        """Of more than goes into a request it is heard which of it was lost, and the rest is told."""
        self.a.padding = "x" * 20_000
        self.say(*range(12))
        self.pump(0)
        self.pair.clock.advance(0)
        real = self.a.federation.now._request

        def slow(*asked: Any) -> "Deferred[Any]":
            answered: Deferred[Any] = real(*asked)
            return answered.addCallback(lambda it: deferLater(self.pair.clock, 2.6, lambda: it))

        self.patch(self.a.federation.now, "_request", slow)
        self.pump(9)
        missing = [int(str(name)[1:]) for _, name in self.a.prompt.missing]
        self.assertEqual(self.heard() + missing, [*range(12)])
        self.assertTrue(missing)
        self.assertEqual(self.a.prompt.changes, [])

    def test_tried_again_soon(self) -> None:
        """However long a node was away, who tells something at once waits no longer than a few seconds."""
        for away in (30, 650):
            self.pair.away.add(B)
            for second in range(away):
                self.a.pass_on(f"x{away}{second}", second)
                self.pair.clock.pump([0.1] * 10)
            self.pair.away.clear()
            self.assertEqual(self.a.pass_on(f"y{away}", 1), [False])
            self.pair.clock.advance(AGAIN)
            self.assertEqual(self.say(away), [True])
            self.pump(10 * DELAY)
            self.assertEqual(self.heard()[-1:], [away])

    def test_not_tried_all_the_time(self) -> None:
        """A node that is away is asked once in a few seconds, whatever it is to be told."""
        self.pair.away.add(B)
        before = self.requests()
        for value in range(600):
            self.say(value)
            self.pair.clock.pump([0.05] * 2)
        self.assertLessEqual(self.requests() - before, 60 / AGAIN)

    def test_tried_where_others_do_not_get_through(self) -> None:
        """So is one that cannot be told what is durable."""
        self.pair.answers[B] = Answer(503, b"{}")
        self.a.say("x", 1)
        self.pair.settle()
        self.pair.answers.clear()
        self.assertEqual(self.a.pass_on("s", 1), [False])
        self.assertEqual(self.say(1), [True])
        self.pump(10 * DELAY)
        self.assertEqual(self.heard(), [1])
