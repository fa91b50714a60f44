"""Calls from the telephone network by the SDK: they ring, and what comes of it."""

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.errors import RemoteProblem
from safeum_home.client.telephony.ending import Bill, TelephoneEnd
from safeum_home.client.telephony.telephone import MOST_CALLS
from safeum_home.errors import Code, Problem
from safeum_home.protocol.telephone_events import (
    TelephoneAnswered,
    TelephoneIncoming,
    TelephoneOver,
    TelephoneProgress,
)
from safeum_home.protocol.telephone_types import TelephoneEnded
from tests.client_double import FakeNode
from tests.sdk_telephone import (
    ACTIVE,
    CALLER,
    ID,
    OFFER,
    RINGING,
    FakeTelephoneSource,
    TelephoneCase,
)


class IncomingTests(TelephoneCase):
    def test_answer(self) -> None:
        """It rings; the offer is answered by this device alone; then it goes on."""
        self.ring()
        [call] = self.rang
        self.assertEqual((call.number, call.state, call.incoming), (CALLER, RINGING, True))
        self.assertEqual(self.source.links, [])
        call.answer()
        [answered] = self.params("telephone.answer")
        self.assertEqual(answered["call"], ID)
        self.assertIn("offer", answered["sdp"])  # of the double
        self.assertEqual((call.state, call.since), (ACTIVE, self.client._milliseconds()))
        with self.assertRaises(RemoteProblem):
            call.answer()
        self.wire.event(TelephoneOver(ID, TelephoneEnded.HANGUP, 200, 3))
        self.assertEqual((call.why, call.bill), (TelephoneEnd.HANGUP, Bill(3, 0, "")))

    def test_withheld(self) -> None:
        self.ring(None)
        self.assertIsNone(self.rang[0].number)

    def test_decline(self) -> None:
        """On all devices; to hang up what rings is the same."""
        for act in ("decline", "hang_up"):
            self.ring()
            getattr(self.rang[-1], act)()
            self.assertIs(self.rang[-1].why, TelephoneEnd.DECLINED)
            self.assertEqual(self.params("telephone.decline")[-1], {"call": ID})
        self.assertEqual(self.params("telephone.hangup"), [])

    def test_elsewhere(self) -> None:
        """Another device has taken it, or the voicemail has."""
        for reason in (TelephoneEnded.ANSWERED_ELSEWHERE, TelephoneEnded.VOICEMAIL):
            self.ring()
            self.wire.event(TelephoneOver(ID, reason))
            self.assertIs(self.rang[-1].why, TelephoneEnd.of(reason))

    def test_another_was_faster(self) -> None:
        """`call_over`: the node says which way it went, or it is lost."""
        self.wire.answers["telephone.answer"] = lambda params: Problem(Code.CALL_OVER)
        for told in (True, False):
            self.ring()
            self.rang[-1].answer()
            self.assertIsNone(self.rang[-1].since)
            if told:
                self.wire.event(TelephoneOver(ID, TelephoneEnded.ANSWERED_ELSEWHERE))
            self.node.clock.advance(5)
            end = TelephoneEnd.ANSWERED_ELSEWHERE if told else TelephoneEnd.LOST
            self.assertIs(self.rang[-1].why, end)

    def test_no_media(self) -> None:
        """What cannot be answered is hung up, which lets nobody wait."""
        self.source.broken = True
        self.ring()
        self.rang[0].answer()
        self.assertIs(self.rang[0].why, TelephoneEnd.FAILED)
        self.assertEqual(self.params("telephone.answer"), [])
        self.assertEqual(self.params("telephone.hangup"), [{"call": ID}])

    def test_rings_out(self) -> None:
        """Should the node say nothing, it does not ring for ever."""
        self.ring()
        self.node.clock.advance(30 + 15)
        self.assertIs(self.rang[0].why, TelephoneEnd.NO_ANSWER)
        self.assertEqual((self.params("telephone.decline"), self.params("telephone.hangup")), ([], []))

    def test_told_again(self) -> None:
        """After a reconnect it rings on: it is the same call."""
        self.ring()
        self.open = [{"call": ID, "direction": "in", "here": False, "number": CALLER, "since": None}]
        self.come_back()
        self.ring(seconds=12)
        self.assertEqual(len(self.rang), 1)
        self.assertIs(self.rang[0].state, RINGING)

    def test_answered_elsewhere_while_cut(self) -> None:
        self.ring()
        self.open = [{"call": ID, "direction": "in", "here": False, "number": CALLER, "since": 5}]
        self.come_back()
        self.assertIs(self.rang[0].why, TelephoneEnd.ANSWERED_ELSEWHERE)

    def test_closing_lets_it_ring(self) -> None:
        """A program that is closed declines nothing."""
        self.ring()
        wire = self.wire
        self.client.close()
        self.assertIs(self.rang[0].why, TelephoneEnd.CLOSED)
        self.assertNotIn("telephone.decline", wire.methods())
        self.assertNotIn("telephone.hangup", wire.methods())

    def test_many(self) -> None:
        """A node that has everybody ring is not followed without end."""
        for number in range(MOST_CALLS + 3):
            self.ring(call=f"{number:022d}")
        self.assertEqual(len(self.rang), MOST_CALLS)

    def test_listener_later(self) -> None:
        """Who begins to listen is told of what rings already; and no more once that was ended."""
        self.ring()
        late: list[object] = []
        stop = self.telephone.on_call(late.append)
        self.assertEqual(late, self.rang)
        stop()
        self.ring(call="d" * 22)
        self.assertEqual(len(late), 1)

    def test_unknown_calls(self) -> None:
        """Events of calls that this device does not know are left alone."""
        for event in (TelephoneProgress(ID), TelephoneAnswered(ID), TelephoneOver(ID, TelephoneEnded.BUSY)):
            self.wire.event(event)
        self.assertEqual(self.telephone.calls, [])


class EarlyTests(SynchronousTestCase):
    def test_rings_before_it_is_taken(self) -> None:
        """A program that was woken for a call may log in first; what is over by then does not ring."""
        node = FakeNode()
        wire = node.login()
        for call in (ID, "d" * 22, "e" * 22):
            wire.event(TelephoneIncoming(call, OFFER, 5.0 if call == "e" * 22 else 30.0, CALLER))
        wire.event(TelephoneOver("d" * 22, TelephoneEnded.HANGUP))
        node.clock.advance(10)
        telephone = node.client.take_telephone(FakeTelephoneSource())
        self.assertEqual([call.id for call in telephone.calls], [ID])
        self.assertIs(node.client.telephone, telephone)
        with self.assertRaises(RemoteProblem):
            node.client.take_telephone(FakeTelephoneSource())
        node.client.close()
