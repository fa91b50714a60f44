"""Descriptions of calls: only what is wanted of them is handed on, and what is wrong is refused."""

from aiortc.sdp import SessionDescription
from hypothesis import given
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.webrtc.sdp import (
    MOST_CANDIDATES,
    MOST_DESCRIPTION,
    Kind,
    candidate,
    checked,
    fewer,
)

DIGEST = ":".join(["AB"] * 32)
SESSION = "v=0\no=- 3 4 IN IP4 198.51.100.7\ns=secret name\nt=0 0\na=group:BUNDLE 0 1\n"
_WAY = f"""\
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuv
a=fingerprint:sha-256 {DIGEST}
a=setup:actpass
a=rtcp-mux
a=sendrecv
"""
AUDIO = f"""\
m=audio 9 UDP/TLS/RTP/SAVPF 111 0 9
c=IN IP4 0.0.0.0
b=AS:64
a=mid:0
{_WAY}a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1;x-evil=1
a=rtpmap:0 PCMU/8000
a=rtpmap:9 G722/8000
a=rtcp-fb:111 transport-cc
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:mid
a=candidate:1 1 udp 2130706431 192.0.2.1 4000 typ host
a=candidate:2 1 udp 1694498815 198.51.100.7 4001 typ srflx raddr 192.0.2.1 rport 4000
a=ssrc:7 cname:x
a=ssrc:7 label:y
a=unheard-of:1
"""
VIDEO = f"""\
m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99
a=mid:1
{_WAY}a=rtpmap:96 VP8/90000
a=rtcp-fb:* nack
a=rtcp-fb:96 goog-remb
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:98 AV1/90000
a=rtpmap:99 rtx/90000
a=fmtp:99 apt=98
"""


def audio(*changes: str, kind: Kind = "offer") -> str:
    """A call of sound, with pairs of changes made to it; as it is handed on."""
    text = SESSION.replace(" 0 1", " 0") + AUDIO
    for was, now in zip(changes[::2], changes[1::2], strict=True):
        assert was in text
        text = text.replace(was, now)
    return checked(text, kind, video=False)


class WantedTests(SynchronousTestCase):
    def test_what_is_handed_on(self) -> None:
        """One codec, nothing of where and when it was written, of levels, or of what else stands there."""
        self.assertEqual(
            audio().split("\r\n"),
            [
                *("v=0", "o=- 0 0 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE 0"),
                *("a=msid-semantic:WMS *", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "c=IN IP4 0.0.0.0"),
                *("a=sendrecv", "a=mid:0", "a=rtcp:9 IN IP4 0.0.0.0", "a=rtcp-mux"),
                *("a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:mid", "a=ssrc:7 cname:x"),
                *("a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10;useinbandfec=1"),
                "a=candidate:1 1 udp 2130706431 192.0.2.1 4000 typ host",
                "a=candidate:2 1 udp 1694498815 198.51.100.7 4001 typ srflx raddr 0.0.0.0 rport 9",
                *("a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuv"),
                *(f"a=fingerprint:sha-256 {DIGEST}", "a=setup:actpass", ""),
            ],
        )

    def test_again(self) -> None:
        """What was handed on is handed on as it is."""
        self.assertEqual(checked(audio(), "offer", video=False), audio())

    def test_pictures(self) -> None:
        """VP8 with what is sent again, and no codec that is not known here."""
        lines = checked(SESSION + AUDIO + VIDEO, "offer", video=True).split("\r\n")
        self.assertIn("m=video 9 UDP/TLS/RTP/SAVPF 96 97", lines)
        self.assertEqual(
            [line for line in lines if ":96" in line or ":97" in line],
            [
                *("a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 nack", "a=rtcp-fb:96 goog-remb"),
                *("a=rtpmap:97 rtx/90000", "a=rtcp-fb:97 nack", "a=fmtp:97 apt=96"),
            ],
        )

    def test_pictures_that_are_rejected(self) -> None:
        """An answer without them (port 0) is one in which they rest: as browsers say it, and Firefox."""
        for session in (SESSION.replace(" 0 1", " 0"), SESSION.replace("a=group:BUNDLE 0 1\n", "")):
            text = session + AUDIO + "m=video 0 UDP/TLS/RTP/SAVPF 96 97\na=mid:1\n"
            answer = checked(text.replace("actpass", "active"), "answer", video=True)
            self.assertIn("a=group:BUNDLE 0 1", answer)
            video = answer.split("m=")[2].split("\r\n")
            self.assertEqual(video[0], "video 9 UDP/TLS/RTP/SAVPF 96")
            self.assertIn("a=inactive", video)
            self.assertEqual(checked(answer, "answer", video=True), answer)
            self.assertRaises(ValueError, checked, text, "offer", video=True)
            self.assertRaises(ValueError, checked, text.replace("actpass", "active"), "answer", video=False)

    def test_once_for_all_media(self) -> None:
        """A fingerprint that stands above the media is that of each."""
        line = f"a=fingerprint:sha-256 {DIGEST}\n"
        self.assertEqual(audio(line, "", "t=0 0\n", f"t=0 0\n{line}"), audio())


