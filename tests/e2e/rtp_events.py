"""Keys that are pressed in the midst of sound: RTP events (RFC 4733), which aiortc knows nothing of."""

import asyncio
import struct
from typing import Any

from aiortc.rtp import RtpPacket, is_rtcp

KIND = 101
"""The payload type that is described."""
DIGITS = "0123456789*#ABCD"
_STEP = 160


def described(sdp: str) -> str:
    """An app's description, of one that can do that, too."""
    lines = sdp.rstrip().splitlines()
    lines = [f"{line} {KIND}" if line.startswith("m=audio ") else line for line in lines]
    return "\r\n".join([*lines, f"a=rtpmap:{KIND} telephone-event/8000", f"a=fmtp:{KIND} 0-15", ""])


def pressed(rtp: bytes | None) -> str | None:
    """The key whose end a packet tells of; None for any other packet."""
    if rtp is None or rtp[1] & 127 != KIND:
        return None
    payload = RtpPacket.parse(rtp).payload
    event, flags, _ = struct.unpack("!BBH", payload)
    return DIGITS[event] if flags & 128 else None


def captured(key: str) -> bytes:
    """A key, pressed in a sound of which nothing else is there: as tcpdump writes it, for SIPp to play."""
    file = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for number, payload in enumerate(_payloads(key)):
        packet = RtpPacket(KIND, 0 if number else 1, number, 8000, 0x5EF0, payload).serialize()
        udp = struct.pack("!HHHH", 6000, 6000, 8 + len(packet), 0) + packet
        ip = struct.pack("!BBHIBBHII", 0x45, 0, 20 + len(udp), 0, 64, 17, 0, 0, 0) + udp
        frame = bytes(12) + b"\x08\x00" + ip
        file += struct.pack("<IIII", 1, number * 20_000, len(frame), len(frame)) + frame
    return file


def _payloads(key: str) -> list[bytes]:
    """For 100 ms: the last one is said three times (RFC 4733, section 2.5.1.4)."""
    event = DIGITS.index(key)
    held = [struct.pack("!BBH", event, 10, _STEP * step) for step in range(1, 5)]
    return [*held, *[struct.pack("!BBH", event, 128 | 10, _STEP * 5)] * 3]


class RtpEvents:
    """Stands between an app's media and its sealing: `press` takes the place of packets of sound."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        """Keys of the other side, each once for each packet that tells of its end."""
        self._more = asyncio.Event()
        self._payloads: list[bytes] = []
        self._begun: int | None = None

    def press(self, key: str) -> None:
        self._payloads = _payloads(key)

    async def until_heard(self, key: str) -> None:
        while key not in self.heard:
            await self._more.wait()
            self._more.clear()

    def stand_between(self, transport: Any) -> None:
        send, handle = transport._send_rtp, transport._handle_rtp_data

        async def sent(data: bytes) -> None:
            await send(data if is_rtcp(data) else self._instead(data))

        async def handled(data: bytes, arrival_time_ms: int) -> None:
            if (key := pressed(data)) is not None:
                self.heard.append(key)
                self._more.set()
            await handle(data, arrival_time_ms=arrival_time_ms)

        transport._send_rtp, transport._handle_rtp_data = sent, handled

    def _instead(self, data: bytes) -> bytes:
        """All packets of an event have the time at which it began."""
        if not self._payloads:
            self._begun = None
            return data
        packet = RtpPacket.parse(data)
        packet.marker = 1 if self._begun is None else 0
        self._begun = packet.timestamp if self._begun is None else self._begun
        packet.payload_type, packet.timestamp = KIND, self._begun
        packet.payload = self._payloads.pop(0)
        return packet.serialize()
