"""Keys of a telephone, in SIP INFO: `application/dtmf-relay`, and `application/dtmf`."""

import re
from collections import deque
from collections.abc import Callable
from typing import Any

TONE, PAUSE = 0.16, 0.09
"""Seconds: for how long a key is pressed, and until the next."""
MOST = 128
"""Keys that may wait to be pressed; further ones are left out."""
_RELAY = re.compile(r"\s*Signal\s*=\s*([0-9*#A-D])\s*(?:\Z|[\r\n])", re.I)
_PLAIN = re.compile(r"\s*([0-9*#A-D])\s*\Z", re.I)
_FORMS = {"application/dtmf-relay": _RELAY, "application/dtmf": _PLAIN}


def pressed(kind: str, content: str) -> str:
    """The key that a SIP INFO tells of; empty where it tells of none."""
    form = _FORMS.get(kind.lower())
    found = form.match(content) if form is not None else None
    return found[1].upper() if found is not None else ""


class Keypad:
    """Presses keys one after another, as a hand would. `clock` provides IReactorTime."""

    def __init__(self, clock: Any, press: Callable[[str], None]) -> None:
        self._clock = clock
        self._press = press
        self._waiting: deque[str] = deque()
        self._timer: Any = None

    def dial(self, digits: str) -> None:
        self._waiting.extend(digits[: MOST - len(self._waiting)])
        if self._timer is None:
            self._next()

    def stop(self) -> None:
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _next(self) -> None:
        self._timer = None
        if self._waiting:
            self._timer = self._clock.callLater(TONE + PAUSE, self._next)
            self._press(self._waiting.popleft())