class RefusedTests(SynchronousTestCase):
    def refused(self, *changes: str, kind: Kind = "offer") -> None:
        self.assertRaises(ValueError, audio, *changes, kind=kind)

    def test_pictures_in_a_call_of_sound(self) -> None:
        """Nobody turns the other's camera on."""
        for kind in ("offer", "answer"):
            text = (SESSION + AUDIO + VIDEO).replace("actpass", "active")
            self.assertRaises(ValueError, checked, text, kind, video=False)
            checked(text, kind, video=True)

    def test_not_encrypted(self) -> None:
        """Only DTLS-SRTP."""
        for profile in ("RTP/AVP", "RTP/SAVPF", "RTP/SAVP", "UDP/DTLS/SCTP", "TCP/DTLS/RTP/SAVPF"):
            self.refused("UDP/TLS/RTP/SAVPF", profile)

    def test_fingerprints(self) -> None:
        """There has to be a good one, and none that is not."""
        line = f"a=fingerprint:sha-256 {DIGEST}\n"
        self.refused(line, "")
        self.refused(line, f"a=fingerprint:sha-1 {':'.join(['AB'] * 20)}\n")
        self.refused(line, f"a=fingerprint:md5 {':'.join(['AB'] * 16)}\n")
        self.refused(line, line.replace(DIGEST, DIGEST[3:]))
        self.refused(line, line.replace("AB", "XY"))
        self.refused(line, line + line)
        self.refused(line, f"{line}a=fingerprint:sha-512 {DIGEST}\n")

    def test_two_ways(self) -> None:
        """Sound and pictures go to one device by one way."""
        for was, now in (
            ("BUNDLE 0 1", "BUNDLE 0"),
            ("a=mid:1", "a=mid:0"),
            (VIDEO, VIDEO.replace("AB", "CD")),
            (VIDEO, VIDEO.replace("ufrag:abcd", "ufrag:abce")),
            (VIDEO, VIDEO.replace("actpass", "active")),
            (VIDEO, VIDEO + VIDEO),
            (AUDIO, AUDIO + AUDIO.replace("mid:0", "mid:2")),
        ):
            text = SESSION + AUDIO + VIDEO
            self.assertIn(was, text)
            self.assertRaises(ValueError, checked, text.replace(was, now), "offer", video=True)

    def test_missing(self) -> None:
        """What a call cannot be without."""
        for line in AUDIO.splitlines():
            name = line.partition(":")[0]
            if name in ("a=mid", "a=ice-ufrag", "a=ice-pwd", "a=setup", "a=rtcp-mux"):
                self.refused(f"{line}\n", "")
                self.refused(f"{line}\n", f"{name}:?\n" if ":" in line else "")
        self.refused("opus/48000/2", "speex/48000/2")
        self.refused("m=audio", "m=application")
        self.refused("audio 9", "audio 0")
        self.refused("a=sendrecv", "a=sendonly\na=recvonly")

    def test_who_begins(self) -> None:
        """An answer says who begins with DTLS."""
        self.refused(kind="answer")
        audio("actpass", "active", kind="answer")
        audio("actpass", "passive", kind="answer")
        self.refused("actpass", "holdconn")

    def test_no_description(self) -> None:
        """Other texts, and lines that are none."""
        for text in ("", "v=0", "\0", "v=1\n", AUDIO, "v=0\n" + AUDIO[2:]):
            self.assertRaises(ValueError, checked, text, "offer", video=True)
        for octet in ("\0", "\x7f", "é", "\u2028", "\r", "\x0b"):
            self.refused("secret", octet)

    def test_bounds(self) -> None:
        """Nothing is too long: text, lines, candidates."""
        self.refused("a=unheard-of:1\n", "a=x\n" * 300)
        self.refused("a=unheard-of:1", "a=" + "x" * 600)
        self.refused("a=unheard-of:1\n", f"a={'x' * 100}\n" * (MOST_DESCRIPTION // 100))
        one = "a=candidate:1 1 udp 2130706431 192.0.2.1 4000 typ host\n"
        many = "".join(one.replace("4000", f"{5000 + each}") for each in range(MOST_CANDIDATES + 8))
        self.assertEqual(audio(one, many).count("a=candidate"), MOST_CANDIDATES)
        self.refused("UDP/TLS/RTP/SAVPF 111", "UDP/TLS/RTP/SAVPF 111" + " 111" * 64)

    @given(some.data())
    def test_anything(self, data: some.DataObject) -> None:
        """Whatever is done to a description, it is refused as one, or aiortc understands what is left."""
        lines = (SESSION + AUDIO + VIDEO).splitlines()
        for _ in range(data.draw(some.integers(1, 4))):
            at = data.draw(some.integers(0, len(lines) - 1))
            begin = data.draw(some.integers(0, len(lines[at])))
            end = data.draw(some.integers(begin, len(lines[at])))
            pieces = ["", lines[at][begin:end] * 2, "-1", ":", " ", "/", "99999999999", "é"]
            lines[at] = lines[at][:begin] + data.draw(some.sampled_from(pieces)) + lines[at][end:]
            if data.draw(some.booleans()):
                lines[at] = data.draw(some.sampled_from(lines))
        try:
            text = checked("\n".join(lines), "offer", video=True)
        except ValueError:
            return
        read = SessionDescription.parse(text)
        self.assertTrue(all(media.dtls and media.dtls.fingerprints for media in read.media))


class CandidateTests(SynchronousTestCase):
    GOOD = "candidate:1 1 udp 2130706431 192.0.2.1 4000 typ host"

    def test_forms(self) -> None:
        """With and without what stands before it in a description; what follows is dropped."""
        wanted = self.GOOD.removeprefix("candidate:")
        for line in (self.GOOD, wanted, f"a={self.GOOD}", f"{self.GOOD} generation 0 network-cost 10"):
            self.assertEqual(candidate(line), wanted)
        sixth = candidate(wanted.replace("192.0.2.1", "2001:DB8::1"))
        self.assertEqual(sixth, wanted.replace("192.0.2.1", "2001:db8::1"))

    def test_useless(self) -> None:
        """Names are not looked up, and nobody is sent to this very computer, or to many."""
        for address in ("some.local", "example.org", "127.0.0.1", "::1", "224.0.0.1", "0.0.0.0", "ff02::1"):
            self.assertIsNone(candidate(self.GOOD.replace("192.0.2.1", address)))
        for address in ("127.0.0.1", "169.254.169.254", "255.255.255.255", "::ffff:127.0.0.1", "fe80::1"):
            self.assertIsNone(candidate(self.GOOD.replace("192.0.2.1", address).replace("host", "srflx")))
        self.assertIsNone(candidate(self.GOOD.replace("udp", "tcp")))
        self.assertIsNone(candidate(self.GOOD.replace(":1 1 ", ":1 2 ")))

    def test_none(self) -> None:
        """What is no candidate is refused."""
        for was, now in (
            ("4000", "0"),
            ("4000", "65536"),
            ("2130706431", "4294967296"),
            ("typ host", "typ guest"),
            ("192.0.2.1", "192.0.2.1\r\na=x"),
            ("192.0.2.1", "a b"),
            ("1 udp", "x udp"),
            (":1 ", f":{'1' * 33} "),
        ):
            self.assertRaises(ValueError, candidate, self.GOOD.replace(was, now))
        self.assertRaises(ValueError, candidate, "")
        self.assertRaises(ValueError, candidate, f"{self.GOOD}\n")

    def test_fewer(self) -> None:
        """Of one's own the relay's is kept."""
        hosts = "".join(f"a={self.GOOD.replace('192.0.2.1', f'192.0.2.{n}')}\n" for n in range(1, 50))
        relay = f"a={self.GOOD.replace('host', 'relay')}"
        lines = fewer(f"v=0\n{hosts}{relay}\na=x").split("\n")
        self.assertEqual(len(lines), MOST_CANDIDATES + 2)
        self.assertEqual(lines[-2:], [relay, "a=x"])
