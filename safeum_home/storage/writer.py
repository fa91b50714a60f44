"""The writer's thread: takes all that waits, commits it at once, and tells the reactor once."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from time import sleep
from typing import Any

from sqlalchemy import Connection
from twisted.python.failure import Failure

from safeum_home.errors import Code, Problem
from safeum_home.storage.backend import Backend
from safeum_home.storage.group import Group, run
from safeum_home.storage.migrate import migrate
from safeum_home.storage.node import Marks, advance, marks

RETRY_AFTER = 2.0
TRIES, PAUSE = 8, 0.25
"""How often, and how many seconds apart, a database is asked what became of a commit that failed."""

Report = Callable[[Group, list[Any], str | None], None]


def unavailable() -> Failure:
    """Nothing was stored; the same may well succeed soon."""
    return Failure(Problem(Code.STORAGE_UNAVAILABLE, retry_after=RETRY_AFTER))


class WrittenByAnother(Exception):
    """Somebody else has written to the database since this process last did: its positions are stale."""


class Writer:
    """The one writing connection, opened anew after every failure.

    A commit that fails may have happened all the same: its answer can be lost with the connection. Each
    group has a number, so the database is asked before anybody is told, and before the next group.

    A group takes whole turns until it holds `limit` changes, so that a snapshot is complete up to
    the position in `node`.
    """

    def __init__(self, backend: Backend, limit: int) -> None:
        self.queue: SimpleQueue[Group | None] = SimpleQueue()
        self._backend = backend
        self._limit = limit
        self._connection: Connection | None = None
        self._reached = Marks(0, 0)
        self._doubtful = False

    def open(self) -> int:
        """Migrate; the last committed position."""
        try:
            self._backend.open()
            self._connection = self._backend.writer()
            migrate(self._backend, self._connection)
            with self._connection.begin():
                self._reached = marks(self._connection)
        except BaseException:
            self._drop()
            self._backend.close()
            raise
        return self._reached.committed

    def run(self, report: Report, stored_late: Callable[[], None]) -> None:
        """Commit groups until None comes through the queue. `report` tells outcomes and failed commits.

        `stored_late` is called where a group that was reported as failed turns out to be stored.
        """
        while (group := self._next()) is not None:
            outcomes, outage = self._commit(group, stored_late)
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

    def _commit(self, group: Group, stored_late: Callable[[], None]) -> tuple[list[Any], str | None]:
        outcomes = None
        try:
            connection = self._connected(stored_late)
            reached = Marks(max(group.horizon, self._reached.committed), self._reached.groups + 1)
            with connection.begin():
                outcomes = run(connection, group.changes, self._backend.outage)
                advance(connection, reached)
        except Exception as error:
            # Whatever it was, this connection and its transaction are not to be trusted any more.
            self._drop()
            if outcomes is None or not self._was_stored(reached):
                outage = self._backend.outage(error) or type(error).__name__
                return [unavailable() for _ in group.changes], outage
        self._reached = reached
        return outcomes, None

    def _was_stored(self, reached: Marks) -> bool:
        """Whether a commit that failed has happened; where nobody answers it stays in doubt."""
        for _ in range(TRIES):
            try:
                self._connection = self._backend.writer()
                with self._connection.begin():
                    found = marks(self._connection)
            except Exception:
                self._drop()
                sleep(PAUSE)
                continue
            if found != self._reached:
                self._drop()  # to be looked at again where it is neither
            return found == reached
        self._doubtful = True
        return False

    def _connected(self, stored_late: Callable[[], None]) -> Connection:
        if self._connection is None:
            self._connection = self._backend.writer()
            with self._connection.begin():
                found = marks(self._connection)
            if found != self._reached:
                if not self._doubtful or found.groups != self._reached.groups + 1:
                    raise WrittenByAnother
                self._reached = found
                stored_late()
            self._doubtful = False
        return self._connection

    def _upkeep(self, connection: Connection) -> None:
        try:
            self._backend.committed(connection)
        except Exception:
            # The changes are stored; what is wrong will show with the next ones.
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()
