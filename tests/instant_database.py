"""A database whose Deferreds have fired when they are returned, so that a domain is tested without waiting.

Schema, statements, savepoints and groups are the real ones; only threads and the disk are left out.
"""

import sqlite3
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine, NullPool, create_engine
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from safeum_home.errors import Code, Problem
from safeum_home.ports import Bulk
from safeum_home.storage.group import Change, Group, run
from safeum_home.storage.migrate import migrate
from safeum_home.storage.node import Marks, advance

T = TypeVar("T")
R = TypeVar("R")


class _Connected(NamedTuple):
    """As much of a backend as migrating needs."""

    connection: Connection

    def backup(self, connection: Connection, version: str) -> None:
        raise AssertionError("a new database needs no backup")


@cache
def _engine() -> Engine:
    """One for all databases: compiling a statement takes longer than running it."""
    engine = create_engine("sqlite+pysqlite://", creator=_memory, poolclass=NullPool, hide_parameters=True)
    # Not by an event: for one of them SQLAlchemy looks for listeners at each statement.
    engine.dialect.do_begin = _begin  # type: ignore[method-assign, assignment]
    return engine


def _memory() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)


def _begin(connection: Any) -> None:
    connection.driver_connection.execute("BEGIN")


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


@cache
def _empty() -> Connection:
    """A migrated database: migrating is slow, copying is not."""
    connection = _engine().connect()
    migrate(_Connected(connection), connection)  # type: ignore[arg-type]  # a new one needs no more of it
    return connection


class Broken(Exception):
    """The database goes away in the middle of what is asked of it."""


class InstantDatabase:
    """`ports.Database` on one connection, in memory.

    `hold` keeps changes back until `commit` (the disk has them) and `report` (their Deferreds fire);
    `hold_reads` keeps back the answers of reads, whose snapshot is of the time when they were asked for.
    While `failing`, commits fail.
    """

    def __init__(self) -> None:
        self.connection = _engine().connect()
        _driver(_empty()).backup(_driver(self.connection))
        self.hold = False
        self.hold_reads = False
        self.failing = False
        self.reading_fails = False
        self._position = 0
        self.committed = 0
        self._turn: list[Change] = []
        self._done: list[tuple[Group, list[Any], bool]] = []
        self._reads: list[tuple[Deferred[Any], Any]] = []
        self.transactions = 0

    # --- ports.Database

    def transact(self, fn: Callable[[Connection], T]) -> Deferred[T]:
        return self._change(None, fn)

    def append(self, bulk: Bulk[R], row: R) -> Deferred[Any]:
        return self._change(bulk, row)

    def read(self, fn: Callable[[Connection], T]) -> Deferred[T]:
        done: Deferred[T] = Deferred()
        outcome = self._read(fn)
        if self.hold_reads:
            self._reads.append((done, outcome))
        else:
            done.callback(outcome)
        return done

    def is_outage(self, error: BaseException) -> bool:
        return isinstance(error, Broken)

    def drained(self) -> Deferred[None]:
        """Reads are over at once; what a test holds back is not waited for."""
        return succeed(None)

    def gave_out(self, position: int) -> bool:
        return position <= self.committed

    def next_position(self) -> int:
        self._position += 1
        return self._position

    # --- the test's side

    def commit(self) -> None:
        """What is held goes to the disk, in one group; nobody is told yet."""
        if not self._turn:
            return
        group, self._turn = Group(self._turn, self._position), []
        if self.failing:
            failed = [Failure(Problem(Code.STORAGE_UNAVAILABLE, retry_after=2.0)) for _ in group.changes]
            self._done.append((group, failed, False))
            return
        with self.connection.begin():
            outcomes = run(self.connection, group.changes, lambda error: None)
            advance(self.connection, Marks(group.horizon, 0))
        self.transactions += 1
        self._done.append((group, outcomes, True))

    def report(self) -> None:
        """Those whose changes were committed are told, in order."""
        done, self._done = self._done, []
        for group, outcomes, stored in done:
            for change, outcome in zip(group.changes, outcomes, strict=True):
                if stored:
                    self.committed = max(self.committed, change.position)
                change.done.callback(outcome)

    def lose_report(self) -> None:
        """Those whose changes were committed are told that storage is unavailable; then it is back."""
        done, self._done = self._done, []
        for group, _, _ in done:
            for change in group.changes:
                change.done.callback(Failure(Problem(Code.STORAGE_UNAVAILABLE, retry_after=2.0)))
        self.committed = self._position

    def release(self) -> None:
        """Commit and report all that is held; what follows from that is held again."""
        self.commit()
        self.report()

    def drop(self) -> None:
        """The process dies: what is held is told to nobody, and what was not committed is lost."""
        self._turn, self._done, self._reads = [], [], []

    def answer_reads(self, count: int | None = None) -> None:
        """The oldest reads that are held are answered."""
        count = len(self._reads) if count is None else count
        answered, self._reads = self._reads[:count], self._reads[count:]
        for done, outcome in answered:
            done.callback(outcome)

    @property
    def held(self) -> int:
        """How many changes and answers wait for the test."""
        return len(self._turn) + len(self._done) + len(self._reads)

    def now(self, fn: Callable[[Connection], T]) -> T:
        """What the database holds, for the test's own eyes."""
        with self.connection.begin() as snapshot:
            found = fn(self.connection)
            snapshot.rollback()
        return found

    def count(self, table: str) -> int:
        """The number of rows of a table."""
        return int(self.now(lambda c: c.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()))

    def execute(self, statement: str, *parameters: Any) -> None:
        """Change rows behind the node's back."""
        with self.connection.begin():
            self.connection.exec_driver_sql(statement, parameters)

    def _read(self, fn: Callable[[Connection], Any]) -> Any:
        if self.reading_fails:
            return Failure(Problem(Code.STORAGE_UNAVAILABLE, retry_after=2.0))
        try:
            return self.now(fn)
        except Broken:
            return Failure(Problem(Code.STORAGE_UNAVAILABLE, retry_after=2.0))
        except Exception:
            return Failure()

    def _change(self, bulk: Bulk[Any] | None, item: Any) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()
        self._turn.append(Change(bulk, item, done, self._position))
        if not self.hold:
            self.release()
        return done
