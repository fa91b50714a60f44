"""Calls from the telephone network that nobody takes at once: the voicemail does, or a device is woken."""

from typing import Any

from twisted.internet.defer import Deferred

from safeum_home.ports.carrier import CarrierEnd
from safeum_home.ports.push import Wake
from safeum_home.ports.voicemail import Unanswered
from tests.push_case import RecordedPushes
from tests.telephone_case import ANSWER, STRANGER, TelephoneCase, told


class VoicemailTests(TelephoneCase):
    def setUp(self) -> None:
        super().setUp()
        self.mailbox.takes = True

    def test_no_answer(self) -> None:
        """The voicemail answers, hears everything, and ends it; the devices are told."""
        call = self.ring()
        self.settle()
        self.advance(30)
        self.assertEqual(call.answers, ["voicemail"])
        self.assertEqual(told(self.ann), [("ended", "voicemail", 0)])
        call.take(None)
        call.press("5")
        self.advance(10)
        call.hang_up()
        self.assertEqual(self.mailbox.heard, ["answered", "5", CarrierEnd(200, 16, far=False)])
        self.assertEqual(self.cdr()[:5], ["10", "ANSWERED", "200", "16", "node"])
        self.assertEqual(self.missed(), [(STRANGER, True)])

    def test_declined(self) -> None:
        call = self.ring()
        [id] = self.ids()
        self.settle()
        self.ann.call("telephone.decline", call=id)
        call.take(None)
        self.assertEqual(told(self.phone), [("ended", "declined_elsewhere", 0)])
        self.assertEqual(self.ids(), [])
        call.end()
        self.assertEqual(self.mailbox.heard[-1], CarrierEnd(200, 16, far=True))

    def test_hung_up_is_declined(self) -> None:
        call = self.ring()
        [id] = self.ids()
        self.hang_up(self.ann, id)
        self.hang_up(self.ann, id)
        self.assertEqual((call.answers, call.over), (["voicemail"], False))
        call.end()

    def test_at_once(self) -> None:
        """By its own rule it rings nowhere."""
        self.mailbox.at_once = True
        call = self.ring()
        self.assertEqual((told(self.ann), self.mailbox.asked), ([], [Unanswered.ALWAYS]))
        call.take(None)
        call.end()
        self.assertEqual(self.missed(), [(STRANGER, True)])

    def test_given_up_before_it_takes(self) -> None:
        self.mailbox.held = Deferred()
        call = self.ring()
        self.advance(30)
        call.end(487)
        self.mailbox.held.callback(True)
        self.assertEqual(self.mailbox.heard, [CarrierEnd(487, 16, far=True)])
        self.assertEqual(self.missed(), [(STRANGER, False)])

    def test_answered_before_it_says_so(self) -> None:
        self.mailbox.held = Deferred()
        call = self.ring()
        self.advance(30)
        call.take(None)
        self.mailbox.held.callback(True)
        self.assertEqual(self.mailbox.heard, ["answered"])
        call.end()

    def test_too_late_to_answer(self) -> None:
        self.mailbox.held = Deferred()
        call = self.ring()
        [id] = self.ids()
        self.advance(30)
        self.denied("call_over", self.ann, "telephone.answer", call=id, sdp=ANSWER)
        self.mailbox.held.callback(False)
        self.assertEqual(call.declined, 480)


class SleepingTests(TelephoneCase):
    """Nobody is connected, and a device can be woken."""

    def setUp(self) -> None:
        self.pushes = RecordedPushes()
        super().setUp()

    def test_woken(self) -> None:
        self.ann.call("push.set", provider="apple", token="ann's", call_token="calls")
        self.sleep()
        call = self.ring()
        self.settle_quietly()
        self.assertEqual([handed.wake for handed in self.pushes.handed], [Wake.CALL])
        self.assertIsNone(call.declined)
        self.ann.resume(None)
        self.world.settle()
        id = self.incoming(self.ann)
        self.answer(self.ann, id)
        call.take(None)
        call.end()

    def test_missed(self) -> None:
        """Who sleeps is woken for what did not ring, too."""
        self.mailbox.at_once = True
        self.ann.call("push.set", provider="apple", token="ann's")
        self.sleep()
        self.assertEqual(self.ring().declined, 480)
        self.settle_quietly()
        self.assertEqual([handed.wake for handed in self.pushes.handed], [Wake.MESSAGE])

    def sleep(self) -> None:
        """Both have all that there is."""
        for device in (self.ann, self.phone):
            device.call("session.ack", cursor=self.world.cursor)
            device.drop()
        self.settle_quietly()

    def settle_quietly(self) -> None:
        self.world.clock.pump([0.5] * 4)

    def more(self) -> dict[str, Any]:
        return {"pushes": self.pushes}
