"""`ports.Database`: group commit by one writer's thread, snapshots by a few readers' threads.

On the reactor's thread changes are gathered, and handed to the writer after the first turn that brings no
more of them: a change that comes alone is committed at once. Where the turns never end to bring changes, all
threads want the one core, and a group's cost is mostly its own: fewer, larger groups are then the quicker
way for each change (measured: a quarter more of them in a second). So they gather on, within bounds.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from sqlalchemy import Connection, make_url
from twisted.internet.defer import Deferred, fail, gatherResults, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from safeum_home.errors import Code, Problem
from safeum_home.ports import Bulk
from safeum_home.storage.backend import Backend
from safeum_home.storage.group import Change, Group
from safeum_home.storage.outage import DAMAGED, cause
from safeum_home.storage.readers import Read, Reader
from safeum_home.storage.writer import RETRY_AFTER, Writer

GATHER = 400
"""The number of changes from which on they are handed over, whatever the next turn may bring."""

PATIENCE = 0.005
"""Seconds after which they are, however few."""

T = TypeVar("T")
R = TypeVar("R")


class NodeDatabase:
    """Made by `open_database`."""

    _log = Logger()

    def __init__(
        self, backend: Backend, reactor: Any, readers: int, queue: int, group: int, first: int = 0
    ) -> None:
        self._backend = backend
        self._reactor = reactor
        self._first = first
        self.stored_late: Callable[[], None] = lambda: None
        """Called where changes that were said to have failed turn out to be stored: nobody was told."""
        self._limit = queue
        self._writer = Writer(backend, group)
        self._reads: SimpleQueue[Read | None] = SimpleQueue()
        self._readers = [Reader(backend, self._reads) for _ in range(readers)]
        self._gathered: list[Change] = []
        self._seen = 0
        self._until = 0.0
        self._writing = 0
        self._reading: set[Deferred[Any]] = set()
        self._drains: list[tuple[set[Deferred[Any]], Deferred[None]]] = []
        self._position = 0
        self._committed = 0
        self._never = range(0)
        self._outage: str | None = None
        self._damaged = False
        self._closing: Deferred[None] | None = None
        self._ended: list[Deferred[None]] = []

    def transact(self, fn: Callable[[Connection], T]) -> Deferred[T]:
        return self._change(None, fn)

    def append(self, bulk: Bulk[R], row: R) -> Deferred[Any]:
        return self._change(bulk, row)

    def read(self, fn: Callable[[Connection], T]) -> Deferred[T]:
        if self._closing is not None:
            return fail(Problem(Code.SHUTTING_DOWN))
        if len(self._reading) >= self._limit:
            return fail(Problem(Code.BUSY, retry_after=RETRY_AFTER))
        done: Deferred[T] = Deferred()
        self._reading.add(done)
        self._reads.put(Read(fn, done))
        return done

    def is_outage(self, error: BaseException) -> bool:
        return self._backend.outage(error) is not None

    def drained(self) -> Deferred[None]:
        if not self._reading:
            return succeed(None)
        drained: Deferred[None] = Deferred()
        self._drains.append((set(self._reading), drained))
        return drained

    def next_position(self) -> int:
        self._position += 1
        return self._position

    @property
    def committed(self) -> int:
        return self._committed

    def gave_out(self, position: int) -> bool:
        return position <= self._committed and position not in self._never

    @property
    def outage(self) -> str | None:
        """Why the last changes were refused, in a word of `storage.outage`; None where they were stored.

        `database_damaged` stays: what else can be read and written says nothing of the part that cannot.
        """
        if self._damaged:
            return DAMAGED
        return None if self._outage is None else cause(self._outage)

    def close(self) -> Deferred[None]:
        """Take nothing more, finish what waits, close all connections."""
        closed: Deferred[None] = Deferred()
        if self._closing is not None:
            self._closing.chainDeferred(closed)
            return closed
        self._closing = Deferred()
        self._closing.chainDeferred(closed)
        self._hand_over()
        for _ in self._readers:
            self._reads.put(None)
        readers, writer = self._ended[1:], self._ended[0]
        # The writer's connection is the last, so that SQLite folds the log into the file.
        gatherResults(readers).addCallback(lambda _: self._writer.queue.put(None))
        writer.chainDeferred(self._closing)
        return closed

    def start(self) -> Deferred[None]:
        opened: Deferred[None] = Deferred()

        def open_and_write() -> None:
            try:
                committed = self._writer.open()
            except Exception:
                self._reactor.callFromThread(opened.errback, Failure())
                return
            self._reactor.callFromThread(self._opened, opened, committed)
            call = self._reactor.callFromThread
            self._writer.run(partial(call, self._written), partial(call, self._was_stored_late))

        self._thread("writer", open_and_write)
        return opened

    def _opened(self, opened: Deferred[None], committed: int) -> None:
        self._position = self._committed = max(committed, self._first)
        self._never = range(committed + 1, self._position)
        if self._never:
            # From now on on disk too, so that the next start knows it for a position that was given out.
            self.transact(lambda c: None).addErrback(lambda _: None)
        for reader in self._readers:
            self._thread("reader", partial(reader.run, self._report_read))
        opened.callback(None)

    def _thread(self, name: str, run: Callable[[], None]) -> None:
        ended: Deferred[None] = Deferred()
        self._ended.append(ended)

        def body() -> None:
            try:
                run()
            finally:
                self._reactor.callFromThread(ended.callback, None)

        Thread(target=body, name=f"storage {name}", daemon=True).start()

    def _change(self, bulk: Bulk[Any] | None, item: Any) -> Deferred[Any]:
        if self._closing is not None:
            return fail(Problem(Code.SHUTTING_DOWN))
        if self._writing >= self._limit:
            return fail(Problem(Code.BUSY, retry_after=RETRY_AFTER))
        self._writing += 1
        if not self._gathered:
            self._seen = 0
            self._until = self._reactor.seconds() + PATIENCE
            self._reactor.callLater(0, self._turn_ended)
        done: Deferred[Any] = Deferred()
        self._gathered.append(Change(bulk, item, done, self._position))
        return done

    def _turn_ended(self) -> None:
        count = len(self._gathered)
        if self._seen < count < GATHER and self._reactor.seconds() < self._until:
            self._seen = count
            self._reactor.callLater(0, self._turn_ended)
        else:
            self._hand_over()

    def _hand_over(self) -> None:
        """Between two turns: all positions that were taken are those of changes that were handed in."""
        if self._gathered:
            self._writer.queue.put(Group(self._gathered, self._position))
            self._gathered = []

    def _written(self, group: Group, outcomes: list[Any], outage: str | None) -> None:
        self._writing -= len(group.changes)
        if outage != self._outage:
            self._tell(outage)
        for change, outcome in zip(group.changes, outcomes, strict=True):
            if outage is None:
                self._committed = change.position
            change.done.callback(outcome)

    def _was_stored_late(self) -> None:
        self._log.error("Changes that were refused turned out to be stored.")
        self.stored_late()

    def _report_read(self, read: Read, outcome: Any, outage: str | None) -> None:
        self._reactor.callFromThread(self._was_read, read, outcome, outage)

    def _was_read(self, read: Read, outcome: Any, outage: str | None) -> None:
        if outage is not None:
            self._look_for_damage(outage)
        read.done.callback(outcome)
        self._reading.discard(read.done)
        drains, self._drains = self._drains, []
        for reads, drained in drains:
            reads.discard(read.done)
            if reads:
                self._drains.append((reads, drained))
            else:
                drained.callback(None)

    def _tell(self, outage: str | None) -> None:
        self._outage = outage
        if outage is None:
            self._log.info("The database takes changes again.")
        else:
            self._log.error("The database takes no changes: {outage}.", outage=outage)
            self._look_for_damage(outage)

    def _look_for_damage(self, outage: str) -> None:
        if not self._damaged and cause(outage) == DAMAGED:
            self._damaged = True
            self._log.error("The database is damaged: {outage}. Put back a backup.", outage=outage)


def backend_for(url: str) -> Backend:
    """The kind of database that a URL names; ValueError where it names none."""
    parsed = make_url(url)
    match parsed.get_backend_name():
        case "sqlite":
            from safeum_home.storage.sqlite import Sqlite

            if parsed.database in {None, "", ":memory:"}:
                raise ValueError("a SQLite database needs a file: sqlite:///path")
            return Sqlite(Path(str(parsed.database)).absolute())
        case "postgresql":
            from safeum_home.storage.postgres import Postgres

            return Postgres(parsed)
    raise ValueError("the database is none of sqlite:///path, postgresql://...")


def opening_outage(url: str, error: BaseException) -> str:
    """Why `open_database(url)` failed with `error`, in a word of `storage.outage`."""
    return cause(backend_for(url).outage(error) or type(error).__name__)


def open_database(
    url: str, *, reactor: Any, readers: int = 2, queue: int = 20_000, group: int = 1_000, first: int = 0
) -> Deferred[NodeDatabase]:
    """Open, after migrating where that is due, the database at `sqlite:///path` or `postgresql://...`.

    `reactor` provides IReactorTime and IReactorFromThreads. `queue` bounds the changes, and the reads,
    that wait: beyond it they fail with `Problem(busy)`. `group` is the number of changes from which on
    a commit takes no further turn. Positions begin behind `first`, and behind all that are stored.
    Fails with `SchemaTooNew`, or with what the driver says; ValueError where the URL is neither of these.
    """
    database = NodeDatabase(backend_for(url), reactor, readers, queue, group, first)
    return database.start().addCallback(lambda _: database)
