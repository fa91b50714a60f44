"""Answers that are taken as they come: bounded in memory, their senders held back by whoever takes them.

A connection of its own for each, which is closed afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import HTTPConnectionPool, ResponseDone
from twisted.web.iweb import IAgent

from safeum_home.outgoing.answers import IN_TIME, NoAnswer, no_answer, read_body
from safeum_home.outgoing.connection import ConnectionFactory
from safeum_home.outgoing.http import HttpLimits, Outgoing

HIGH = 128 * 1024
"""Octets that are held at the most, besides one read of the transport's."""
IDLE, LEAST_RATE = 30.0, 4 * 1024
"""Seconds for which nothing of what is waited for may come, and octets that have to come in each one more."""
LONGEST_PROBLEM = 64 * 1024


class BodyStream(Protocol):
    """`ports.files.Intake` of an answer; `ended` fires when nothing more comes of it."""

    transport: Any

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._buffer = bytearray()
        self._least = HIGH
        self._waiting: Deferred[bytes] | None = None
        self._late: IDelayedCall | None = None
        self._over = self._held = False
        self._connection: Any = None
        self.broken = False
        self.ended: Deferred[None] = Deferred()

    # --- what the reader does

    def take(self, least: int) -> Deferred[bytes]:
        """As `Intake.take`. What comes too slowly breaks off."""
        self._least = least
        if len(self._buffer) >= least or self._over:
            return succeed(self._all())
        self._waiting = Deferred()
        self._late = self._clock.callLater(IDLE + least / LEAST_RATE, self.stop)
        self._go_on()
        return self._waiting

    def stop(self) -> None:
        """Take nothing more, and cut the connection off."""
        self._end(broken=True)

    # --- what comes

    def connectionMade(self) -> None:
        # The stand-in for the connection can only lose that, and nothing any more at the end. Over TLS it
        # waits for the peer then, who may be one that does not stop, nor go.
        self._connection = getattr(self.transport, "_producer", None)

    def dataReceived(self, data: bytes) -> None:
        if self._over:
            return
        self._buffer += data
        if self._waiting is not None and len(self._buffer) >= self._least:
            self._tell()
        elif self._waiting is None and len(self._buffer) >= max(HIGH, self._least) and not self._held:
            self._held = True
            self.transport.pauseProducing()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._end(broken=reason.check(ResponseDone) is None)

    def _end(self, broken: bool) -> None:
        if self._over:
            return
        self._over, self.broken = True, broken
        if self._connection is not None:
            self._connection.abortConnection()
        if self._waiting is not None:
            self._tell()
        self.ended.callback(None)

    def _tell(self) -> None:
        if self._late is not None and self._late.active():
            self._late.cancel()
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(self._all())

    def _all(self) -> bytes:
        octets = bytes(self._buffer)
        self._buffer.clear()
        self._go_on()
        return octets

    def _go_on(self) -> None:
        if self._held and not self._over:
            self._held = False
            self.transport.resumeProducing()


@dataclass(frozen=True, slots=True)
class Streamed:
    """The head of an answer, and its body as it comes. `length` is None where it is not told.

    `stop` the body, whatever happens. Of an answer that is not 200 the body was read: `problem`.
    """

    status: int
    length: int | None
    type: str
    body: BodyStream
    problem: bytes = b""


class Stream:
    """A request of which the answer is streamed. `base` is a checked URL without a slash at its end."""

    def __init__(self, reactor: Any, base: str, agent: IAgent, seconds: float) -> None:
        """`seconds` pass at the most until the head of the answer is there."""
        self._reactor = reactor
        self._seconds = seconds
        self._outgoing = Outgoing(reactor, base, agent, HttpLimits())

    def open(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> "Deferred[Streamed]":
        """Ask; fails with `NoAnswer` and with nothing else."""
        asked = Deferred.fromCoroutine(self._open(method, path, headers, body))

        def too_late(_result: object, _seconds: float) -> Streamed:
            raise NoAnswer(IN_TIME)

        def failed(failure: Failure) -> Failure:
            # Not raised: then what failed would hang on to it as its context.
            return Failure(no_answer(failure))

        asked.addTimeout(self._seconds, self._reactor, too_late)
        return asked.addErrback(failed)

    async def _open(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Streamed:
        response = await self._outgoing.head(method, path, headers, body)
        length = response.length if isinstance(response.length, int) else None
        kind = (response.headers.getRawHeaders(b"Content-Type") or [b""])[0].decode("latin-1")
        stream = BodyStream(self._reactor)
        if response.code != 200:
            problem = await read_body(response, LONGEST_PROBLEM)
            stream.connectionLost()
            return Streamed(response.code, length, kind, stream, problem)
        response.deliverBody(stream)
        return Streamed(response.code, length, kind, stream)


class OnePool(HTTPConnectionPool):
    """Keeps no connection."""

    _factory = ConnectionFactory

    def __init__(self, reactor: Any) -> None:
        super().__init__(reactor, persistent=False)
        # It would ask twice.
        self.retryAutomatically = False
