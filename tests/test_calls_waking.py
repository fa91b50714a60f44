"""A call wakes the devices that sleep, and those that it is of are not put to sleep."""

from safeum_home.protocol.call_types import RING_SECONDS
from tests.calls_case import FIRST, OTHER, answer, call_id, hang_up, invite, ring, told
from tests.push_case import CALL, WakingCase


class CallWakingTests(WakingCase):
    def test_woken(self) -> None:
        """It is told what rings when it comes, and for how much longer, and takes the call."""
        invite(self.alice, self.bob)
        self.assertEqual(self.woken(), [CALL])
        self.wait(10)
        self.bob.resume(self.bob.cursor)
        self.world.clock.advance(0)
        [event] = self.bob.take("call.invited")
        self.assertLess(event["params"]["seconds"], RING_SECONDS - 9)
        ring(self.bob)
        answer(self.bob)
        self.assertEqual(told(self.alice), [("ringing", self.bob.device), ("answered", self.bob.device)])
        hang_up(self.alice)
        self.assertEqual(self.woken(), [])

    def test_too_late(self) -> None:
        """Who comes when it is over hears nothing of it."""
        invite(self.alice, self.bob)
        self.assertEqual(self.woken(), [CALL])
        self.wait(RING_SECONDS + 1)
        self.bob.resume(self.bob.cursor)
        self.world.clock.advance(0)
        self.assertEqual(told(self.bob), [])
        self.assertEqual(told(self.alice), [("ended", "no_answer")])

    def test_over_at_once(self) -> None:
        """For a call that is over before it was looked who sleeps nobody is woken; for another one he is."""
        invite(self.alice, self.bob)
        hang_up(self.alice)
        self.assertEqual(self.woken(), [])
        invite(self.alice, self.bob, OTHER)
        hang_up(self.alice, OTHER)
        invite(self.alice, self.bob, FIRST)
        self.assertEqual(self.woken(), [CALL])

    def test_many_that_are_over(self) -> None:
        """However many there were before."""
        for number in range(200):
            invite(self.alice, self.bob, call_id(number))
            hang_up(self.alice, call_id(number))
        self.assertEqual(self.woken(), [])
