"""Calls through Janus, each with what Janus says of it."""

from typing import Any

from bridges.safenum.janus.call import TAKING_NOTE
from bridges.safenum.janus.numbers import number
from safeum_home.errors import Code
from safeum_home.ports.carrier import (
    NETWORK_DOWN,
    NO_CIRCUIT,
    CarrierEnd,
    CarrierLost,
    Incoming,
)
from tests.janus_case import APP, BRIDGE, OURS, THEIRS, Ear, JanusCase, told


class OutgoingTests(JanusCase):
    def test_answered(self) -> None:
        """It rings, is taken, and ended at the other side, with a cause."""
        call, ear, handle = self.dial()
        [asked] = self.janus.bodies("call")
        self.assertEqual(
            asked["body"],
            {
                "request": "call",
                "uri": f"sip:{THEIRS}@edge.invalid",
                "call_id": call.reference,
                "headers": {"X-SafeNUM-From": OURS},
            },
        )
        self.assertEqual(told(asked["jsep"])[0], "offer")
        self.assertEqual(self.carrier.lines, (1, 3))
        self.tell(handle, call, "calling")
        self.tell(handle, call, "ringing")
        self.tell(handle, call, "proceeding", code=180)
        self.tell(handle, call, "progress", jsep=BRIDGE)
        self.tell(handle, call, "accepted")
        reason = {"reason_header_protocol": "Q.850", "reason_header_cause": "16"}
        self.tell(handle, call, "hangup", code=200, reason="Session Terminated", **reason)
        end = CarrierEnd(200, 16, far=True)
        self.assertEqual(ear.told, [("progress", None), ("progress", BRIDGE), ("answered", None), end])
        self.quiet(handle)
        self.assertEqual(self.carrier.lines, (0, 3))

    def test_refused(self) -> None:
        """With the code of the carrier."""
        for code in (404, 486, 503, 603):
            call, ear, handle = self.dial()
            self.tell(handle, call, "hangup", code=code)
            self.assertEqual(ear.end, CarrierEnd(code))
            self.quiet(handle)

    def test_hung_up(self) -> None:
        """From this side, before the answer and after it: Janus says when it is over."""
        call, ear, handle = self.dial()
        call.hang_up()
        call.hang_up()
        self.janus.pump()
        self.assertEqual((len(self.janus.bodies("hangup")), ear.told), (1, []))
        self.tell(handle, call, "ringing")
        self.tell(handle, call, "hangup", code=487)
        self.assertEqual(ear.told, [CarrierEnd(487, far=False)])
        self.quiet(handle)
        call, ear, handle = self.talk()
        call.hang_up()
        self.tell(handle, call, "hangup", code=200)
        self.assertEqual(ear.end, CarrierEnd(200, far=False))

    def test_crossed(self) -> None:
        """It is answered while it is hung up: nothing but the end is told, which says so."""
        call, ear, handle = self.dial()
        call.hang_up()
        self.tell(handle, call, "accepted", jsep=BRIDGE)
        self.tell(handle, call, "hangup", code=487)
        self.assertEqual(ear.told, [CarrierEnd(200, far=False)])

    def test_no_line(self) -> None:
        """All are taken, or there is none."""
        for _ in range(3):
            self.dial()
        lost = self.assertRaises(CarrierLost, self.dial)
        self.assertIs(lost.code, Code.BUSY)
        self.janus.cut()
        lost = self.assertRaises(CarrierLost, self.dial)
        self.assertIs(lost.code, Code.CARRIER_UNAVAILABLE)

    def test_nobody_answers(self) -> None:
        """It is ended, if nobody else ends it."""
        call, ear, handle = self.dial()
        self.tell(handle, call, "ringing")
        self.advance(181)
        self.assertEqual(len(self.janus.bodies("hangup")), 1)
        self.tell(handle, call, "hangup", code=487)
        self.assertEqual(ear.end, CarrierEnd(487, 19, far=False))

    def test_crossed_with_one_that_comes_in(self) -> None:
        """Janus has given the line to somebody who calls: that is declined, and ours goes over another."""
        call, ear, handle = self.dial()
        first = self.janus.bodies("call")[-1]
        self.comes(handle)
        self.assertEqual(self.declined(), 486)
        self.assertEqual(self.desk.calls, [])
        self.refuse(first)
        second = self.janus.bodies("call")[-1]
        self.assertNotEqual(second["handle_id"], handle)
        self.assertEqual(second["body"], first["body"])
        self.tell(second["handle_id"], call, "accepted", jsep=BRIDGE)
        self.assertEqual(ear.told, [("answered", BRIDGE)])

    def test_crossed_with_two_that_come_in(self) -> None:
        """The first has given up before it is declined: who calls then is not declined in its place."""
        _, _, handle = self.dial()
        first = self.janus.bodies("call")[-1]
        self.comes(handle)
        self.refuse(first)
        self.tell(handle, "in-1", "hangup", code=487)
        self.comes(handle, "in-2")
        self.advance(1)
        self.assertEqual(self.janus.bodies("decline"), [])
        self.assertEqual(len(self.desk.calls), 1)

    def refuse(self, request: dict[str, Any]) -> None:
        """The plugin does not do it."""
        data = {"sip": "event", "error_code": 447, "error": "Wrong state"}
        self.janus.core(
            request["handle_id"], "event", transaction=request["transaction"], plugindata={"data": data}
        )
        self.janus.pump()

    def test_all_lines_lost_to_callers(self) -> None:
        """It is tried on each line once, and ended where none takes it. That is no fault of Janus."""
        _, ear, _ = self.dial()
        for count in range(1, 4):
            self.assertEqual(len(self.janus.bodies("call")), count)
            last = self.janus.bodies("call")[-1]
            self.comes(last["handle_id"], f"in-{count}")
            self.refuse(last)
        self.assertEqual(ear.end, CarrierEnd(0, NO_CIRCUIT, far=False))
        self.assertEqual(len(self.janus.bodies("call")), 3)
        self.assertEqual((self.carrier.counts.refused, self.carrier.standing), (0, "up"))

    def test_refused_by_janus(self) -> None:
        """What it would refuse on every line is tried once more, and leaves the others to other calls."""
        self.janus.refused["call"] = 465
        _, ear, _ = self.dial()
        self.assertEqual(ear.end, CarrierEnd(0, NO_CIRCUIT, far=False))
        self.assertEqual((len(self.janus.bodies("call")), self.carrier.lines), (2, (2, 3)))
        self.assertEqual(self.carrier.counts.refused, 2)
        self.janus.refused.clear()
        call, ear, handle = self.dial()
        self.tell(handle, call, "ringing")
        self.assertEqual(ear.told, [("progress", None)])

    def test_refusals_are_shown(self) -> None:
        """For a while, by a code alone; they are logged once in that."""
        self.janus.refused["call"] = 465
        self.dial()
        self.assertEqual(self.carrier.standing, "up, but Janus refuses calls: error 465")
        warned = [each for each in self.logged if "refuses calls" in (each["log_format"] or "")]
        self.assertEqual([(each["carrier"], each["reason"]) for each in warned], [("trunk", "error 465")])
        self.advance(61)
        self.assertEqual((self.carrier.standing, self.carrier.counts.refused), ("up", 2))

    def test_janus_is_silent(self) -> None:
        """A request that is not answered: it may have reached the carrier, so it is said nowhere else."""
        self.janus.mute.add("call")
        call, ear, handle = self.dial()
        self.tell(handle, call, "ringing")
        self.advance(9)
        self.assertEqual(len(self.janus.bodies("call")), 1)
        self.assertEqual(ear.end, CarrierEnd(0, NO_CIRCUIT, far=False))


