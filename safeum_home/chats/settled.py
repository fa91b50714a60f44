"""Snapshots that are not ahead of what was told."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from safeum_home.ports import Database
from safeum_home.storage import node

T = TypeVar("T")


def _none() -> int:
    return 0


async def settled(
    database: Database, read: Callable[[Connection], T], erasures: Callable[[], int] = _none
) -> T:
    """What `read` finds in one snapshot, once all that is in that was told to those who are connected.

    A snapshot can hold what is on disk and about to be told. Whoever is answered is told of that before the
    answer, so that what comes after the answer is newer than it: changes are reported in order. Nor is what
    was erased since then handed out once more: where `erasures` have become more meanwhile it is read again.
    """

    def complete(c: Connection) -> tuple[T, int]:
        return read(c), node.committed(c)

    while True:
        before = erasures()
        found, reached = await database.read(complete)
        if reached > database.committed:
            await database.transact(_nothing)
        if erasures() == before:
            return found


def _nothing(c: Connection) -> None:
    """A change that changes nothing."""
