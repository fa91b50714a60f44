"""Reading connections, each in a thread of its own."""

from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, NamedTuple

from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from safeum_home.storage.backend import Backend
from safeum_home.storage.node import committed
from safeum_home.storage.writer import unavailable


class Read(NamedTuple):
    fn: Callable[[Connection], Any]
    done: Deferred[Any]


Report = Callable[[Read, Any, str | None], None]
"""Told of each read its outcome, and the outage that it met, if any."""


class Reader:
    """Runs reads off the queue that it shares with the other readers, until None comes through it."""

    def __init__(self, backend: Backend, queue: SimpleQueue[Read | None]) -> None:
        self._backend = backend
        self._queue = queue
        self._connection: Connection | None = None

    def run(self, report: Report) -> None:
        # Open at once: SQLite's connections share their view of the log, and one that is first opened while
        # the disk is read-only would keep the writer's from ever writing again.
        self._read(Read(committed, Deferred()))
        while (read := self._queue.get()) is not None:
            # Once more on a new connection: the server may have been restarted since the last read.
            outcome, outage = self._read(read)
            if outage:
                outcome, outage = self._read(read)
            report(read, outcome, outage)
        self._drop()

    def _read(self, read: Read) -> tuple[Any, str | None]:
        try:
            if self._connection is None:
                self._connection = self._backend.reader()
            with self._connection.begin() as snapshot:
                outcome = read.fn(self._connection)
                snapshot.rollback()
            return outcome, None
        except Exception as error:
            outage = self._backend.outage(error)
            if outage:
                self._drop()
                return unavailable(), outage
            return Failure(), None

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()
