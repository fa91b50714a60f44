"""Tones: one that is played, and whether one is heard (Goertzel's algorithm)."""

import asyncio
import math
from array import array
from fractions import Fraction

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

RATE = 48_000
SAMPLES = 960
"""20 ms, as Opus has them."""
LOUD = 8000
HEARD = 0.5
"""Of the power of all that is heard a tone has at least so much."""


def frame_of(samples: "array[int]", at: int) -> AudioFrame:
    """A frame of 16 bit samples, mono; `at` is its time in samples."""
    frame = AudioFrame(format="s16", layout="mono", samples=len(samples))
    frame.planes[0].update(samples.tobytes())
    frame.pts, frame.sample_rate, frame.time_base = at, RATE, Fraction(1, RATE)
    return frame


class Paced(MediaStreamTrack):
    """A track of sound that is made as it is played: 20 ms at a time."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._at = 0
        self._begun: float | None = None

    def samples(self, at: int) -> "array[int]":
        """`SAMPLES` samples from `at` on: silence."""
        return array("h", bytes(2 * SAMPLES))

    async def recv(self) -> AudioFrame:
        """The next frame, when it is due."""
        if self.readyState != "live":
            raise MediaStreamError
        now = asyncio.get_running_loop().time()
        if self._begun is None:
            self._begun = now
        await asyncio.sleep(max(0.0, self._begun + self._at / RATE - now))
        frame = frame_of(self.samples(self._at), self._at)
        self._at += SAMPLES
        return frame


class ToneTrack(Paced):
    """A sine of so many hertz."""

    def __init__(self, hertz: float) -> None:
        super().__init__()
        self._step = 2 * math.pi * hertz / RATE

    def samples(self, at: int) -> "array[int]":
        """A piece of the sine."""
        step = self._step
        return array("h", [int(LOUD * math.sin(step * (at + index))) for index in range(SAMPLES)])


def share(samples: "array[int]", hertz: float) -> float:
    """What part of the power of `samples` (mono, `RATE`) is in a tone: from 0 to 1."""
    total = sum(each * each for each in samples)
    if total == 0:
        return 0.0
    turn = 2 * math.cos(2 * math.pi * hertz / RATE)
    last = before = 0.0
    for each in samples:
        last, before = each + turn * last - before, last
    power = last * last + before * before - turn * last * before
    return 2 * power / (len(samples) * total)


def is_heard(samples: "array[int]", hertz: float) -> bool:
    """Whether `samples` are mostly that tone, and not silence."""
    loud = sum(abs(each) for each in samples) > 100 * len(samples)
    return loud and share(samples, hertz) >= HEARD
