"""Launch keys are made known on each connection, and bound anew every 12 hours."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from safeum_home.client.calling.launch import RENEW
from safeum_home.client.errors import ClientError

RETRY = 30.0
"""Seconds until another try, where the node has refused."""
_log = Logger()


class Publishing:
    """`publish` gives the command. Nobody rings, or calls, before it was answered on this connection."""

    def __init__(self, clock: IReactorTime, publish: Callable[[], "Deferred[Any]"]) -> None:
        self._clock = clock
        self._publish = publish
        self._waiting: list[Deferred[None]] = []
        self._timer: IDelayedCall | None = None
        self._connection = 0
        self._done = False

    def online(self) -> None:
        """There is a session on a new connection."""
        self._connection += 1
        self._done = False
        self._try(self._connection)

    def ready(self) -> "Deferred[None]":
        """Fires once it is published, and fails with the `ClientError` that it was refused with."""
        if self._done:
            return succeed(None)
        ready: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(ready)
        return ready

    def _try(self, connection: int) -> None:
        def published(_: object) -> None:
            if connection == self._connection:
                self._done = True
                self._wait(RENEW, connection)
                for ready in self._take():
                    ready.callback(None)

        def failed(failure: Failure) -> None:
            if connection != self._connection:
                return
            self._wait(RETRY, connection)
            if failure.check(ClientError) is None:
                _log.failure("Launch keys cannot be published", failure)
            for ready in self._take():
                ready.errback(failure)

        self._publish().addCallbacks(published, failed)

    def _take(self) -> list["Deferred[None]"]:
        waiting, self._waiting = self._waiting, []
        return waiting

    def _wait(self, seconds: float, connection: int) -> None:
        self._no_timer()
        self._timer = self._clock.callLater(seconds, self._try, connection)

    def _no_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def stop(self, error: ClientError) -> None:
        """Nothing is published any more; who waits gets `error`."""
        self._connection += 1
        self._done = False
        self._no_timer()
        for ready in self._take():
            ready.errback(error)