class IncomingTests(JanusCase):
    def setUp(self) -> None:
        super().setUp()
        self.first = self.janus.handles[0]

    def test_answered(self) -> None:
        self.comes(self.first)
        [(call, offer, ear)] = self.desk.calls
        self.assertEqual(offer, Incoming(OURS, THEIRS, BRIDGE, "trunk"))
        self.assertEqual((call.reference, self.carrier.lines), ("in-1", (1, 3)))
        call.answer(APP)
        self.janus.pump()
        [asked] = self.janus.bodies("accept")
        self.assertEqual((asked["handle_id"], told(asked["jsep"])[0]), (self.first, "answer"))
        self.assertEqual(ear.told, [])
        self.tell(self.first, call, "accepted")
        self.tell(self.first, call, "hangup", code=200)
        self.assertEqual(ear.told, [("answered", None), CarrierEnd(200)])

    def test_declined(self) -> None:
        """With the code that is wanted; also at once, before anybody listens."""
        self.comes(self.first)
        [(call, _, ear)] = self.desk.calls
        call.decline(603)
        self.assertEqual(self.declined(), 603)
        self.tell(self.first, call, "hangup", code=603)
        self.assertEqual(ear.told, [CarrierEnd(603, far=False)])
        self.quiet(self.first)
        self.desk.does = lambda call: call.decline(480)
        self.comes(self.first, "in-2")
        self.assertEqual(self.declined(), 480)
        self.tell(self.first, "in-2", "hangup", code=480)
        self.assertEqual(self.desk.calls[1][2].told, [CarrierEnd(480, far=False)])
        self.assertEqual(len(self.janus.bodies("decline")), 2)

    def test_not_declined_before_janus_can(self) -> None:
        """It tells of a call before it can refuse it; who gives up meanwhile need not be refused."""
        self.desk.does = lambda call: call.decline(480)
        self.comes(self.first)
        self.advance(TAKING_NOTE / 2)
        self.tell(self.first, "in-1", "hangup", code=487)
        self.assertEqual(self.desk.calls[0][2].told, [CarrierEnd(487)])
        self.advance(TAKING_NOTE)
        self.assertEqual(self.janus.bodies("decline"), [])

    def test_given_up(self) -> None:
        """The caller has, before the answer: with what is known of why."""
        self.comes(self.first)
        [(call, _, ear)] = self.desk.calls
        more = {"reason_header_protocol": "Q.850", "reason_header_cause": "102"}
        self.tell(self.first, call, "hangup", code=487, **more)
        self.assertEqual(ear.told, [CarrierEnd(487, 102)])
        call.answer(APP)
        call.hang_up()
        self.janus.pump()
        self.assertEqual(self.janus.bodies("accept") + self.janus.bodies("hangup"), [])

    def test_hung_up_before_the_answer(self) -> None:
        """Janus takes that for a decline alone."""
        self.comes(self.first)
        [(call, _, ear)] = self.desk.calls
        call.hang_up()
        self.janus.pump()
        self.assertEqual(self.declined(), 480)
        self.tell(self.first, call, "hangup", code=480)
        self.assertEqual(ear.end, CarrierEnd(480, far=False))

    def test_rings_for_ever(self) -> None:
        """Nobody does anything about it."""
        self.comes(self.first)
        self.advance(181)
        self.assertEqual(self.declined(), 480)

    def test_headers(self) -> None:
        """Who calls is withheld, or written in one of several ways; who is called has to be there."""
        for place, (written, caller) in enumerate(
            (
                ("", ""),
                (THEIRS, THEIRS),
                (f"sip:{THEIRS}@carrier.example;user=phone", THEIRS),
                (f'"Bob" <sip:{THEIRS}@carrier.example>', THEIRS),
                (f"tel:{THEIRS}", THEIRS),
                ("anonymous", ""),
                ("sip:bob@carrier.example", ""),
                ("+0123456789", ""),
                (THEIRS + "9" * 20, ""),
            )
        ):
            self.comes(self.first, f"h-{place}", X_CLI=written)
            self.assertEqual(self.desk.calls[-1][1].caller, caller, written)
            self.tell(self.first, f"h-{place}", "hangup", code=487)
            self.quiet(self.first)
        before = len(self.desk.calls)
        self.comes(self.first, "h-none", X_SafeNUM="")
        self.assertEqual(self.declined(), 404)
        self.assertEqual(len(self.desk.calls), before)

    def test_without_an_offer(self) -> None:
        """There is nothing that an app could answer."""
        self.comes(self.first, sdp=None)
        self.assertEqual(self.declined(), 488)
        self.assertEqual(self.desk.calls, [])

    def test_answer_refused(self) -> None:
        """Janus cannot use it."""
        self.janus.refused["accept"] = 465
        self.comes(self.first)
        [(call, _, ear)] = self.desk.calls
        call.answer(APP)
        self.janus.pump()
        self.assertEqual(self.declined(), 488)
        self.tell(self.first, call, "hangup", code=488)
        self.assertEqual(ear.end, CarrierEnd(488, far=False))

    def test_missed(self) -> None:
        """All lines are taken: Janus has said so, and it is counted."""
        self.janus.event(self.first, {"event": "missed_call", "caller": "x", "callee": "y"}, "m-1")
        self.janus.pump()
        self.assertEqual((self.carrier.counts.missed, self.desk.calls), (1, []))

    def test_exchange_fails(self) -> None:
        """One call is not answered, the next is."""

        def fail(call: object) -> None:
            raise ValueError("why")

        self.desk.does = fail
        self.comes(self.first)
        self.assertEqual(self.declined(), 480)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.desk.does = lambda call: None
        self.comes(self.janus.handles[1], "in-2")
        self.assertEqual(len(self.desk.calls), 2)


class TroubleTests(JanusCase):
    def test_listener_fails(self) -> None:
        """It does not keep the others from being told."""

        class Broken(Ear):
            def answered(self, sdp: str | None) -> None:
                raise ValueError("why")

        call, broken, handle = self.dial(Broken())
        self.tell(handle, call, "accepted", jsep=BRIDGE)
        _, ear, _ = self.talk()
        self.janus.cut()
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        for each in (broken, ear):
            self.assertEqual(each.end, CarrierEnd(200, NETWORK_DOWN, far=False))

    def test_quiet_log(self) -> None:
        """No number, description or secret is in the log."""
        call, _, handle = self.talk()
        self.comes(self.janus.handles[0])
        self.tell(handle, call, "hangup", code=200)
        self.janus.cut()
        text = str([(event.get("log_format"), event) for event in self.logged])
        for word in (OURS, THEIRS, "ice-ufrag", call.reference, b"janus".ljust(32).hex()):
            self.assertNotIn(word, text)

    def test_numbers(self) -> None:
        for written, found in (("<sip:+4930123456>", THEIRS), ("x" * 600 + THEIRS, ""), ("+49", "")):
            self.assertEqual(number(written), found)
