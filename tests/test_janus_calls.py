"""Calls through Janus, each with what Janus says of it."""

from typing import Any

from bridges.safenum.janus.call import TAKING_NOTE
from bridges.safenum.janus.dtmf import MOST, PAUSE, TONE, pressed
from bridges.safenum.janus.numbers import number
from safeum_home.errors import Code, Problem
from safeum_home.ports.carrier import (
    APP_VANISHED,
    NETWORK_DOWN,
    NO_CIRCUIT,
    CarrierEnd,
    CarrierLost,
    Incoming,
)
from safeum_home.protocol.telephone_types import MOST_SDP
from tests.janus_case import APP, BRIDGE, OURS, THEIRS, Ear, JanusCase, description, told


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


class DescriptionTests(JanusCase):
    """What apps describe is checked before it is dialled or answered with; Janus is told what it needs."""

    BAD = (
        "",
        "hello",
        description(media="m=video 9 UDP/TLS/RTP/SAVPF 96"),
        description(media="m=audio 9 UDP/TLS/RTP/SAVPF 111"),
        description(media="m=audio 0 UDP/TLS/RTP/SAVPF 8"),
        description(media="m=audio 9 RTP/AVP 8"),
        description("m=audio 9 UDP/TLS/RTP/SAVPF 8"),
        description("m=application 9 UDP/DTLS/SCTP webrtc-datachannel"),
        description("a=name:\u00e9"),
        description("a=nul:\0"),
        description("a=rtpmap:0 opus/48000", media="m=audio 9 UDP/TLS/RTP/SAVPF 0"),
        description(*["a=x:" + "y" * 100] * 130),
        APP.replace("a=fingerprint", "a=finger"),
        APP.replace("a=ice-pwd", "a=pwd"),
    )

    def test_dial(self) -> None:
        for sdp in self.BAD:
            problem = self.assertRaises(Problem, self.carrier.dial, OURS, THEIRS, sdp, Ear())
            self.assertIs(problem.code, Code.INVALID_PARAMS, sdp)
            self.assertIn("sdp: ", str(problem))
        self.assertEqual((self.janus.bodies("call"), self.carrier.lines), ([], (0, 3)))

    def test_answer(self) -> None:
        """One that comes in goes on ringing, and may be answered better."""
        self.comes(self.janus.handles[0])
        [(call, _, _)] = self.desk.calls
        for sdp in self.BAD:
            self.assertIs(self.assertRaises(Problem, call.answer, sdp).code, Code.INVALID_PARAMS)
        call.answer(APP)
        self.janus.pump()
        self.assertEqual([told(each["jsep"])[0] for each in self.janus.bodies("accept")], ["answer"])

    def test_what_janus_is_told(self) -> None:
        """What is needed for the sound, and nothing that tells one app from another."""
        offered = (
            ("v=0", "o=alice 17 4 IN IP4 192.0.2.7", "s=of alice", "i=alice", "e=alice@example.org", "t=0 0"),
            ("a=group:BUNDLE audio0", "a=msid-semantic:WMS alice", "a=ice-options:trickle"),
            ("m=audio 53211 UDP/TLS/RTP/SAVPF 111 8 0 13 110 126", "c=IN IP4 192.0.2.7", "b=AS:64"),
            ("a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10", "a=rtpmap:8 PCMA/8000"),
            ("a=rtpmap:110 telephone-event/48000", "a=rtpmap:126 telephone-event/8000", "a=fmtp:126 0-15"),
            ("a=rtcp:9 IN IP4 192.0.2.7", "a=candidate:1 1 udp 1 192.0.2.7 53211 typ host", "a=mid:audio0"),
            ("a=ice-ufrag:abcd", "a=ice-pwd:0123456789abcdef012345", "a=fingerprint:sha-256 AA:BB"),
            ("a=setup:actpass", "a=rtcp-mux", "a=sendrecv", "a=label:alice", "a=msid:alice alice"),
            ("a=extmap:1 urn:alice", "a=ssrc:7 cname:alice", "a=ssrc:7 msid:alice alice", "a=X-alice"),
        )
        sdp = "".join(f"{line}\n" for lines in offered for line in lines)
        self.carrier.dial(OURS, THEIRS, sdp, Ear())
        self.janus.pump()
        self.assertEqual(
            told(self.janus.bodies("call")[-1]["jsep"])[1],
            [
                *("s=-", "t=0 0", "a=group:BUNDLE audio0", "a=ice-options:trickle"),
                *("m=audio 9 UDP/TLS/RTP/SAVPF 8 0 13 126", "c=IN IP4 0.0.0.0"),
                *("a=rtpmap:8 PCMA/8000", "a=rtpmap:0 PCMU/8000", "a=rtpmap:13 CN/8000"),
                *("a=rtpmap:126 telephone-event/8000", "a=fmtp:126 0-15"),
                *("a=candidate:1 1 udp 1 192.0.2.7 53211 typ host", "a=mid:audio0", "a=ice-ufrag:abcd"),
                *("a=ice-pwd:0123456789abcdef012345", "a=fingerprint:sha-256 AA:BB", "a=setup:actpass"),
                *("a=rtcp-mux", "a=sendrecv", "a=ssrc:7 cname:app"),
            ],
        )

    def test_of_janus(self) -> None:
        """What Janus describes and cannot be handed on ends a call, and only that."""
        for bad in ("", "v=0\r\n\u20ac\r\n", "v=0\r\n" + "a=x\r\n" * (MOST_SDP // 4)):
            call, ear, handle = self.dial()
            self.tell(handle, call, "accepted", jsep=bad)
            self.tell(handle, call, "hangup", code=200)
            self.assertEqual((ear.end.sip, ear.end.far), (488, False))
            self.quiet(handle)
        self.assertTrue(self.carrier.is_up)


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


class KeysTests(JanusCase):
    def test_pressed_here(self) -> None:
        """One after another, as a hand would; not before the answer, nor after the end."""
        call, _, handle = self.dial()
        call.dtmf("1")
        self.tell(handle, call, "accepted", jsep=BRIDGE)
        call.dtmf("12")
        call.dtmf("#")
        self.janus.pump()
        self.assertEqual(self.digits(), "1")
        self.advance(2 * (TONE + PAUSE) + 0.01)
        self.assertEqual(self.digits(), "12#")
        call.dtmf("0" * (MOST + 50))
        self.tell(handle, call, "hangup", code=200)
        self.advance(60)
        self.assertEqual(self.digits(), "12#")

    def test_too_many(self) -> None:
        call, _, _ = self.talk()
        call.dtmf("0" * (MOST + 50))
        self.advance(60)
        self.assertEqual(self.digits(), "0" * MOST)

    def digits(self) -> str:
        return "".join(each["body"]["digit"] for each in self.janus.bodies("dtmf_info"))

    def test_pressed_there(self) -> None:
        call, ear, handle = self.talk()
        for kind, content in (
            ("application/dtmf-relay", "Signal=5\r\nDuration=160"),
            ("application/dtmf", "#"),
            ("text/plain", "7"),
            ("application/dtmf", "77"),
        ):
            self.tell(handle, call, "info", type=kind, content=content)
        self.assertEqual(ear.told[1:], [("dtmf", "5"), ("dtmf", "#")])

    def test_forms(self) -> None:
        for kind, content, key in (
            ("application/dtmf-relay", "Signal= a\r\nDuration= 100\r\n", "A"),
            ("Application/DTMF-Relay", "signal=*", "*"),
            ("application/dtmf-relay", "Signal=11\r\nDuration=160", ""),
            ("application/dtmf-relay", "Duration=160\r\nSignal=1", ""),
            ("application/dtmf-relay", "", ""),
            ("application/dtmf", " 1\r\n", "1"),
            ("application/dtmf", "E", ""),
        ):
            self.assertEqual(pressed(kind, content), key, content)

    def test_failed(self) -> None:
        """Keys that Janus does not send do not end a call."""
        self.janus.refused["dtmf_info"] = 499
        call, ear, _ = self.talk()
        call.dtmf("1")
        self.advance(1)
        self.assertEqual(ear.told, [("answered", BRIDGE)])


class VanishedTests(JanusCase):
    """The app is gone, and nobody says so but Janus."""

    def ended_by_us(self, call: Any, ear: Ear, handle: int) -> None:
        self.janus.pump()
        self.assertEqual(len(self.janus.bodies("hangup")), 1)
        self.tell(handle, call, "hangup", code=200)
        self.assertEqual(ear.end, CarrierEnd(200, APP_VANISHED, far=False))

    def test_webrtc(self) -> None:
        """ICE has failed, or it has said goodbye (DTLS)."""
        call, ear, handle = self.talk()
        self.tell(handle, call, "hangingup")
        self.janus.core(handle, "hangup", reason="ICE failed")
        self.ended_by_us(call, ear, handle)
        self.advance(2)
        self.assertEqual(self.carrier.lines, (0, 3))

    def test_never_there(self) -> None:
        """It does not come about within 20 seconds."""
        call, ear, handle = self.dial()
        self.tell(handle, call, "accepted", jsep=BRIDGE)
        self.advance(19)
        self.assertEqual(self.janus.bodies("hangup"), [])
        self.advance(2)
        self.ended_by_us(call, ear, handle)

    def test_early(self) -> None:
        """It was there before the answer."""
        call, ear, handle = self.dial()
        self.tell(handle, call, "progress", jsep=BRIDGE)
        self.janus.core(handle, "webrtcup")
        self.tell(handle, call, "accepted")
        self.advance(120)
        self.assertEqual(ear.told, [("progress", BRIDGE), ("answered", None)])

    def test_silent(self) -> None:
        """Nothing comes for 30 seconds; less than that is nothing."""
        call, ear, handle = self.talk()
        self.janus.core(handle, "media", type="audio", receiving=False, seconds=1)
        self.advance(29)
        self.janus.core(handle, "media", type="audio", receiving=True)
        self.janus.core(handle, "slowlink", uplink=True, lost=30)
        self.advance(60)
        self.assertEqual(ear.told, [("answered", BRIDGE)])
        self.janus.core(handle, "media", type="audio", receiving=False, seconds=1)
        self.advance(31)
        self.ended_by_us(call, ear, handle)


class LateTests(JanusCase):
    """What is said too late of one call does not reach the next."""

    def test_of_a_former_call(self) -> None:
        """By its Call-ID."""
        call, ear, handle = self.talk()
        self.tell(handle, call, "hangup", code=200)
        self.quiet(handle)
        again, other, same = self.dial()
        self.assertEqual(same, handle)
        for event in ("hangup", "accepted", "info", "ringing"):
            self.tell(handle, call, event, code=200, type="application/dtmf", content="1")
        self.tell(handle, "", "hangup", code=200)
        self.assertEqual(other.told, [])
        self.tell(handle, again, "accepted", jsep=BRIDGE)
        self.assertEqual(other.told, [("answered", BRIDGE)])
        self.assertEqual(ear.end, CarrierEnd(200))

    def test_of_its_sound(self) -> None:
        """As long as Janus has not let go of that, a line rests, and is not called out on."""
        call, _, handle = self.talk()
        self.tell(handle, call, "hangup", code=200)
        self.assertEqual(self.carrier.lines, (1, 3))
        _, ear, other = self.dial()
        self.assertNotEqual(other, handle)
        self.quiet(handle)
        self.assertEqual((ear.told, self.carrier.lines), ([], (1, 3)))

    def test_of_its_sound_while_one_comes_in(self) -> None:
        """Janus gives a line away that it knows to be free: what was before is not what is now."""
        first = self.janus.handles[0]
        self.comes(first)
        self.tell(first, "in-1", "hangup", code=487)
        self.comes(first, "in-2")
        self.quiet(first)
        [_, (call, _, ear)] = self.desk.calls
        self.assertEqual(ear.told, [])
        call.answer(APP)
        self.tell(first, "in-2", "accepted")
        self.assertEqual(ear.told, [("answered", None)])

    def test_never_let_go(self) -> None:
        """A line that rests for too long is given up, and another one is made."""
        call, _, handle = self.talk()
        self.tell(handle, call, "hangup", code=200)
        self.advance(7)
        self.assertEqual([each["handle_id"] for each in self.janus.asked_for("detach")], [handle])
        self.assertEqual((self.carrier.lines, len(self.janus.handles)), ((0, 3), 4))

    def test_settles(self) -> None:
        """For longer than a thread of Janus goes on, which would take the next call's sound down."""
        call, _, handle = self.talk()
        self.tell(handle, call, "hangup", code=200)
        self.janus.core(handle, "hangup", reason="Close PC")
        self.advance(1.2)
        self.assertEqual(self.carrier.lines, (1, 3))
        self.advance(0.5)
        self.assertEqual(self.carrier.lines, (0, 3))

    def test_never_over(self) -> None:
        """Janus does not say that a call is over: it is for us, and its line is given up."""
        call, ear, handle = self.talk()
        call.hang_up()
        self.advance(6)
        self.assertEqual(ear.end, CarrierEnd(200, far=False))
        self.assertEqual([each["handle_id"] for each in self.janus.asked_for("detach")], [handle])
        self.tell(handle, call, "hangup", code=200)
        self.assertEqual(self.carrier.lines, (0, 3))

    def test_master_in_doubt(self) -> None:
        """With the master all would go: it is not called out on, and all begins anew when nobody speaks."""
        first = self.janus.handles[0]
        self.comes(first)
        call, other, handle = self.talk()
        [(there, _, ear)] = self.desk.calls
        there.decline(486)
        self.advance(12)
        self.assertEqual(ear.end, CarrierEnd(486, far=False))
        self.assertEqual((self.carrier.lines, self.janus.is_cut), ((2, 3), False))
        self.tell(handle, call, "hangup", code=200)
        self.assertEqual(other.end, CarrierEnd(200))
        self.advance(6)
        self.assertTrue(self.janus.is_cut)
        self.reconnect()
        self.assertEqual((self.carrier.is_up, self.carrier.lines), (True, (0, 3)))

    def test_master_heals(self) -> None:
        """One that has carried a call since is in doubt no more."""
        first = self.janus.handles[0]
        self.comes(first)
        _, _, _ = self.talk()
        self.desk.calls[0][0].decline(486)
        self.advance(6)
        self.comes(first, "in-2")
        self.tell(first, "in-2", "hangup", code=487)
        self.quiet(first)
        self.advance(30)
        self.assertEqual((self.carrier.lines, self.janus.is_cut), ((1, 3), False))


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
