"""The way between two devices, with aiortc: both in this process, over the network of this computer."""

import asyncio
import socket
from array import array
from types import SimpleNamespace
from typing import Any, NamedTuple

from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.calling.media import Flow, Relay
from safeum_home.client.errors import NoMedia
from safeum_home.client.webrtc import ice
from safeum_home.client.webrtc import link as links
from safeum_home.client.webrtc.flow import Told, new_way
from safeum_home.client.webrtc.servers import Servers
from safeum_home.client.webrtc.sources import MovingPicture, Tone
from safeum_home.client.webrtc.tones import RATE, SAMPLES, ToneTrack
from tests.webrtc_case import LinkCase, Side, connect, done, tones, until

CONNECTED = [Flow.CONNECTING, Flow.CONNECTED]


class FlowTests(SynchronousTestCase):
    def told(self, *inputs: str) -> list[Flow]:
        flows: list[Flow] = []
        way = new_way(Told(flows.append))
        for each in inputs:
            getattr(way, each)()
        return flows

    def test_once_each(self) -> None:
        """What happens twice is told once, and nothing after the end."""
        self.assertEqual(self.told("tried", "tried", "found", "found"), CONNECTED)
        self.assertEqual(
            self.told("tried", "found", "lost", "ended", "lost", "shut"), [*CONNECTED, Flow.FAILED]
        )
        self.assertEqual(self.told("tried", "found", "ended", "lost"), [*CONNECTED, Flow.CLOSED])
        self.assertEqual(self.told("tried", "shut", "found", "lost", "ended", "shut"), [Flow.CONNECTING])
        self.assertEqual(self.told("lost", "tried", "found"), [Flow.FAILED])


