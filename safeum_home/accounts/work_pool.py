"""Threads for work that costs processor time: bounded, so that a flood of it cannot starve the node."""

from collections.abc import Callable
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from safeum_home.errors import Code, Problem

T = TypeVar("T")


class WorkPool:
    """More than `threads + queue` at once are refused with `rate_limited`."""

    def __init__(self, reactor: IReactorFromThreads, name: str, threads: int, queue: int) -> None:
        self._reactor = reactor
        self._pool = ThreadPool(threads, threads, name)
        self._bound = threads + queue
        self._waiting = 0
        self._stopping = False

    def start(self) -> None:
        self._pool.start()

    def stop(self) -> None:
        """Wait for what is under way, which blocks; what waits fails with `shutting_down`."""
        self._stopping = True
        if self._pool.started:
            self._pool.stop()

    def check(self) -> None:
        """Raise `rate_limited` where `run` would, before anything is counted against anybody."""
        if self._waiting >= self._bound:
            raise Problem(Code.RATE_LIMITED, retry_after=1.0)

    def run(self, work: Callable[[], T]) -> "Deferred[T]":
        """Do `work` in a thread; raises `rate_limited`."""
        self.check()
        return self.must(work)

    def must(self, work: Callable[[], T]) -> "Deferred[T]":
        """The same for the node's own work, which is never refused: whoever gives it has one at a time."""
        self._waiting += 1

        def done(result: T | Failure) -> T | Failure:
            self._waiting -= 1
            return result

        def unless_stopping() -> T:
            if self._stopping:
                raise Problem(Code.SHUTTING_DOWN)
            return work()

        deferred: Deferred[T] = deferToThreadPool(self._reactor, self._pool, unless_stopping)
        return deferred.addBoth(done)
