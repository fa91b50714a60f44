"""The sound of calls with the telephone network: G.711 alone, with a bridge in this process."""

import re
from functools import partial

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.calling.media import Flow, Relay
from safeum_home.client.webrtc.codecs import TELEPHONE
from safeum_home.client.webrtc.link import RtcLink
from safeum_home.client.webrtc.sdp import Kind, checked
from safeum_home.client.webrtc.sources import MovingPicture, Tone
from safeum_home.client.webrtc.tones import RATE
from tests.bridge_media import G711, BridgeEnd
from tests.webrtc_case import LinkCase, Side, done, until

CONNECTED = [Flow.CONNECTING, Flow.CONNECTED]


class TelephoneLinkTests(LinkCase):
    def line(self, side: Side, relays: tuple[Relay, ...] = (), *, relay_only: bool = False) -> RtcLink:
        """A link to a bridge."""
        side.flows.clear()
        link = side.studio.telephone_link(relays, relay_only=relay_only, on_flow=side.flows.append)
        self.links.append(link)
        return link

    def test_out(self) -> None:
        """The app offers: tones both ways, by either kind of G.711; muted, the bridge hears silence."""
        for codec in G711:
            self.links.clear()
            self.run_in_loop(partial(self.goes_out, codec))

    async def goes_out(self, codec: str) -> None:
        ada, bridge = Side(Tone(440)), BridgeEnd(880, (codec,))
        link = self.line(ada)
        await done(link.answered(await bridge.answer(await done(link.offer()))))
        await until(lambda: ada.ear.hears(880) and bridge.ear.hears(440))
        self.assertEqual(ada.flows, CONNECTED)
        link.send(audio=False, video=False)
        await until(bridge.ear.quiet)
        link.send(audio=True, video=False)
        await until(lambda: bridge.ear.hears(440))
        await bridge.close()
        await until(lambda: ada.flows == [*CONNECTED, Flow.CLOSED])

    def test_in(self) -> None:
        """The bridge offers; pictures are neither taken nor sent, whatever there is."""

        async def test() -> None:
            ada, bridge = Side(Tone(440), MovingPicture(), sees=True), BridgeEnd(880)
            link = self.line(ada)
            await bridge.answered(await done(link.answer(await bridge.offer())))
            await until(lambda: ada.ear.hears(880) and bridge.ear.hears(440))
            await done(link.close())
            await bridge.close()

        self.run_in_loop(test)

    def test_nothing_to_be_heard(self) -> None:
        """Silence is sent all the same: else a carrier would take it for a call on hold."""

        async def test() -> None:
            ada, bridge = Side(), BridgeEnd(880)
            link = self.line(ada)
            offer = await done(link.offer())
            self.assertIn("a=sendrecv", offer)
            await done(link.answered(await bridge.answer(offer)))
            await until(lambda: ada.ear.hears(880) and bridge.ear.quiet())
            await done(link.close())
            await bridge.close()

        self.run_in_loop(test)

    def test_a_carrier_that_says_nothing(self) -> None:
        """Reports of what is sent show that somebody is there, as those of bridges do."""

        async def test() -> None:
            ada, bridge = Side(Tone(440), silent_seconds=3.0), BridgeEnd(None)
            link = self.line(ada)
            await done(link.answered(await bridge.answer(await done(link.offer()))))
            await until(lambda: bridge.ear.samples > 4 * RATE)
            self.assertEqual(ada.flows, CONNECTED)
            await done(link.close())
            await bridge.close()

        self.run_in_loop(test)

    def test_offer(self) -> None:
        """G.711 and nothing else, with all addresses in it; no name of a stream goes to the carrier."""

        async def test() -> None:
            link = self.line(Side(Tone(440)))
            offer: str = await done(link.offer())
            self.assertEqual(re.findall(r"^m=.*$", offer, re.M), ["m=audio 9 UDP/TLS/RTP/SAVPF 8 0\r"])
            self.assertIn("a=end-of-candidates", offer)
            for unwanted in ("opus", "G722", "msid:", "extmap", "ssrc-audio-level"):
                self.assertNotIn(unwanted, offer)

        self.run_in_loop(test)

    def test_relay_only(self) -> None:
        """Without a relay no address of this computer is told."""

        async def test() -> None:
            ada = Side(Tone(440))
            offer = await done(self.line(ada, relay_only=True).offer())
            self.assertNotIn("a=candidate", offer)
            await until(lambda: ada.flows == [Flow.FAILED])

        self.run_in_loop(test)


BRIDGE = """\
v=0
o=- 1 1 IN IP4 192.0.2.2
s=-
t=0 0
a=group:BUNDLE 0
a=ice-options:trickle
a=fingerprint:sha-256 {digest}
a=extmap-allow-mixed
a=msid-semantic: WMS *
m=audio 9 UDP/TLS/RTP/SAVPF {formats}
c=IN IP4 192.0.2.2
a=sendrecv
a=mid:0
a=rtcp-mux
a=ice-ufrag:iqmG
a=ice-pwd:knLSh6QH/JROwdOwBaMxsI
a=ice-options:trickle
a=setup:{setup}
{maps}a=ptime:20
a=msid:janus janus0
a=ssrc:3297857506 cname:janus
a=candidate:1 1 udp 2015363327 192.0.2.2 41152 typ host
a=end-of-candidates
"""
"""As Janus 1.1.2 describes a call of its SIP plugin."""


def bridge(formats: str, maps: str = "", kind: Kind = "offer") -> str:
    setup = "actpass" if kind == "offer" else "active"
    text = BRIDGE.format(digest=":".join(["AB"] * 32), formats=formats, maps=maps, setup=setup)
    return checked(text, kind, video=False, codecs=TELEPHONE)


class BridgeDescriptionTests(SynchronousTestCase):
    def test_static_types(self) -> None:
        """What 0 and 8 mean nobody has to say; keys and other codecs are dropped."""
        maps = "a=rtpmap:8 PCMA/8000\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\n"
        for kind in ("offer", "answer"):
            text = bridge("0 8 18 101", maps, kind)
            self.assertIn("m=audio 9 UDP/TLS/RTP/SAVPF 0 8\r\n", text)
            self.assertIn("a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n", text)
            self.assertNotIn("telephone-event", text)
            self.assertIn("a=candidate:1 1 udp 2015363327 192.0.2.2 41152 typ host", text)
            self.assertNotIn("msid:janus", text)

    def test_dynamic_types(self) -> None:
        """G.711 by another number; what 8 means nobody can change."""
        text = bridge("96 8", "a=rtpmap:96 PCMA/8000\na=rtpmap:8 opus/48000/2\n")
        self.assertIn("a=rtpmap:96 PCMA/8000\r\na=rtpmap:8 PCMA/8000\r\n", text)

    def test_refused(self) -> None:
        """Nothing but G.711 is taken, and no pictures."""
        self.assertRaises(ValueError, bridge, "111", "a=rtpmap:111 opus/48000/2\n")
        self.assertRaises(ValueError, bridge, "18 101")
        video = "m=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:1\na=rtpmap:96 VP8/90000\n"
        self.assertRaises(ValueError, bridge, "8", video)