class LinkTests(LinkCase):
    def test_tones(self) -> None:
        """Each hears the other; muted, silence; again, the tone. The other hears that it is closed."""

        async def test() -> None:
            ada, ben = tones()
            first, second = self.linked(ada, ben)
            await connect(first, second)
            await until(lambda: ada.ear.hears(880) and ben.ear.hears(440))
            self.assertEqual((ada.flows, ben.flows), (CONNECTED, CONNECTED))
            self.assertFalse(ada.ear.hears(440) or ben.ear.hears(880))
            first.send(audio=False, video=False)
            await until(ben.ear.silence)
            self.assertTrue(ada.ear.hears(880))
            first.send(audio=True, video=True)
            await until(lambda: ben.ear.hears(440))
            await done(first.close())
            await until(lambda: ben.flows == [*CONNECTED, Flow.CLOSED])
            self.assertEqual(ada.flows, CONNECTED)
            self.assertEqual(ben.ear.last, {})

        self.run_in_loop(test)

    def test_lengths(self) -> None:
        """Packets are of one length, whatever is said: while it is silent, and while it is muted, too."""

        async def test() -> None:
            ada, ben = Side(HalfTone()), Side(Tone(880))
            first, second = self.linked(ada, ben)
            await connect(first, second)
            lengths = _lengths(first)
            await until(lambda: ben.ear.hears(440))
            await until(ben.ear.silence)
            first.send(audio=False, video=False)
            before = len(lengths)
            await until(lambda: len(lengths) > before + 50)
            self.assertEqual(len(set(lengths)), 1, set(lengths))

        self.run_in_loop(test)

    def test_pictures(self) -> None:
        """Sound and pictures by one way, to who wants to see; they go black."""

        async def test() -> None:
            ada, ben = Side(Tone(440), MovingPicture()), Side(Tone(880), sees=True)
            first, second = self.linked(ada, ben, video=True)
            offer = await done(first.offer())
            self.assertIn("a=sendonly", offer)
            await done(first.answered(await done(second.answer(offer))))
            await until(lambda: ben.frames and ben.ear.hears(440) and ada.ear.hears(880))
            self.assertEqual((ben.frames[-1].width, ben.frames[-1].height), (320, 240))
            first.send(audio=True, video=False)
            await until(lambda: max(bytes(ben.frames[-1].planes[0])[:320]) < 32)
            self.assertEqual(ada.frames, [])

        self.run_in_loop(test)

    def test_pictures_that_are_rejected(self) -> None:
        """Whoever wants none (as browsers say it, by port 0) is spoken to all the same."""

        async def test() -> None:
            ada, ben = Side(Tone(440), MovingPicture(), sees=True), Side(Tone(880))
            film, call = ada.link(video=True), ben.link()
            self.links += film, call
            offer: str = await done(film.offer())
            sound, _, video = offer.partition("m=video")
            answer = await done(call.answer(sound.replace("BUNDLE 0 1", "BUNDLE 0")))
            mid = video[video.index("a=mid:") :].split("\r\n")[0]
            await done(film.answered(f"{answer}m=video 0 UDP/TLS/RTP/SAVPF 96\r\n{mid}\r\n"))
            await until(lambda: ada.ear.hears(880) and ben.ear.hears(440))

        self.run_in_loop(test)

    def test_no_pictures_in_a_call_of_sound(self) -> None:
        """Neither an offer nor an answer turns them on."""

        async def test() -> None:
            ada, ben = Side(Tone(440), MovingPicture()), Side(Tone(880), MovingPicture(), sees=True)
            film, call = ada.link(video=True), ben.link()
            self.links += film, call
            with self.assertRaises(ValueError):
                await done(call.answer(await done(film.offer())))
            mine, theirs = self.linked(ada, ben)
            offer = await done(mine.offer())
            self.assertNotIn("video", offer)
            answer = await done(theirs.answer(offer))
            more = answer[answer.index("m=audio") :].replace("m=audio", "m=video").replace("mid:0", "mid:1")
            with self.assertRaises(ValueError):
                await done(mine.answered(answer.replace("BUNDLE 0", "BUNDLE 0 1") + more))
            self.assertEqual(ada.flows, [])

        self.run_in_loop(test)

    def test_another_certificate(self) -> None:
        """Who shows another one than the description says is not spoken to."""

        async def test() -> None:
            ada, ben = tones()
            first, second = self.linked(ada, ben)
            answer: str = await done(second.answer(await done(first.offer())))
            at = answer.index("sha-256 ") + 8
            other = answer[:at] + ("00" if answer[at : at + 2] != "00" else "11") + answer[at + 2 :]
            await done(first.answered(other))
            await until(lambda: ada.flows == [Flow.CONNECTING, Flow.FAILED])
            self.assertEqual(ada.ear.last, {})

        self.run_in_loop(test)

    def test_out_of_turn(self) -> None:
        """What does not fit is refused as a `ValueError`: nothing else is raised."""

        async def test() -> None:
            ada, ben = tones()
            first, second = self.linked(ada, ben)
            offer = await done(first.offer())
            answer = await done(second.answer(offer))
            for refused in (
                first.answered(offer),
                first.answered(answer.replace("mid:0", "mid:5").replace("BUNDLE 0", "BUNDLE 5")),
                second.answered(answer),
                second.answer(offer),
                first.candidate("candidate:1 1 udp 1 192.0.2.9 4000 typ host"),
                second.candidate("candidate:1 1 udp 1 192.0.2.9 4000 typ"),
            ):
                with self.assertRaises(ValueError):
                    await done(refused)

        self.run_in_loop(test)

    def test_bound_of_candidates(self) -> None:
        """Nobody is sent to look for the other in any number of places."""

        async def test() -> None:
            ada, ben = tones()
            first, second = self.linked(ada, ben)
            await done(second.answer(await done(first.offer())))
            for port in range(links.MOST_CANDIDATES):
                await done(second.candidate(f"candidate:1 1 udp 1 192.0.2.9 {4000 + port} typ host"))
            with self.assertRaises(ValueError):
                await done(second.candidate("candidate:1 1 udp 1 192.0.2.9 5000 typ host"))

        self.run_in_loop(test)

    def test_silence(self) -> None:
        """Of a device from which nothing comes any more the way is lost."""

        async def test() -> None:
            ada, ben = Side(Tone(440), silent_seconds=1.0), Side(Tone(880))
            first, second = self.linked(ada, ben)
            await connect(first, second)
            await until(lambda: ada.ear.hears(880))
            _deafen(first)
            await until(lambda: ada.flows == [*CONNECTED, Flow.FAILED])
            self.assertEqual(ben.flows, CONNECTED)

        self.run_in_loop(test)

    def test_again(self) -> None:
        """What is sent can be sent on another link afterwards, and on two at once."""

        async def test() -> None:
            ada, ben = tones()
            for _ in range(2):
                first, second = self.linked(ada, ben)
                await connect(first, second)
                await until(lambda: ben.ear.hears(440))
            await until(lambda: len(ben.ear.last) == 2)
            await done(self.links[0].close())
            await until(lambda: len(ben.ear.last) == 1 and ben.ear.hears(440))

        self.run_in_loop(test)


