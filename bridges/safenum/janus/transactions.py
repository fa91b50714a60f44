"""Requests to Janus that wait for its answer: few at once, none for ever."""

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from twisted.internet.defer import Deferred

from bridges.safenum.janus.messages import Frame
from bridges.safenum.janus.requests import Request, written

MOST = 4096
"""Requests that may be unanswered at once."""


class Unanswered(Exception):
    """No answer in time, a refusal, or the connection is gone. Quotes nothing."""


class _Open(NamedTuple):
    answer: "Deferred[Frame]"
    timer: Any
    wants_event: bool
    """Janus takes a message for a plugin with an `ack`; what comes of it is an event."""


class Transactions:
    """Writes requests through `write`. `clock` provides IReactorTime; `credentials` go with each of them."""

    def __init__(
        self,
        clock: Any,
        seconds: float,
        write: Callable[[bytes], None],
        credentials: Callable[[], dict[str, str]],
    ) -> None:
        self._clock = clock
        self._seconds = seconds
        self._write = write
        self._credentials = credentials
        self._open: dict[str, _Open] = {}

    def __len__(self) -> int:
        return len(self._open)

    def ask(self, request: Request, event: bool = False) -> tuple[str, "Deferred[Frame]"]:
        """The name of the transaction; and `ack` or `success`, or where it is wanted the first event of it.

        The second fails with `Unanswered`, not before this returns.
        """
        name = os.urandom(12).hex()
        answer: Deferred[Frame] = Deferred()
        if len(self._open) >= MOST:
            timer = self._clock.callLater(0, self._fail, name, "too many requests")
            self._open[name] = _Open(answer, timer, event)
            return name, answer
        timer = self._clock.callLater(self._seconds, self._fail, name, "no answer in time")
        self._open[name] = _Open(answer, timer, event)
        self._write(written(msgspec.structs.replace(request, transaction=name, **self._credentials())))
        return name, answer

    def answered(self, frame: Frame) -> bool:
        """Whether a frame is what somebody waits for."""
        asked = self._open.get(frame.transaction)
        if asked is None or frame.janus == ("ack" if asked.wants_event else "event"):
            return False
        if frame.janus == "error":
            self._fail(frame.transaction, f"error {0 if frame.error is None else frame.error.code}")
        else:
            self._forget(frame.transaction).callback(frame)
        return True

    def fail_all(self, reason: str) -> None:
        for name in list(self._open):
            if name in self._open:  # one that fails may have others forgotten
                self._fail(name, reason)

    def _fail(self, name: str, reason: str) -> None:
        self._forget(name).errback(Unanswered(reason))

    def _forget(self, name: str) -> "Deferred[Frame]":
        asked = self._open.pop(name)
        if asked.timer.active():
            asked.timer.cancel()
        return asked.answer
