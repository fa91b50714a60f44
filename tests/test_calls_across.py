"""Calls across two nodes."""

from typing import Any

from safeum_home.calls.leg import AWAY_SECONDS
from safeum_home.protocol.call_types import LOST_SECONDS, RING_SECONDS
from tests.across_case import A, B, consent
from tests.calls_case import (
    CALL,
    FIRST,
    SECOND,
    CallsAcrossCase,
    alive,
    answer,
    call_id,
    hang_up,
    hello,
    invite,
    ring,
    say,
    told,
)
from tests.world import Refused


class Across(CallsAcrossCase):
    """What tests begin with."""

    def ringing(self, call: str = CALL) -> None:
        invite(self.alice, self.bob, call)
        self.carry()
        ring(self.bob, call)
        self.carry()
        self.forget_told()

    def active(self, call: str = CALL) -> None:
        self.ringing(call)
        answer(self.bob, call)
        self.carry()
        self.forget_told()

    def forget_told(self) -> None:
        self.alice.take()
        self.bob.take()

    def over(self) -> None:
        for world in self.nodes.worlds.values():
            self.no_legs(world)


class AcrossTests(Across):
    def test_a_call(self) -> None:
        """As within a node, but that what is said takes its time."""
        phone = self.nodes[B].login("bob")
        invite(self.alice, self.bob, media="video")
        self.carry()
        for device in (self.bob, phone):
            [event] = device.take("call.invited")
            about = event["params"]
            self.assertEqual((about["account"], about["device"]), (self.alice.account, self.alice.device))
            self.assertEqual((about["media"], about["hello"]), ("video", hello(self.alice)))
            ring(device)
        self.carry()
        self.assertEqual(told(self.alice), [("ringing", self.bob.device), ("ringing", phone.device)])
        say(self.alice, phone, "offer")
        say(phone, self.alice, "yes")
        self.carry()
        self.assertEqual(told(phone), [("signal", self.alice.device, "offer")])
        self.assertEqual(told(self.alice), [("signal", phone.device, "yes")])
        self.assertEqual(told(self.bob), [])
        answer(phone)
        self.assertEqual(told(self.bob), [("ended", "answered_elsewhere")])
        say(phone, self.alice, "quick")
        self.carry()
        expected = [("answered", phone.device), ("signal", phone.device, "quick")]
        self.assertEqual(told(self.alice), expected)
        self.carry(10)
        hang_up(self.alice)
        self.carry()
        self.assertEqual(told(phone), [("ended", "hangup")])
        self.quiet(self.alice, self.bob)
        self.over()
        self.assertEqual(self.times.seconds(self.alice), 10.25)

    def test_declined_and_given_up(self) -> None:
        for number, (who, method, other, reason) in enumerate(
            (
                (self.bob, "call.decline", self.alice, "declined"),
                (self.alice, "call.hangup", self.bob, "hangup"),
                (self.bob, "call.hangup", self.alice, "declined"),
            )
        ):
            call = call_id(number)
            self.ringing(call)
            who.call(method, call=call)
            self.carry()
            self.assertEqual(told(other), [("ended", reason)])
            self.quiet(who)
        self.over()

    def test_no_answer(self) -> None:
        self.ringing()
        self.carry(RING_SECONDS + 1)
        for client in (self.alice, self.bob):
            self.assertEqual(told(client), [("ended", "no_answer")])
        self.over()

    def test_answered_as_it_is_given_up(self) -> None:
        """The two cross each other: it is over for both."""
        self.ringing()
        answer(self.bob)
        hang_up(self.alice)
        self.carry()
        self.assertEqual(told(self.bob), [("ended", "hangup")])
        self.quiet(self.alice)
        self.over()

    def test_not_a_contact_there(self) -> None:
        """Who is a contact here, and not there, cannot be told from one who cannot be reached."""
        consent(self.bob, self.alice, accepts=False)
        invite(self.alice, self.bob)
        self.carry()
        self.assertEqual(told(self.alice), [("ended", "unreachable")])
        self.quiet(self.bob)
        self.over()

    def test_no_such_node(self) -> None:
        """It is known at once that it cannot be told."""
        self.patch(self.nodes.peers[A], "reaches", lambda node: False)
        invite(self.alice, self.bob)
        self.assertEqual(told(self.alice), [("ended", "unreachable")])
        self.over()

    def test_the_node_is_lost(self) -> None:
        """What rings is over on both sides; what goes on goes on."""
        self.ringing()
        self.nodes.away.add(B)
        for world in self.nodes.worlds.values():
            kind = world.domain.calls.kinds[0]
            kind.lost(A if world is self.nodes[B] else B)
        for client in (self.alice, self.bob):
            self.assertEqual(told(client), [("ended", "unreachable")])
        self.nodes.away.clear()
        self.over()
        self.active(SECOND)
        kind = self.nodes[A].domain.calls.kinds[0]
        kind.lost(B)
        self.quiet(self.alice, self.bob)
        hang_up(self.bob, SECOND)
        self.carry()
        self.assertEqual(told(self.alice), [("ended", "hangup")])
        self.over()

    def test_the_answer_is_lost(self) -> None:
        """Until the caller's half has said so it is not known that it was heard: then it is over."""
        self.ringing()
        answer(self.bob)
        kind = self.nodes[B].domain.calls.kinds[0]
        kind.lost(A)
        self.assertEqual(told(self.bob), [("ended", "unreachable")])
        self.carry()
        self.assertEqual(told(self.alice), [])
        self.carry(RING_SECONDS)
        self.assertEqual(told(self.alice), [("ended", "no_answer")])
        self.over()

    def test_the_caller_is_away(self) -> None:
        self.ringing()
        self.alice.drop()
        self.carry(AWAY_SECONDS + 0.5)
        self.assertEqual(told(self.bob), [("ended", "lost")])
        self.over()

    def test_not_in_contact_any_more(self) -> None:
        self.active()
        self.bob.call("contact.block", account=self.alice.account)
        self.assertEqual(told(self.bob), [("ended", "hangup")])
        self.carry()
        self.assertEqual(told(self.alice), [("ended", "hangup")])
        self.over()


