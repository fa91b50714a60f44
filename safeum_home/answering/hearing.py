"""What is heard in pieces of 20 ms of telephone sound: whether it is silence, and whether # is pressed."""

import math
from array import array
from collections.abc import Sequence

RATE = 8000
"""Samples of a second, of 16 bit, mono: G.711 has no more."""
PIECE = 160
"""Samples of 20 ms."""
QUIET = 200
"""Mean amplitude (of 32767) up to which it is silence: some -44 dBov, the noise of a quiet line."""
_HASH = (941.0, 1477.0)
"""The two tones of # (ITU-T Q.23)."""
_SHARE, _EACH = 0.85, 0.2
"""What part of all that is heard the two tones are, and each of them at least: speech is more than those."""
_TIMES = 2
"""Pieces that are to have them one after the other: a key is pressed for 40 ms at least (ITU-T Q.24)."""


def is_silence(samples: Sequence[int]) -> bool:
    """Whether nobody says anything in it."""
    return sum(map(abs, samples)) <= QUIET * len(samples)


class Keys:
    """Looks for # in sound, as carriers send keys where these are signalled in no other way."""

    def __init__(self) -> None:
        self._times = 0

    def pressed(self, samples: "array[int]") -> bool:
        """Whether # is pressed by now."""
        self._times = self._times + 1 if is_hash(samples) else 0
        return self._times >= _TIMES


def is_hash(samples: Sequence[int]) -> bool:
    """Whether this is the sound of #."""
    energy = sum(sample * sample for sample in samples)
    if energy <= QUIET * QUIET * len(samples):
        return False
    shares = [_share(samples, hertz, energy) for hertz in _HASH]
    return sum(shares) >= _SHARE and min(shares) >= _EACH


def _share(samples: Sequence[int], hertz: float, energy: int) -> float:
    """What part of the energy a tone has (Goertzel)."""
    factor = 2 * math.cos(2 * math.pi * hertz / RATE)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + factor * last - before
    power = before * before + last * last - factor * before * last
    return power / (energy * len(samples) / 2)
