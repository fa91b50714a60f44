"""Sound as it goes over a trunk: G.711 (ITU-T), A-law and u-law."""

import math
from array import array
from collections.abc import Sequence
from fractions import Fraction

import av
from aiortc.rtp import RtpPacket
from av import AudioFrame

from safeum_home.client.webrtc import tones
from tests.e2e.sniffer import Datagram

RATE = 8000
CODECS = {0: "pcm_mulaw", 8: "pcm_alaw"}
"""By payload type (RFC 3551)."""


def tone(hertz: float, seconds: float) -> bytes:
    """A tone as A-law octets."""
    step = 2 * math.pi * hertz / RATE
    samples = array("h", [int(8000 * math.sin(step * at)) for at in range(int(RATE * seconds))])
    frame = AudioFrame(format="s16", layout="mono", samples=len(samples))
    frame.planes[0].update(samples.tobytes())
    frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
    codec = av.AudioCodecContext.create("pcm_alaw", "w")
    codec.format, codec.layout, codec.sample_rate = "s16", "mono", RATE
    codec.time_base = Fraction(1, RATE)
    return b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)])


def samples(payload_type: int, payloads: Sequence[bytes]) -> "array[int]":
    """16 bit samples, mono, at `RATE`."""
    codec = av.AudioCodecContext.create(CODECS[payload_type], "r")
    assert isinstance(codec, av.AudioCodecContext)
    codec.layout, codec.sample_rate = "mono", RATE
    heard = array("h")
    for payload in payloads:
        for frame in codec.decode(av.Packet(payload)):
            assert isinstance(frame, AudioFrame)
            heard.frombytes(bytes(frame.planes[0])[: frame.samples * 2])
    return heard


def said(datagrams: Sequence[Datagram], source: str, target: str) -> "array[int]":
    """What went in clear from one address to another, in the order of its packets."""
    heard = array("h")
    for each in streams(datagrams, source, target):
        heard.extend(each)
    return heard


def streams(datagrams: Sequence[Datagram], source: str, target: str) -> "list[array[int]]":
    """The same, of each stream for itself."""
    found: dict[tuple[int, int], list[tuple[int, bytes]]] = {}
    for each in datagrams:
        if (each.source, each.target) == (source, target) and each.rtp is not None:
            packet = RtpPacket.parse(each.rtp)
            if packet.payload_type in CODECS:
                key = packet.payload_type, packet.ssrc
                found.setdefault(key, []).append((packet.sequence_number, packet.payload))
    return [samples(kind, [payload for _, payload in packets]) for (kind, _), packets in found.items()]


def is_heard(heard: "array[int]", hertz: float) -> bool:
    """Whether half a second of it is mostly a tone."""
    size = RATE // 2
    scaled = hertz * tones.RATE / RATE
    return any(tones.is_heard(heard[at : at + size], scaled) for at in range(0, len(heard) - size + 1, size))
