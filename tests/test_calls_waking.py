"""A call wakes the devices that sleep, and those that it is of are not put to sleep."""

from safeum_home.protocol.call_types import RING_SECONDS
from tests.calls_case import answer, hang_up, invite, ring, told
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
