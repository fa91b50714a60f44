"""Calls to the telephone network by the SDK: what a node is asked, and what comes of what it says."""

from functools import partial
from typing import Any

from safeum_home.client.calling.media import Flow
from safeum_home.client.errors import NoMedia, RemoteProblem
from safeum_home.client.telephony.call import BILLED, TelephoneCallBilled
from safeum_home.client.telephony.ending import Bill, TelephoneEnd
from safeum_home.client.telephony.telephone import MOST_CALLS
from safeum_home.errors import Code, Problem
from safeum_home.protocol.telephone_events import (
    TelephoneAnswered,
    TelephoneKeys,
    TelephoneOver,
    TelephonePaid,
    TelephoneProgress,
)
from safeum_home.protocol.telephone_types import TelephoneEnded
from tests.sdk_telephone import (
    ACTIVE,
    ANSWER,
    CALLING,
    CLI,
    CONNECTING,
    ENDED,
    NUMBER,
    RINGING,
    TelephoneCase,
)


class OutgoingTests(TelephoneCase):
    def test_call(self) -> None:
        """Dialled with an offer; it rings, is answered, goes on, and ends with what it has cost."""
        call = self.dial()
        [dialled] = self.params("telephone.dial")
        self.assertEqual((dialled["call"], dialled["to"]), (call.id, NUMBER))
        self.assertIn("offer", dialled["sdp"])
        self.assertEqual((call.cli, call.paid, call.number, call.state), (CLI, 60, NUMBER, CALLING))
        self.assertTrue(call.is_open)
        self.assertFalse(hasattr(call, "words"))
        self.wire.event(TelephoneProgress(call.id))
        self.assertEqual((call.state, call.early), (RINGING, False))
        self.node.clock.advance(5)
        self.wire.event(TelephoneAnswered(call.id, ANSWER))
        self.assertEqual((call.state, call.since), (ACTIVE, self.client._milliseconds()))
        self.wire.event(TelephonePaid(call.id, 120, last=True))
        self.assertEqual((call.paid, call.ends), (120, True))
        self.wire.event(TelephoneOver(call.id, TelephoneEnded.NO_BALANCE, 200, 120, 28_000, "EUR"))
        self.assertEqual((call.state, call.why), (ENDED, TelephoneEnd.NO_BALANCE))
        self.assertEqual(call.bill, Bill(120, 28_000, "EUR"))
        self.assertEqual(self.states(), [RINGING, ACTIVE, ENDED])
        self.assertEqual(self.params("telephone.hangup"), [])
        self.assertTrue(self.source.links[0].closed)

    def test_early_media(self) -> None:
        """What the network says before the answer is heard; the answer brings no second description."""
        call = self.dial()
        self.wire.event(TelephoneProgress(call.id, ANSWER))
        self.assertEqual((call.state, call.early, call.since), (RINGING, True, None))
        self.assertIs(self.source.links[0].flow, Flow.CONNECTED)
        self.wire.event(TelephoneAnswered(call.id))
        self.assertEqual((call.state, call.early), (ACTIVE, False))

    def test_second_description(self) -> None:
        """Only the first one counts: what would be refused is not even looked at."""
        call = self.dial()
        self.wire.event(TelephoneProgress(call.id, ANSWER))
        self.wire.event(TelephoneAnswered(call.id, "v=0\r\nanother"))
        self.assertIs(call.state, ACTIVE)

    def test_bad_description(self) -> None:
        """A bridge that says nothing that can be used: it is hung up."""
        call = self.dial()
        self.wire.event(TelephoneAnswered(call.id, "v=0\r\nanother"))
        self.assertEqual((call.state, call.why), (ENDED, TelephoneEnd.FAILED))
        self.assertEqual(self.params("telephone.hangup"), [{"call": call.id}])

    def test_hang_up(self) -> None:
        """At any time; the node is told once."""
        for answered in (False, True):
            call = self.dial()
            if answered:
                self.wire.event(TelephoneAnswered(call.id, ANSWER))
            call.hang_up()
            call.hang_up()
            self.assertIsNone(call.bill)
            self.wire.event(TelephoneOver(call.id, TelephoneEnded.LOST))
            self.assertEqual((call.state, call.why), (ENDED, TelephoneEnd.HANGUP))
            self.assertEqual(self.params("telephone.hangup")[-1], {"call": call.id})
        self.assertEqual(len(self.params("telephone.hangup")), 2)

    def test_cost_of_one_hung_up(self) -> None:
        """The node says it a moment later; what comes of it then changes nothing else."""
        call = self.dial()
        self.wire.event(TelephoneAnswered(call.id, ANSWER))
        before, heard = call.billed(), list[object]()
        self.client.listen(heard.append)
        call.hang_up()
        self.assertEqual((call.bill, self.telephone.calls), (None, []))
        after = call.billed()
        self.assertNoResult(before)
        self.wire.event(TelephonePaid(call.id, 120, last=True))
        for amount in (28_000, 1):
            self.wire.event(TelephoneOver(call.id, TelephoneEnded.HANGUP, 200, 12, amount, "EUR"))
        bill = Bill(12, 28_000, "EUR")
        self.assertEqual([self.result(each) for each in (before, after, call.billed())], [bill] * 3)
        self.assertEqual((call.why, call.sip, call.ends), (TelephoneEnd.HANGUP, 200, False))
        told = [each.call for each in heard if isinstance(each, TelephoneCallBilled)]
        self.assertEqual(told, [call])

    def test_cost_is_not_said(self) -> None:
        """It is waited for so long, for so many calls, and not where the node knows nothing of it."""
        call = self.dial()
        call.hang_up()
        billed = call.billed()
        self.node.clock.advance(BILLED)
        self.assertIsNone(self.result(billed))
        self.wire.event(TelephoneOver(call.id, TelephoneEnded.HANGUP, 200, 12, 28_000, "EUR"))
        self.assertIsNone(call.bill)
        waiting = []
        for _ in range(MOST_CALLS + 1):
            call = self.dial()
            waiting.append(call.billed())
            call.hang_up()
        self.assertIsNone(self.result(waiting[0]))
        self.assertNoResult(waiting[1])
        self.wire.answers["telephone.hangup"] = partial(_refused, Code.NOT_FOUND)
        call = self.dial()
        call.hang_up()
        self.assertIsNone(self.result(call.billed()))
        self.client.close()
        self.assertIsNone(self.result(waiting[-1]))

    def test_refused(self) -> None:
        """With the node's code; nothing is left of the call, and it is not hung up: it never was."""
        for code in (Code.NO_BALANCE, Code.DESTINATION_REFUSED, Code.CARRIER_UNAVAILABLE, Code.BUSY):
            self.wire.answers["telephone.dial"] = partial(_refused, code)
            failure = self.failureResultOf(self.dialling(), RemoteProblem)
            self.assertTrue(failure.value.of(code))
            self.assertEqual(self.telephone.calls, [])
        self.assertEqual(self.params("telephone.hangup"), [])

    def test_over_before_the_answer_to_dial(self) -> None:
        """A carrier may be faster than the node's answer."""
        del self.wire.answers["telephone.dial"]
        dialling = self.dialling()
        [request] = self.wire.of("telephone.dial")
        self.wire.event(TelephoneOver(request["params"]["call"], TelephoneEnded.BUSY, 486))
        self.wire.reply(request, {"cli": CLI, "seconds": 60})
        call = self.successResultOf(dialling)
        self.assertEqual((call.state, call.why, call.sip), (ENDED, TelephoneEnd.BUSY, 486))

    def test_given_up(self) -> None:
        """Who does not wait for the answer to `telephone.dial` hangs up."""
        del self.wire.answers["telephone.dial"]
        dialling = self.dialling()
        [request] = self.wire.of("telephone.dial")
        dialling.cancel()
        self.failureResultOf(dialling)
        self.assertEqual(self.params("telephone.hangup"), [{"call": request["params"]["call"]}])

    def test_no_media(self) -> None:
        """Nothing is dialled where this side cannot be described."""
        self.source.broken = True
        self.failureResultOf(self.dialling(), NoMedia)
        self.assertEqual((self.params("telephone.dial"), self.params("telephone.hangup")), ([], []))
        self.assertEqual(self.telephone.calls, [])

    def test_too_many(self) -> None:
        """This side has a bound of its own."""
        for _ in range(MOST_CALLS):
            self.dial()
        failure = self.failureResultOf(self.dialling(), RemoteProblem)
        self.assertTrue(failure.value.of(Code.LIMIT_REACHED))

    def test_keys(self) -> None:
        """Pressed once it is answered; those of the other side are to be seen."""
        call = self.dial()
        with self.assertRaises(RemoteProblem) as early:
            call.press("1")
        self.assertTrue(early.exception.of(Code.WRONG_CALL_STATE))
        self.wire.event(TelephoneAnswered(call.id, ANSWER))
        self.result(call.press("12#*A"))
        self.assertEqual(self.params("telephone.dtmf"), [{"call": call.id, "digits": "12#*A"}])
        for wrong in ("", "x", "1 2", "a", "1" * 33):
            with self.assertRaises(RemoteProblem) as bad:
                call.press(wrong)
            self.assertTrue(bad.exception.of(Code.INVALID_PARAMS))
        self.wire.event(TelephoneKeys(call.id, "5"))
        self.wire.event(TelephoneKeys(call.id, "#"))
        self.assertEqual(call.keys, "5#")
        call.hang_up()
        with self.assertRaises(RemoteProblem) as late:
            call.press("1")
        self.assertTrue(late.exception.of(Code.CALL_OVER))

    def test_mute(self) -> None:
        """Before there is a link, and afterwards."""
        call = self.dial()
        call.mute()
        self.assertEqual(self.source.links[0].sends, (False, False))
        call.mute(False)
        self.assertEqual((self.source.links[0].sends[0], call.muted), (True, False))

    def test_sound_breaks_down(self) -> None:
        """It is hung up: nothing mends it, and it costs money."""
        call = self.dial()
        self.wire.event(TelephoneAnswered(call.id, ANSWER))
        self.source.links[0].set(Flow.FAILED)
        self.assertEqual((call.state, call.why), (ENDED, TelephoneEnd.FAILED))
        self.assertEqual(self.params("telephone.hangup"), [{"call": call.id}])

    def test_bridge_closes(self) -> None:
        """It does so when the other side hangs up: the node says why; else it is lost."""
        for told in (True, False):
            call = self.dial()
            self.wire.event(TelephoneAnswered(call.id, ANSWER))
            self.source.links[-1].set(Flow.CLOSED)
            self.assertIs(call.state, ACTIVE)
            if told:
                self.wire.event(TelephoneOver(call.id, TelephoneEnded.HANGUP, 200, 8, 1_000, "EUR"))
            else:
                self.node.clock.advance(5)
            self.assertIs(call.why, TelephoneEnd.HANGUP if told else TelephoneEnd.LOST)
            self.assertEqual(len(self.params("telephone.hangup")), 0 if told else 1)

    def test_wait(self) -> None:
        """For a state; or its end."""
        call = self.dial()
        active: Any = call.reached(ACTIVE)
        self.assertNoResult(active)
        self.wire.event(TelephoneAnswered(call.id, ANSWER))
        self.assertIs(self.successResultOf(active), ACTIVE)
        ended: Any = call.reached(ENDED)
        call.hang_up()
        self.assertIs(self.successResultOf(ended), ENDED)

    def test_cut_while_it_goes_on(self) -> None:
        """Sound goes on; on coming back the node is asked, and knows it."""
        call = self.dial()
        self.wire.event(TelephoneAnswered(call.id, ANSWER))
        since = call.since
        self.open = [{"call": call.id, "direction": "out", "here": True, "number": NUMBER, "since": since}]
        self.come_back()
        self.assertEqual(self.wire.methods().count("telephone.list"), 1)
        self.assertEqual((call.state, call.since), (ACTIVE, since))
        self.assertFalse(self.source.links[0].closed)

    def test_over_while_cut(self) -> None:
        """The node knows it no more: it says why for a minute, else it is lost."""
        for told in (True, False):
            call = self.dial()
            self.wire.event(TelephoneAnswered(call.id, ANSWER))
            self.come_back()
            self.assertIs(call.state, ACTIVE)
            if told:
                self.wire.event(TelephoneOver(call.id, TelephoneEnded.TIME_OVER, 200, 7200, 1, "EUR"))
            self.node.clock.advance(5)
            self.assertIs(call.why, TelephoneEnd.TIME_OVER if told else TelephoneEnd.LOST)
            self.assertTrue(self.source.links[-1].closed)

    def test_answered_while_cut(self) -> None:
        """The node says again what it has said; should it not, nothing could be heard, and it is hung up."""
        for early, again in ((True, False), (False, True), (False, False)):
            call = self.dial()
            self.wire.event(TelephoneProgress(call.id, ANSWER if early else None))
            self.open = [{"call": call.id, "direction": "out", "here": True, "number": NUMBER, "since": 7}]
            self.come_back()
            self.assertEqual((call.state, call.since), (ACTIVE if early else CONNECTING, 7))
            if again:
                self.wire.event(TelephoneAnswered(call.id, ANSWER))
            self.node.clock.advance(5)
            if early or again:
                self.assertEqual((call.state, call.since), (ACTIVE, 7))
                call.hang_up()
            self.assertIs(call.why, TelephoneEnd.HANGUP if early or again else TelephoneEnd.FAILED)
            self.assertEqual(self.params("telephone.hangup")[-1], {"call": call.id})

    def test_dialled_while_cut(self) -> None:
        """`telephone.dial` is given again on the next connection: the same call."""
        del self.wire.answers["telephone.dial"]
        dialling = self.dialling()
        [first] = self.params("telephone.dial")
        self.come_back()
        self.assertEqual(self.params("telephone.dial"), [first])
        call = self.successResultOf(dialling)
        self.assertIs(call.state, CALLING)


class RelayTests(TelephoneCase):
    """Nothing but a relay may be used."""

    relay_only = True

    def test_without(self) -> None:
        """Where the node has none, nobody is dialled."""
        self.failureResultOf(self.dialling(), NoMedia)
        self.assertEqual(self.source.links, [])

    def test_with(self) -> None:
        self.relay = {"urls": ["turn:relay.test"], "username": "u", "password": "p", "until": 2**50}
        self.dial()
        [link] = self.source.links
        self.assertEqual(link.options, {"relay_only": True})
        self.assertEqual([relay.urls for relay in link.relays], [("turn:relay.test",)])
        self.assertNotIn("'p'", repr(link.relays))


def _refused(code: Code, _params: object) -> Problem:
    return Problem(code)
