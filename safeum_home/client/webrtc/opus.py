"""Sound as it is sent: Opus (RFC 6716) of which all packets are of one length, whatever is said."""

import asyncio
from collections import deque
from fractions import Fraction
from typing import Any

from aiortc import MediaStreamTrack
from av import AudioFrame, AudioResampler, CodecContext, Packet
from av.audio.codeccontext import AudioCodecContext

from safeum_home.client.webrtc.tones import RATE, SAMPLES

BITS = 40_000
"""A second: speech of one channel at its full width."""
OCTETS = BITS // 8 * SAMPLES // RATE
"""Of each packet of 20 ms."""


class OpusTrack(MediaStreamTrack):
    """A track of packets, so that aiortc sends them as they are.

    It would vary their lengths with what is said, and words can be told from lengths (RFC 6562). Silence is
    as long as speech is, so that nobody on the line sees who is muted.
    """

    kind = "audio"

    def __init__(self, sound: MediaStreamTrack) -> None:
        """`sound` gives frames."""
        super().__init__()
        self._sound = sound
        self._encoder = Encoder()
        self._packets: deque[Packet[Any]] = deque()

    async def recv(self) -> "Packet[Any]":
        """The next packet."""
        loop = asyncio.get_running_loop()
        while not self._packets:
            frame = await self._sound.recv()
            assert isinstance(frame, AudioFrame)
            self._packets.extend(await loop.run_in_executor(None, self._encoder.encode, frame))
        return self._packets.popleft()

    def stop(self) -> None:
        """It is not sent any more."""
        super().stop()
        self._sound.stop()


class Encoder:
    """Of one link: what comes is of one form, and follows on what came before."""

    def __init__(self) -> None:
        codec = CodecContext.create("libopus", "w")
        assert isinstance(codec, AudioCodecContext)
        codec.bit_rate, codec.format, codec.layout = BITS, "s16", "mono"
        codec.sample_rate, codec.time_base = RATE, Fraction(1, RATE)
        codec.options = {"application": "voip", "vbr": "off"}
        self._codec = codec
        self._resampler = AudioResampler("s16", "mono", RATE, SAMPLES)
        self._at = 0

    def encode(self, frame: AudioFrame) -> "list[Packet[Any]]":
        """Packets of 20 ms that have become whole; for a thread."""
        found: list[Packet[Any]] = []
        for piece in self._resampler.resample(frame):
            piece.pts, piece.time_base = self._at, Fraction(1, RATE)
            self._at += SAMPLES
            found += self._codec.encode(piece)
        return found
