"""Requests that wait for their responses: numbered, few at once, none for ever."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred

from bridges.sms.smpp.pdus import LAST_SEQUENCE, Command, Pdu

QUEUE = 1024
"""Requests that may wait until the window has room."""


class Unanswered(Exception):
    """No response: in time, because the connection broke, or because too many wait already.

    `written` is whether the request may have been received.
    """

    def __init__(self, reason: str, written: bool) -> None:
        super().__init__(reason)
        self.written = written


@dataclass(slots=True, eq=False)
class _Request:
    command: Command
    body: bytes = field(repr=False)
    answer: Deferred[Pdu]
    timer: Any = None
    sequence: int = 0


class Requests:
    """Writes requests through `write`, at most `window` unanswered, none for longer than `seconds`.

    `clock` provides IReactorTime.
    """

    def __init__(self, clock: Any, window: int, seconds: float, write: Callable[[Pdu], None]) -> None:
        self._clock = clock
        self._window = window
        self._seconds = seconds
        self._write = write
        self._last = 0
        self._open: dict[int, _Request] = {}
        self._queue: deque[_Request] = deque()

    def __len__(self) -> int:
        return len(self._open) + len(self._queue)

    def send(self, command: Command, body: bytes = b"", urgent: bool = False) -> Deferred[Pdu]:
        """The response; fails with `Unanswered`. What is `urgent` does not wait for the window."""
        answer: Deferred[Pdu] = Deferred(lambda _: self._forget(request))
        request = _Request(command, body, answer)
        if len(self._queue) >= QUEUE:
            answer.errback(Unanswered("busy", written=False))
            return answer
        request.timer = self._clock.callLater(self._seconds, self._fail, request, "timed out")
        if urgent or len(self._open) < self._window:
            self._start(request)
        else:
            self._queue.append(request)
        return answer

    def answered(self, pdu: Pdu) -> None:
        """A response came; what nobody waits for (any more) is nothing to us."""
        request = self._open.get(pdu.sequence)
        if request is None:
            return
        is_its_own = pdu.command == Pdu(request.command, 0).answer().command
        if not is_its_own and pdu.command != Command.GENERIC_NACK:
            return
        self._forget(request)
        request.answer.callback(pdu)

    def fail_all(self, reason: str) -> None:
        # What waits goes first: room in the window would have it written.
        for request in [*self._queue, *self._open.values()]:
            # One that fails may cancel another.
            if not request.answer.called:
                self._fail(request, reason)

    def _start(self, request: _Request) -> None:
        self._last = self._last % LAST_SEQUENCE + 1
        request.sequence = self._last
        self._open[self._last] = request
        self._write(Pdu(request.command, self._last, 0, request.body))

    def _fail(self, request: _Request, reason: str) -> None:
        self._forget(request)
        request.answer.errback(Unanswered(reason, written=request.sequence > 0))

    def _forget(self, request: _Request) -> None:
        if request.timer is not None and request.timer.active():
            request.timer.cancel()
        if request in self._queue:
            self._queue.remove(request)
        self._open.pop(request.sequence, None)
        while self._queue and len(self._open) < self._window:
            self._start(self._queue.popleft())
