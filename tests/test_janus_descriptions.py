"""What apps describe, before it is dialled or answered with."""

from safeum_home.errors import Code, Problem
from safeum_home.protocol.telephone_types import MOST_SDP
from tests.janus_case import APP, OURS, THEIRS, Ear, JanusCase, description, told


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