class HalfTone(NamedTuple):
    """A tone for half a second, silence for as long, and so on."""

    kind: str = "audio"

    def open(self) -> MediaStreamTrack:
        return _HalfToneTrack(440)


class _HalfToneTrack(ToneTrack):
    def samples(self, at: int) -> "array[int]":
        return super().samples(at) if at // (RATE // 2) % 2 == 0 else array("h", bytes(2 * SAMPLES))


def _lengths(link: Any) -> list[int]:
    """How long each packet of sound is that this one sends from now on, as it is on the line."""
    found: list[int] = []
    way = link._peer.getSenders()[0].transport.transport
    send = way._send

    async def sent(octets: bytes) -> None:
        if 128 <= octets[0] < 192 and octets[1] & 127 >= 96:  # RTP, and no report (RFC 5761)
            found.append(len(octets))
        await send(octets)

    way._send = sent
    return found


def _deafen(link: Any) -> None:
    """Nothing reaches this one any more."""
    transport = link._peer.getTransceivers()[0].receiver.transport.transport
    for protocol in transport._connection._protocols:
        protocol.datagram_received = lambda *_: None


class RelayTests(LinkCase):
    def silent(self) -> Relay:
        """A relay that is there and does not answer."""
        sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sink.bind(("127.0.0.1", 0))
        self.addCleanup(sink.close)
        return Relay([f"turn:127.0.0.1:{sink.getsockname()[1]}"], "name", "secret of the relay")

    def test_a_relay_that_does_not_answer(self) -> None:
        """It goes on without."""
        self.patch(links, "GATHER_SECONDS", 0.1)

        async def test() -> None:
            ada, ben = tones()
            first, second = self.linked(ada, ben, relays=(self.silent(),))
            await connect(first, second)
            await until(lambda: ada.ear.hears(880) and ben.ear.hears(440))

        self.run_in_loop(test)

    def test_relay_only(self) -> None:
        """Without a relay there is no way, and no address of this computer is told."""
        self.patch(links, "CONNECT_SECONDS", 0.2)

        async def test() -> None:
            ada, ben = tones()
            first, second = self.linked(ada, ben, relay_only=True, relays=(self.silent(),))
            offer = await done(first.offer())
            self.assertNotIn("a=candidate", offer)
            self.assertEqual(ada.flows, [Flow.FAILED])
            await done(second.answer(offer))
            await until(lambda: ben.flows == [Flow.CONNECTING, Flow.FAILED])

        self.run_in_loop(test)

    def test_nobody_is_there(self) -> None:
        """It is not looked for without an end."""
        self.patch(links, "CONNECT_SECONDS", 0.2)

        async def test() -> None:
            ada, ben = tones()
            first, second = self.linked(ada, ben)
            answer = await done(second.answer(await done(first.offer())))
            _deafen(first)
            await done(first.answered(answer))
            await until(lambda: ada.flows == [Flow.CONNECTING, Flow.FAILED])

        self.run_in_loop(test)

    def test_direct_ways_come_first(self) -> None:
        """One through a relay is tried later, whatever comes first; at once, where no other is wanted."""
        self.patch(ice, "HEAD_START", 0.05)
        host, relay = (SimpleNamespace(type=each) for each in ("host", "relay"))
        pairs = [(relay, host), (host, relay), (host, host)]

        async def tried(relay_only: bool) -> list[tuple[object, object]]:
            found = []

            async def start(pair: Any) -> None:
                found.append((pair.local_candidate, pair.remote_candidate))

            gatherer: Any = SimpleNamespace(
                _connection=SimpleNamespace(check_start=start, get_component_candidates=start)
            )
            ice.tune(gatherer, 1.0, relay_only=relay_only)
            checks = [SimpleNamespace(local_candidate=a, remote_candidate=b) for a, b in pairs]
            await asyncio.gather(*map(gatherer._connection.check_start, checks))
            return found

        self.assertEqual(asyncio.run(tried(relay_only=False))[0], (host, host))
        self.assertEqual(asyncio.run(tried(relay_only=True)), pairs)

    def test_servers(self) -> None:
        """Nobody but the relay is asked for an address, and nobody where it is not to be known."""
        relay = Relay(["turn:[::1]:3", "stun:b", "http://c", "turns:a:2", "turn:a:1"], "u", "p")
        urls = Servers().of([relay], stun=True)
        self.assertEqual([server.urls for server in urls], ["turns:a:2"])
        relay = relay._replace(urls=relay.urls[4:])
        for stun, wanted in ((True, ["turn:a:1", "stun:a:1"]), (False, ["turn:a:1"])):
            self.assertEqual([server.urls for server in Servers().of([relay], stun)], wanted)
        self.assertEqual(Servers().of([], stun=True), [])
        self.assertEqual(Servers().of([relay._replace(urls=["stun:b"])], stun=True), [])
        self.assertNotIn("secret", repr(self.silent()))

    def test_who_does_not_answer(self) -> None:
        """Is not asked again, as long as there is another one."""
        servers, relay = Servers(), Relay(["turn:a:1", "turn:b:2"], "u", "p")

        def asked(*kinds: str) -> list[object]:
            found = servers.of([relay], stun=True)
            servers.found(found, {"host", *kinds})
            return [server.urls for server in found]

        self.assertEqual(asked("relay"), ["turn:a:1", "stun:a:1"])
        self.assertEqual(asked(), ["turn:a:1"])
        self.assertEqual(asked("relay", "srflx"), ["turn:b:2", "stun:b:2"])
        self.assertEqual(asked(), ["turn:b:2", "stun:b:2"])
        self.assertEqual(asked("relay"), ["turn:a:1"])

    def test_without_asyncio(self) -> None:
        """On another reactor it is said what is missing."""
        with self.assertRaises(NoMedia):
            Side().link()


class OtherTests(LinkCase):
    def test_another_implementation(self) -> None:
        """What offers more than is wanted is answered with what is; and not, where it wants data, too."""

        async def test() -> None:
            ben = Side(Tone(880))
            link, refused = self.linked(ben, Side())
            other, more = RTCPeerConnection(RTCConfiguration([])), RTCPeerConnection(RTCConfiguration([]))
            other.addTransceiver(ToneTrack(440))
            more.addTransceiver("audio")
            more.createDataChannel("more")
            for peer in (other, more):
                await peer.setLocalDescription(await peer.createOffer())
            self.assertIn("PCMU", other.localDescription.sdp)
            answer = await done(link.answer(other.localDescription.sdp))
            self.assertNotIn("PCMU", answer)
            await other.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            await until(lambda: ben.ear.hears(440))
            with self.assertRaises(ValueError):
                await done(refused.answer(more.localDescription.sdp))
            for peer in (other, more):
                await peer.close()

        self.run_in_loop(test)
