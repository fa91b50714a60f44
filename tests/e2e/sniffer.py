"""What goes over a cable: packets of calls, and whether anybody who has them hears anything."""

import socket
import struct
from array import array
from collections.abc import Sequence
from threading import Event, Thread
from typing import NamedTuple

import av
from aiortc.rtp import RtpPacket
from av import AudioFrame

from safeum_home.client.webrtc.hearing import mono
from safeum_home.client.webrtc.tones import RATE, share

_ALL = 0x0003
_PIECE = 9600


class Datagram(NamedTuple):
    """UDP over IPv4."""

    source: str
    target: str
    octets: bytes

    @property
    def rtp(self) -> bytes | None:
        """What looks like RTP (RFC 7983), also within a relay's channel (RFC 8656, section 12.4)."""
        inner = self.octets[4:] if self.octets[:1] and 0x40 <= self.octets[0] <= 0x4F else self.octets
        return inner if len(inner) > 12 and 128 <= inner[0] < 192 and not 192 <= inner[1] < 224 else None


class Sniffer:
    """`with Sniffer("veth") as sniffer`: afterwards it has what went over it meanwhile."""

    def __init__(self, interface: str) -> None:
        self.datagrams: list[Datagram] = []
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL))
        self._socket.bind((interface, 0))
        self._socket.settimeout(0.1)
        self._over = Event()
        self._thread = Thread(target=self._listen)

    def __enter__(self) -> "Sniffer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                frame = self._socket.recv(65536)
            except TimeoutError:
                continue
            if frame[12:14] == b"\x08\x00" and frame[23] == socket.IPPROTO_UDP:
                header = 14 + (frame[14] & 15) * 4
                length = struct.unpack("!H", frame[header + 4 : header + 6])[0]
                source, target = socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34])
                self.datagrams.append(Datagram(source, target, frame[header + 8 : header + length]))

    @property
    def media(self) -> list[Datagram]:
        return [each for each in self.datagrams if each.rtp is not None]

    def ways(self) -> set[tuple[str, str]]:
        """Between whom sound went."""
        return {(each.source, each.target) for each in self.media}

    def payloads(self) -> dict[int, list[bytes]]:
        """What stands behind the headers, by the stream that it is of."""
        found: dict[int, list[bytes]] = {}
        for each in self.media:
            packet = RtpPacket.parse(each.rtp or b"")
            found.setdefault(packet.ssrc, []).append(packet.payload)
        return found


def loudest(payloads: Sequence[bytes], hertz: float) -> float:
    """How much of a tone is heard of these as Opus, at most: as they are, and with trailers cut off."""
    found = 0.0
    for trailer in (0, 4, 10, 14, 16, 20):
        heard = _decoded([payload[: len(payload) - trailer] for payload in payloads])
        pieces = [heard[at : at + _PIECE] for at in range(0, len(heard) - _PIECE, _PIECE)]
        found = max([found, *(share(piece, hertz) for piece in pieces)])
    return found


def _decoded(payloads: Sequence[bytes]) -> "array[int]":
    codec = av.AudioCodecContext.create("libopus", "r")
    codec.format, codec.layout, codec.sample_rate = "s16", "stereo", RATE
    heard = array("h")
    for payload in payloads:
        try:
            frames = codec.decode(av.Packet(payload))
        except av.FFmpegError:
            continue
        for frame in frames:
            assert isinstance(frame, AudioFrame)
            heard.extend(mono(frame))
    return heard
