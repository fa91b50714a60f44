"""Two things that are done once for many connections: coarse timeouts, and the writes of a turn."""

from collections.abc import Callable
from math import ceil
from typing import Any, Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

_log = Logger()


class Timeout:
    """A timeout that can be cancelled, also when it is over."""

    __slots__ = ("_bucket", "_call")

    def __init__(self, bucket: "dict[Timeout, None]", call: Callable[[], object]) -> None:
        self._bucket = bucket
        self._call = call
        bucket[self] = None

    def cancel(self) -> None:
        self._bucket.pop(self, None)


class Timeouts:
    """Timeouts rounded up to `step` seconds: one delayed call serves all that end together.

    It is also the timer that autobahn expects of a factory (txaio's `IBatchedTimer`), whose own
    would run on the global reactor, fire early and search a list at each cancellation.
    """

    def __init__(self, reactor: IReactorTime, step: float = 0.25) -> None:
        self._reactor = reactor
        self._step = step
        self._buckets: dict[int, dict[Timeout, None]] = {}

    def call_later(self, delay: float, call: Callable[..., object], *args: Any) -> Timeout:
        """Call in `delay` seconds, or up to `step` later."""
        now = self._reactor.seconds()
        tick = ceil((now + delay) / self._step)
        bucket = self._buckets.get(tick)
        if bucket is None:
            bucket = self._buckets[tick] = {}
            self._reactor.callLater(max(0.0, tick * self._step - now), self._fire, tick)
        return Timeout(bucket, (lambda: call(*args)) if args else call)

    def _fire(self, tick: int) -> None:
        bucket = self._buckets.pop(tick)
        while bucket:
            timeout = next(iter(bucket))
            timeout.cancel()
            try:
                timeout._call()
            except Exception:
                _log.failure("a timeout failed")


class Flushable(Protocol):
    def flush(self) -> None: ...


class TurnEnd:
    """Calls `flush` of each that asked for it, once the reactor has read what there was to read."""

    def __init__(self, reactor: IReactorTime) -> None:
        self._reactor = reactor
        self._waiting: list[Flushable] = []

    def add(self, flushable: Flushable) -> None:
        """Flush it at the end of this turn."""
        if not self._waiting:
            self._reactor.callLater(0, self._flush)
        self._waiting.append(flushable)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for flushable in waiting:
            try:
                flushable.flush()
            except Exception:
                _log.failure("a connection could not be written to")
