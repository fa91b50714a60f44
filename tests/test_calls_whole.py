"""A call of two whole nodes: signed, put into requests, and given to the other's site octet for octet."""

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.calls import across
from safeum_home.protocol.call_types import MOST_SIGNAL
from tests.across_case import A, B, befriend_across
from tests.calls_case import OTHER, answer, call_id, hang_up, invite, ring, say, told
from tests.federated import DELAY, Pair
from tests.world import World

ROUND = 50 * DELAY
"""Seconds in which what is said is told."""


class WholeCallTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.pair = Pair(A, B)
        self.worlds: dict[str, World] = {}
        for name in (A, B):
            node = self.pair[name]
            world = World(node.database, node.vault, node=name, peers=node.federation, clock=self.pair.clock)
            domain = world.domain
            node.federation.connect(domain.shared, domain.answers, expiring=domain.expiring)
            self.worlds[name] = world
        self.alice, self.bob = self.worlds[A].register("alice"), self.worlds[B].register("bob")
        befriend_across(self.alice, self.bob)
        self.pair.settle()
        self.alice.take()
        self.bob.take()

    def pass_by(self, seconds: float = ROUND) -> None:
        self.pair.clock.pump([DELAY] * round(seconds / DELAY))

    def ringing(self) -> None:
        invite(self.alice, self.bob)
        self.pass_by()
        self.assertEqual(told(self.bob), [("invited", self.alice.device)])
        ring(self.bob)
        self.pass_by()
        self.assertEqual(told(self.alice), [("ringing", self.bob.device)])

    def test_a_call(self) -> None:
        """Each step is told at once, and signals as they were given, however long they are."""
        self.ringing()
        answer(self.bob)
        self.pass_by()
        self.assertEqual(told(self.alice), [("answered", self.bob.device)])
        signals = [f"{number:03}".ljust(MOST_SIGNAL if number % 3 else 8, "x") for number in range(15)]
        for signal in signals:
            say(self.alice, self.bob, signal)
            say(self.bob, self.alice, signal)
        self.pair.settle()
        self.assertEqual(told(self.bob), [("signal", self.alice.device, signal) for signal in signals])
        self.assertEqual(told(self.alice), [("signal", self.bob.device, signal) for signal in signals])
        hang_up(self.bob)
        self.pair.settle()
        self.assertEqual(told(self.alice), [("ended", "hangup")])
        for world in self.worlds.values():
            self.assertEqual(world.domain.calls.legs.count, 0)

    def test_away(self) -> None:
        """A node that is not there: it is known as soon as it is tried, and at once the next time."""
        self.pair.away.add(B)
        invite(self.alice, self.bob)
        self.assertEqual(told(self.alice), [])
        self.pass_by()
        self.assertEqual(told(self.alice), [("ended", "unreachable")])
        invite(self.alice, self.bob, OTHER)
        self.assertEqual(told(self.alice), [("ended", "unreachable")])
        self.pair.away.clear()
        self.pair.settle(60)
        invite(self.alice, self.bob, call_id("later"))
        self.pass_by()
        self.assertEqual(told(self.bob), [("invited", self.alice.device)])
        hang_up(self.alice, call_id("later"))
        self.pass_by()

    def test_away_while_it_rings(self) -> None:
        """The caller hears at once that it is over, the callee when it has rung for long enough."""
        self.ringing()
        self.pair.away.add(B)
        say(self.alice, self.bob, "x")
        self.pass_by()
        self.assertEqual(told(self.alice), [("ended", "unreachable")])
        self.pair.settle(60)
        self.assertEqual(told(self.bob), [("ended", "no_answer")])

    def test_slow(self) -> None:
        """A node that does not answer for too long: it may ring there nevertheless, but not for ever."""
        self.pair.mute.add(B)
        invite(self.alice, self.bob)
        self.pair.settle(across.LIVES)
        self.pair.mute.clear()
        self.assertEqual(told(self.alice), [("ended", "unreachable")])
        ring(self.bob)
        answer(self.bob)
        self.pair.settle()
        self.assertEqual(told(self.bob), [("invited", self.alice.device), ("ended", "unreachable")])
