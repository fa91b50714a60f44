"""The writer's thread: takes all that waits, commits it at once, and tells the reactor once."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from sqlalchemy import Connection
from twisted.python.failure import Failure

from safeum_home.errors import Code, Problem
from safeum_home.storage.backend import Backend
from safeum_home.storage.group import Group, run
from safeum_home.storage.migrate import migrate
from safeum_home.storage.node import advance, committed

RETRY_AFTER = 2.0

Report = Callable[[Group, list[Any], str | None], None]


def unavailable() -> Failure:
    """Nothing was stored; the same may well succeed soon."""
    return Failure(Problem(Code.STORAGE_UNAVAILABLE, retry_after=RETRY_AFTER))


class Writer:
    """The one writing connection, opened anew after every failure.

    A group takes whole turns until it holds `limit` changes, so that a snapshot is complete up to
    the position in `node`.
    """

    def __init__(self, backend: Backend, limit: int) -> None:
        self.queue: SimpleQueue[Group | None] = SimpleQueue()
        self._backend = backend
        self._limit = limit
        self._connection: Connection | None = None
        self._committed = 0

    def open(self) -> int:
        """Migrate; the last committed position."""
        connection = self._connect()
        try:
            migrate(self._backend, connection)
            with connection.begin():
                self._committed = committed(connection)
        except BaseException:
            connection.close()
            self._backend.close()
            raise
        self._connection = connection
        return self._committed

    def run(self, report: Report) -> None:
        """Commit groups until None comes through the queue. `report` tells outcomes and failed commits."""
        while (group := self._next()) is not None:
            outcomes, outage = self._commit(group)
            report(group, outcomes, outage)
            if self._connection is not None:
                self._upkeep(self._connection)
        self._drop()
        self._backend.close()

    def _next(self) -> Group | None:
        group = self.queue.get()
        if group is None:
            return None
        changes, horizon = group
        while len(changes) < self._limit:
            try:
                more = self.queue.get_nowait()
            except Empty:
                break
            if more is None:
                self.queue.put(None)
                break
            changes += more.changes
            horizon = more.horizon
        return Group(changes, horizon)

    def _commit(self, group: Group) -> tuple[list[Any], str | None]:
        try:
            if self._connection is None:
                self._connection = self._connect()
            with self._connection.begin():
                outcomes = run(self._connection, group.changes, self._backend.outage)
                if group.horizon > self._committed:
                    advance(self._connection, group.horizon)
        except Exception as error:
            # Whatever it was, this connection and its transaction are not to be trusted any more.
            self._drop()
            return [unavailable() for _ in group.changes], self._backend.outage(error) or type(error).__name__
        self._committed = group.horizon
        return outcomes, None

    def _connect(self) -> Connection:
        connection = self._backend.writer()
        try:
            self._backend.claim(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _upkeep(self, connection: Connection) -> None:
        try:
            self._backend.committed(connection)
        except Exception as error:
            if not self._backend.outage(error):
                raise
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()
