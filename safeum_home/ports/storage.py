"""Durable storage."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

T = TypeVar("T")
R = TypeVar("R", contravariant=True)


class Bulk(Protocol[R]):
    """Writes many rows of one kind at once.

    It is called in the writer's thread, inside the group's transaction, with all rows that
    wait together. It returns one outcome for each row, in their order.
    """

    def __call__(self, connection: Connection, rows: Sequence[R], /) -> Sequence[Any]: ...


class Database(Protocol):
    """Durable storage with group commit: a Deferred fires when its change is on disk.

    Changes are committed in the order in which they were handed in, and their Deferreds fire in
    that order, in the reactor's thread. All fail with `Problem(storage_unavailable)` where the
    commit failed, and then nothing was stored; `Problem(busy)` where the queue is full.
    """

    def transact(self, fn: Callable[[Connection], T]) -> "Deferred[T]":
        """Run `fn` in the writer's thread. What it raises undoes its own changes only, and is passed on."""

    def append(self, bulk: Bulk[R], row: R) -> "Deferred[Any]":
        """Hand a row to `bulk`, together with those of the same `bulk` that wait beside it."""

    def read(self, fn: Callable[[Connection], T]) -> "Deferred[T]":
        """Run `fn` on a reading connection, in one snapshot, off the reactor's thread."""

    def is_outage(self, error: BaseException) -> bool:
        """Whether this, which a `fn` has met, is the database's own trouble, and nothing that it looked at.

        A `fn` passes it on.
        """

    def drained(self) -> "Deferred[None]":
        """Fires when all reads that are under way now were answered: no older snapshot is looked at then."""

    def next_position(self) -> int:
        """The next place in the order of events: take it in the same turn as the `transact` that uses it."""

    @property
    def committed(self) -> int:
        """The last position whose Deferred has fired (also in the table `node`, in each snapshot)."""

    def gave_out(self, position: int) -> bool:
        """Whether a client can hold `position` as its cursor.

        False for the future, and for what a database that was put back from a backup knows nothing of.
        """