class GlareTests(Across):
    """Both call each other, and what they say crosses on its way or does not."""

    def test_crossing(self) -> None:
        """In whichever order it is brought, the lower one goes on, and the other side is invited."""
        for first, second in ((A, B), (B, A)):
            for alices, bobs in ((1, 2), (2, 1)):
                with self.subTest(first=first, alices=alices):
                    self.meet(first, second, call_id(alices), call_id(bobs))
                    self.setUp()

    def meet(self, first: str, second: str, alices: str, bobs: str) -> None:
        invite(self.alice, self.bob, alices)
        invite(self.bob, self.alice, bobs)
        order = list(self.nodes.worlds.items())
        if first != order[0][0]:
            self.nodes.worlds = dict(reversed(order))
        self.carry()
        winner, loser = (self.alice, self.bob) if alices < bobs else (self.bob, self.alice)
        expected = [("ended", "replaced"), ("invited", winner.device)]
        self.assertEqual(told(loser), expected)
        self.quiet(winner)
        call = min(alices, bobs)
        ring(loser, call)
        answer(loser, call)
        self.carry()
        self.assertEqual(told(winner), [("ringing", loser.device), ("answered", loser.device)])
        hang_up(loser, call)
        self.carry()
        self.assertEqual(told(winner), [("ended", "hangup")])
        self.over()

    def test_one_after_the_other(self) -> None:
        """It rings already where the other one is begun."""
        for mine, theirs in ((FIRST, SECOND), (SECOND, FIRST)):
            invite(self.alice, self.bob, mine)
            self.carry()
            self.bob.take()
            invite(self.bob, self.alice, theirs)
            self.carry()
            if mine < theirs:
                self.assertEqual(told(self.bob), [("ended", "replaced")])
                self.quiet(self.alice)
                hang_up(self.alice, mine)
            else:
                self.assertEqual(told(self.bob), [("ended", "replaced")])
                self.assertEqual(told(self.alice), [("ended", "replaced"), ("invited", self.bob.device)])
                hang_up(self.bob, theirs)
            self.carry()
            self.forget_told()
            self.over()
            self.setUp()


