"""What a caller hears: the greeting, a tone, and then silence, for as long as he speaks."""

import asyncio
import math
from array import array
from collections.abc import Callable

from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

from safeum_home.answering.hearing import PIECE, RATE
from safeum_home.answering.opus import frame_of

BEEP_HERTZ, BEEP_SECONDS, BEEP_LOUD = 1000.0, 0.5, 8000
_PAUSE = array("h", bytes(2 * RATE // 4))
_SILENCE = array("h", bytes(2 * PIECE))


def beep() -> "array[int]":
    """The tone after which it is recorded."""
    step = 2 * math.pi * BEEP_HERTZ / RATE
    return array("h", (int(BEEP_LOUD * math.sin(step * at)) for at in range(int(RATE * BEEP_SECONDS))))


class PromptTrack(MediaStreamTrack):
    """Plays from `play` on, in real time; before and behind it is silent."""

    kind = "audio"

    def __init__(self, greeting: "array[int]", played: Callable[[], None]) -> None:
        """`played` is called when the tone is over."""
        super().__init__()
        self._beep = len(_PAUSE + greeting)
        self._sound = _PAUSE + greeting + _PAUSE + beep()
        self._played = played
        self._at: int | None = None
        self._sent = 0
        self._began = 0.0

    def play(self) -> None:
        """The caller hears from now on; again is the same."""
        if self._at is None:
            self._at = 0

    def skip(self) -> bool:
        """Go on with the tone; False where that has come already."""
        if self._at is not None and self._at >= self._beep:
            return False
        if self._at is not None:
            self._at = self._beep
        return True

    async def recv(self) -> AudioFrame:
        """The next 20 ms."""
        now = asyncio.get_running_loop().time()
        if self.readyState != "live":
            raise MediaStreamError
        if not self._sent:
            self._began = now
        await asyncio.sleep(self._began + self._sent / RATE - now)
        frame = frame_of(self._piece(), self._sent)
        self._sent += PIECE
        return frame

    def _piece(self) -> "array[int]":
        if self._at is None or self._at >= len(self._sound):
            return _SILENCE
        piece = self._sound[self._at : self._at + PIECE]
        self._at += PIECE
        if self._at >= len(self._sound):
            self._played()
            piece.extend(_SILENCE[len(piece) :])
        return piece
