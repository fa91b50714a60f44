"""What several people say at once, as one sound."""

from array import array
from threading import Lock

from safeum_home.client.webrtc.tones import RATE, SAMPLES

MOST = RATE // 2
"""Samples that wait for one who is to be heard: then the oldest are dropped."""
FIRST = 2 * SAMPLES
"""How many have to be there before one is heard, at first and after a gap."""


class Mixer:
    """Takes pieces of any length from each, and gives the sum. For several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: dict[str, array[int]] = {}
        self._ready: set[str] = set()

    @property
    def empty(self) -> bool:
        """Whether nobody is there."""
        return not self._waiting

    def add(self, who: str, samples: "array[int]") -> None:
        """They say this."""
        with self._lock:
            waiting = self._waiting.setdefault(who, array("h"))
            waiting.extend(samples)
            del waiting[: max(0, len(waiting) - MOST)]
            if len(waiting) >= FIRST:
                self._ready.add(who)

    def drop(self, who: str) -> None:
        """They have gone."""
        with self._lock:
            self._waiting.pop(who, None)
            self._ready.discard(who)

    def take(self, count: int) -> "array[int]":
        """So many samples: silence where there is nothing."""
        with self._lock:
            pieces = [self._piece(who, count) for who in sorted(self._ready)]
        if not pieces:
            return array("h", bytes(2 * count))
        if len(pieces) == 1:
            return pieces[0]
        return array("h", [max(-32768, min(32767, sum(each))) for each in zip(*pieces, strict=True)])

    def _piece(self, who: str, count: int) -> "array[int]":
        waiting = self._waiting[who]
        piece = waiting[:count]
        del waiting[:count]
        if len(piece) < count:
            self._ready.discard(who)
            piece.extend(array("h", bytes(2 * (count - len(piece)))))
        return piece