class RestartTests(Across):
    """A node is started anew, and has forgotten what goes on."""

    def test_the_callees(self) -> None:
        """It hears of it from the device, tells the other node, and all works as before."""
        self.active()
        since = self.now
        self.restart(B)
        say(self.alice, self.bob, "nobody")
        self.carry()
        self.quiet(self.bob)
        alive(self.bob, self.alice, since)
        self.carry()
        self.speak()
        hang_up(self.bob)
        self.carry()
        self.assertEqual(told(self.alice), [("ended", "hangup")])
        self.over()

    def test_both(self) -> None:
        self.active()
        since = self.now
        self.restart(A)
        self.restart(B)
        alive(self.alice, self.bob, since)
        self.carry()
        alive(self.bob, self.alice, since)
        self.carry()
        self.speak()
        hang_up(self.alice)
        self.carry()
        self.assertEqual(told(self.bob), [("ended", "hangup")])
        self.over()

    def test_hung_up_meanwhile(self) -> None:
        """Who comes back to a call that the other has ended hears that."""
        self.active()
        since = self.now
        self.restart(B)
        hang_up(self.alice)
        self.carry()
        alive(self.bob, self.alice, since)
        self.carry()
        self.assertEqual(told(self.bob), [("ended", "hangup")])
        self.over()

    def test_hang_up_before_the_other_node_answers(self) -> None:
        """The device of the other is not known again yet: it hears it nevertheless."""
        self.active()
        self.restart(B)
        alive(self.bob, self.alice, self.now)
        hang_up(self.bob)
        self.carry()
        self.assertEqual(told(self.alice), [("ended", "hangup")])
        self.over()

    def test_while_it_rings(self) -> None:
        """The caller's device gives the same invitation again; who rings, and has answered, is told again."""
        for has_answered in (False, True):
            self.ringing()
            self.restart(A)
            if has_answered:
                answer(self.bob)
                self.assertEqual(told(self.bob), [])
            invite(self.alice, self.bob)
            self.carry()
            expected: list[Any] = [("ringing", self.bob.device)]
            self.assertEqual(told(self.alice), expected + [("answered", self.bob.device)] * has_answered)
            self.quiet(self.bob)
            hang_up(self.alice)
            self.carry()
            self.assertEqual(told(self.bob), [("ended", "hangup")])
            self.over()
            self.setUp()

    def test_while_it_rings_here(self) -> None:
        """The callee's node says that it is there again, is told of the call again, and it rings anew."""
        self.ringing()
        self.restart(B)
        self.assertRaises(Refused, answer, self.bob)
        kind = self.nodes[A].domain.calls.kinds[0]
        kind.back(B)
        self.carry()
        self.assertEqual(told(self.bob), [("invited", self.alice.device)])
        ring(self.bob)
        answer(self.bob)
        self.carry()
        self.assertEqual(told(self.alice), [("answered", self.bob.device)])
        kind.back(B)
        self.carry()
        self.speak()
        hang_up(self.alice)
        self.carry()
        self.assertEqual(told(self.bob), [("ended", "hangup")])
        self.over()

    def test_forgotten_by_the_caller(self) -> None:
        """The caller's node knows nothing of it any more: who answers is told."""
        self.ringing()
        self.restart(A)
        answer(self.bob)
        self.carry()
        self.assertEqual(told(self.bob), [("ended", "lost")])
        self.over()

    def test_silent_for_too_long(self) -> None:
        """Half a call is over for its node alone; the other one's hears nothing."""
        self.active()
        since = self.now
        for _ in range(int(LOST_SECONDS // 20) + 1):
            self.carry(20)
            alive(self.bob, self.alice, since)
        self.quiet(self.alice, self.bob)
        self.assertEqual(self.nodes[A].domain.calls.legs.count, 0)
        alive(self.alice, self.bob, since)
        self.carry()
        self.speak()
        hang_up(self.alice)
        self.carry()
        self.over()

    def restart(self, name: str) -> None:
        self.nodes.restart(name)
        if name == A:
            self.alice = self.back(self.alice)
        else:
            self.bob = self.back(self.bob)
        self.forget_told()

    def speak(self) -> None:
        say(self.alice, self.bob, "one")
        say(self.bob, self.alice, "two")
        self.carry()
        self.assertEqual(told(self.bob), [("signal", self.alice.device, "one")])
        self.assertEqual(told(self.alice), [("signal", self.bob.device, "two")])
