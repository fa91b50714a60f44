"""Bodies that are taken as they come: bounded in memory, their senders held back by whoever takes them."""

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, Protocol

from twisted.internet.defer import Deferred, succeed

from safeum_home.errors import Code, Problem

HIGH = 128 * 1024
"""Octets that are held at the most, besides one read of the transport's."""
SWALLOWED = 64 * 1024
"""Octets of a body that was refused which are still read, so that the answer is one like any other."""


class Channel(Protocol):
    """The connection, as a body sees it."""

    def hold(self) -> None: ...
    def go_on(self) -> None: ...
    def refuse(self, problem: Problem, headers: Iterable[tuple[str, str]] = ()) -> None: ...


class _State(Enum):
    COMES = "comes"
    ENDED = "ended"
    BROKEN = "broken"


class Body:
    """`ports.files.Intake` of one request. `outcome` is what becomes of it, for who answers the request."""

    def __init__(self, channel: Channel, length: int | None) -> None:
        self._channel: Channel | None = channel
        self._length = length
        self._state = _State.COMES
        self._buffer = bytearray()
        self._came = 0
        self._least = HIGH
        self._waiting: Deferred[bytes] | None = None
        self._unwanted = False
        self.outcome: Deferred[Any] = Deferred()

    # --- what the reader does

    @property
    def broken(self) -> bool:
        return self._state is _State.BROKEN

    def take(self, least: int) -> Deferred[bytes]:
        self._least = least
        if len(self._buffer) >= least or self._state is not _State.COMES:
            return succeed(self._all())
        self._waiting = Deferred()
        if self._channel is not None:
            self._channel.go_on()
        return self._waiting

    def stop(self) -> None:
        complete = self._state is not _State.COMES
        self._unwanted = True
        if not complete:
            self._end(_State.BROKEN)
            self._refuse(Problem(Code.WRONG_OFFSET, "the upload goes on elsewhere"))

    def refuse(self, problem: Problem, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Nothing more of it is taken. A long rest is not waited for: the answer is given at once."""
        self._unwanted = True
        self._buffer.clear()
        if self._state is _State.COMES:
            if (
                self._length is not None
                and self._length - self._came <= SWALLOWED
                and self._channel is not None
            ):
                self._channel.go_on()
            else:
                self._refuse(problem, headers)

    # --- what comes from the connection

    def received(self, data: bytes) -> None:
        self._came += len(data)
        if self._unwanted or self._state is not _State.COMES:
            return
        self._buffer += data
        if self._waiting is not None and len(self._buffer) >= self._least:
            self._tell()
        elif (
            self._waiting is None
            and len(self._buffer) >= max(HIGH, self._least)
            and self._channel is not None
        ):
            self._channel.hold()

    def ended(self) -> None:
        """All of it came."""
        if self._channel is not None:
            self._channel.go_on()
        self._end(_State.ENDED)

    def lost(self) -> None:
        """The connection is gone."""
        self._channel = None
        self._end(_State.BROKEN)

    def _end(self, state: _State) -> None:
        if self._state is _State.COMES:
            self._state = state
            if self._waiting is not None:
                self._tell()

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(self._all())

    def _all(self) -> bytes:
        octets = bytes(self._buffer)
        self._buffer.clear()
        if self._state is _State.COMES and self._channel is not None:
            self._channel.go_on()
        return octets

    def _refuse(self, problem: Problem, headers: Iterable[tuple[str, str]] = ()) -> None:
        if self._channel is not None:
            self._channel.refuse(problem, headers)


Streams = Callable[[Any, bytes, bytes, "int | None"], "Body | None"]
"""Takes the body of a request, with its method, path and length, as it comes; or leaves it alone (None)."""


def no_streams(_request: Any, _method: bytes, _path: bytes, _length: int | None) -> None:
    """Takes none."""
