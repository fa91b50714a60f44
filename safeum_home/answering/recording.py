"""What a caller says, from the tone on: written as it comes, until there is a reason to end."""

from array import array

from safeum_home.answering.hearing import PIECE, RATE, Keys, is_silence
from safeum_home.answering.opus import OpusWriter
from safeum_home.answering.wire import Why

GAP = 2 * RATE
"""Samples: what is missing for so long, or less, is silence in the recording. Beyond that the clock of the
sender has jumped."""
AHEAD = 2 * RATE
"""Samples by which sound may come faster than time goes by: what is beyond is a flood, and left out."""


class Recording:
    """Pieces of any length in, an Ogg Opus file out. Times are in seconds of a clock that only goes on."""

    def __init__(self, seconds: int, silence: int, now: float) -> None:
        self._writer = OpusWriter()
        self._keys = Keys()
        self._most = seconds * RATE
        self._silence = silence
        self._began = self._sounded = now
        self._rest = array("h")
        self._next: int | None = None
        self._samples = 0
        self.heard = 0
        """Milliseconds: where something was heard last."""

    @property
    def milliseconds(self) -> int:
        return self._writer.milliseconds

    def add(self, samples: "array[int]", at: int | None, now: float) -> Why | None:
        """What came, whose first sample has this number by its sender; why it is to end now, if it is."""
        if at is not None:
            self._fill(at, now)
            self._next = at + len(samples)
        return self._put(samples, now) or self.due(now)

    def due(self, now: float) -> Why | None:
        """Whether it is to end, where nothing comes."""
        if self._samples >= self._most or now - self._began >= self._most / RATE:
            return Why.TIME
        return Why.SILENCE if now - self._sounded >= self._silence else None

    def take(self) -> bytes:
        """The octets of the file that there are since it was asked last."""
        return self._writer.take()

    def end(self) -> None:
        """No more comes: then `take` gives the rest."""
        self._writer.end()

    def _fill(self, at: int, now: float) -> None:
        missing = 0 if self._next is None else at - self._next
        if 0 < missing <= GAP:
            self._put(array("h", bytes(2 * missing)), now)

    def _put(self, samples: "array[int]", now: float) -> Why | None:
        room = min(self._most, int((now - self._began) * RATE) + AHEAD) - self._samples - len(self._rest)
        self._rest.extend(samples[: max(0, room)])
        while len(self._rest) >= PIECE:
            piece, self._rest = self._rest[:PIECE], self._rest[PIECE:]
            if self._keys.pressed(piece):
                return Why.KEY
            self._writer.add(piece)
            self._samples += PIECE
            if not is_silence(piece):
                self._sounded, self.heard = now, self._writer.milliseconds
        return None
