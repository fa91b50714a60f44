"""Keys that are pressed (DTMF), one after the other: the other side hears each for itself."""

from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall

from safeum_home.errors import Code, Problem

EVERY = 0.2
"""Seconds from key to key: 100 ms of tone and as much of silence (ITU-T Q.24 asks for 40 ms of each)."""
MOST = 64
"""Keys that wait; more are refused."""


class Keypad:
    """That of one call. `clock` provides IReactorTime; `press` is told of each key in its turn."""

    def __init__(self, clock: Any, press: Callable[[str], None]) -> None:
        self._clock = clock
        self._press = press
        self._waiting: deque[str] = deque()
        self._next: IDelayedCall | None = None

    def press(self, digits: str) -> None:
        """Raises `rate_limited` where too many wait, and takes none then."""
        if len(self._waiting) + len(digits) > MOST:
            raise Problem(Code.RATE_LIMITED, retry_after=len(digits) * EVERY)
        self._waiting.extend(digits)
        if self._next is None:
            self._step()

    def stop(self) -> None:
        """The call is over."""
        self._waiting.clear()
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _step(self) -> None:
        self._next = None
        if self._waiting:
            self._next = self._clock.callLater(EVERY, self._step)
            self._press(self._waiting.popleft())
