"""How often it may ring for somebody, whoever calls; and who has no part in what others do."""

from safeum_home.protocol.call_types import Ended
from safeum_home.protocol.federation.calls import End
from tests.across_case import A, B, befriend_across
from tests.calls_case import (
    CALL,
    FIRST,
    SECOND,
    THIRD,
    CallsAcrossCase,
    CallsCase,
    alive,
    answer,
    call_id,
    hang_up,
    invite,
    ring,
    say,
    told,
)
from tests.foreign_calls import ForeignCalls

LIMITS = {
    "call_rings_per_caller": 0.05,
    "call_rings_per_caller_burst": 6,
    "call_rings_per_account": 0.5,
    "call_rings_per_account_burst": 10,
}


class HereTests(CallsCase):
    limits = LIMITS

    def rings(self, times: int, name: str = "call") -> int:
        """How often it rings for Bob, whom Alice calls again and again."""
        for number in range(times):
            invite(self.alice, self.bob, call_id((name, number)))
            hang_up(self.alice, call_id((name, number)))
        return sum(event[0] == "invited" for event in told(self.bob))

    def test_again_and_again(self) -> None:
        """Six times, then once in twenty seconds; else it is busy. Whom it rings for is as it was."""
        self.assertEqual(self.rings(30), 6)
        self.assertEqual(told(self.alice).count(("ended", "busy")), 24)
        for minute in range(3):
            for second in range(60):
                self.advance(1)
                self.rings(1, f"{minute} {second}")
        self.advance(20)
        self.assertEqual(self.rings(5, "later"), 1)
        invite(self.bob, self.alice, CALL)
        self.assertEqual(told(self.alice)[-1:], [("invited", self.bob.device)])

    def test_one_is_in_nobodys_way(self) -> None:
        """Who calls all the time does not keep others from calling."""
        self.world.befriend(self.carol, self.bob)
        self.rings(30)
        invite(self.carol, self.bob)
        self.assertEqual(told(self.bob), [("invited", self.carol.device)])

    def test_many(self) -> None:
        """All together ten times, then once in two seconds."""
        rung = 0
        for number in range(4):
            friend = self.world.register(f"friend{number}")
            self.world.befriend(friend, self.bob)
            for each in range(5):
                invite(friend, self.bob, call_id((number, each)))
                hang_up(friend, call_id((number, each)))
            rung += sum(event[0] == "invited" for event in told(self.bob))
        self.assertEqual(rung, 10)

    def test_changed(self) -> None:
        """Other limits hold at once."""
        live = self.world.domain.control.limits
        live.set("call_rings_per_caller_burst", "2")
        self.assertEqual(self.rings(5), 2)
        live.set("call_rings_per_caller", "1")
        self.advance(2)
        self.assertEqual(self.rings(5, "then"), 2)


class ThereTests(ForeignCalls):
    """A contact at a node that does as it likes."""

    options = LIMITS | {
        "call_invites_per_account": 0.2,
        "call_invites_per_account_burst": 30,
        "call_invites_per_node": 0.01,
        "call_invites_per_node_burst": 100,
    }

    def test_again_and_again(self) -> None:
        rings = 0
        for second in range(60):
            for number in range(120 if second == 0 else 20):
                call = call_id((second, number))
                self.says(self.invited(call))
                self.says(End(call, self.alice.account, Ended.HANGUP))
            self.nodes[A].clock.advance(1)
            self.nodes.told_now.clear()
            rings += sum(event[0] == "invited" for event in told(self.alice))
        self.assertLessEqual(rings, 6 + 3)

    def test_one_of_a_node(self) -> None:
        """Others of its node call as before: also who is no contact takes nothing from them."""
        carl = self.nodes[B].register("carl")
        for number in range(200):
            for sender in (self.bob, carl):
                self.says(self.invited(call_id((number, sender.device))), sender)
        self.alice.take()
        self.heard()
        bea = self.nodes[B].register("bea")
        befriend_across(self.alice, bea)
        self.alice.take()
        for number in range(6):
            self.says(End(call_id((number, self.bob.device)), self.alice.account, Ended.HANGUP))
        self.alice.take()
        self.says(self.invited(CALL, device=bea.device), bea)
        self.assertEqual(told(self.alice), [("invited", bea.device)])


class CrossingTests(CallsAcrossCase):
    """Both call each other while as much rings for one of them as may."""

    options = {"calls_ringing": 1}

    def setUp(self) -> None:
        super().setUp()
        self.amy = self.nodes[A].register("amy")
        self.nodes[A].befriend(self.alice, self.amy)
        invite(self.amy, self.alice, THIRD)
        self.alice.take()

    def test_across(self) -> None:
        """One of the two calls goes on, whoever's it is, and whether or not they cross."""
        for alices, bobs in ((FIRST, SECOND), (SECOND, FIRST)):
            for step in (0, 0.5):
                with self.subTest(alices=alices, step=step):
                    invite(self.alice, self.bob, alices)
                    self.carry(step)
                    self.bob.take()
                    invite(self.bob, self.alice, bobs)
                    self.carry(2)
                    winner, loser = (self.alice, self.bob) if alices < bobs else (self.bob, self.alice)
                    self.assertIn(("ended", "replaced"), told(loser))
                    self.assertNotIn(("ended", "busy"), told(winner))
                    ring(loser, FIRST)
                    answer(loser, FIRST)
                    self.carry(2)
                    self.assertEqual([each[0] for each in told(winner)], ["ringing", "answered"])
                    self.tearDown()
                    self.setUp()

    def test_here(self) -> None:
        """At one node it is the same."""
        zoe = self.nodes[A].register("zoe")
        self.nodes[A].befriend(self.alice, zoe)
        self.alice.take()
        invite(self.alice, zoe, SECOND)
        told(zoe)
        invite(zoe, self.alice, FIRST)
        self.assertEqual(told(self.alice), [("ended", "replaced"), ("invited", zoe.device)])
        self.assertEqual(told(zoe), [("ended", "replaced")])
        ring(self.alice, FIRST)
        answer(self.alice, FIRST)
        self.assertEqual(told(zoe), [("ringing", self.alice.device), ("answered", self.alice.device)])


class TakenTests(CallsAcrossCase):
    """That the caller's node knows who has answered is lost on its way."""

    def setUp(self) -> None:
        super().setUp()
        invite(self.alice, self.bob)
        self.carry()
        ring(self.bob)
        self.carry()
        answer(self.bob)
        self.nodes.now(0.25)  # the answer gets to A
        self.nodes.peers[A].passing.clear()
        for client in (self.alice, self.bob):
            client.take()

    def test_signals(self) -> None:
        """What the caller's device says shows it too."""
        say(self.alice, self.bob, "x")
        self.carry()
        self.goes_on()

    def test_alive(self) -> None:
        """Else it is asked again, as long as it is not known."""
        alive(self.bob, self.alice, 0)
        self.carry()
        self.goes_on()

    def goes_on(self) -> None:
        self.nodes[B].domain.calls.kinds[0].lost(A)
        self.assertEqual([each for each in told(self.bob) if each[0] == "ended"], [])
        hang_up(self.alice)
        self.carry()
        self.assertEqual(told(self.bob), [("ended", "hangup")])

    def test_neither(self) -> None:
        """Without either it is not known, and over where its node cannot be told."""
        self.nodes[B].domain.calls.kinds[0].lost(A)
        self.assertEqual(told(self.bob), [("ended", "unreachable")])
