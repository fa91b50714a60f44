"""What a voice note says of itself: how long it is, and how loud it is at equal distances."""

from array import array
from itertools import chain, pairwise
from math import sqrt
from pathlib import Path
from typing import NamedTuple

import av
from av import AudioResampler

from safeum_home.client.errors import NoMedia
from safeum_home.client.webrtc.sources import SOUNDS

RATE = 8000
STEP = RATE // 10
"""Samples of which the loudness is taken."""
MOST_SECONDS = 3600
POINTS = 128
_LOUDEST = 32768


class VoiceNote(NamedTuple):
    """`duration` is in milliseconds; `wave` has an octet for each of up to 128 equal parts of it."""

    duration: int
    wave: bytes


def voice_note(path: Path) -> VoiceNote:
    """Of a sound file. It blocks; raises OSError, and `NoMedia`, also of more than an hour."""
    loudness, rest = list[float](), array("h")
    resampler, samples = AudioResampler("s16", "mono", RATE), 0
    with path.open("rb") as file:
        try:
            with av.open(file, "r", options=SOUNDS) as source:
                # The end of a sound is within the resampler until that is told of no more.
                for frame in chain(source.decode(audio=0), [None]):
                    for part in resampler.resample(frame):
                        samples += part.samples
                        rest.frombytes(bytes(part.planes[0])[: 2 * part.samples])
                    while len(rest) >= STEP:
                        loudness.append(_loud(rest[:STEP]))
                        del rest[:STEP]
                    if samples > MOST_SECONDS * RATE:
                        raise NoMedia("a voice note has an hour at the most")
        except (av.FFmpegError, ValueError, IndexError):
            raise NoMedia("there is no sound in it that can be read") from None
    if rest:
        loudness.append(_loud(rest))
    if not samples:
        raise NoMedia("there is no sound in this file")
    return VoiceNote(samples * 1000 // RATE, _parted(loudness))


def _loud(samples: "array[int]") -> float:
    """The root mean square."""
    return sqrt(sum(each * each for each in samples) / len(samples))


def _parted(loudness: list[float]) -> bytes:
    """The loudest of each part; a square root, so that what is said softly is to be seen."""
    points = min(POINTS, len(loudness))
    edges = [each * len(loudness) // points for each in range(points + 1)]
    parts = (max(loudness[low:high]) for low, high in pairwise(edges))
    return bytes(min(255, round(255 * sqrt(each / _LOUDEST))) for each in parts)
