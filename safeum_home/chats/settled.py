"""Snapshots that are not ahead of what was told."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from safeum_home.ports import Database
from safeum_home.storage import node

T = TypeVar("T")


async def settled(database: Database, read: Callable[[Connection], T]) -> T:
    """What `read` finds in one snapshot, once all that is in that was told to those who are connected.

    A snapshot can hold what is on disk and about to be told. Whoever is answered is told of that before the
    answer, so that what comes after the answer is newer than it: changes are reported in order.
    """

    def complete(c: Connection) -> tuple[T, int]:
        return read(c), node.committed(c)

    found, reached = await database.read(complete)
    if reached > database.committed:
        await database.transact(_nothing)
    return found


def _nothing(c: Connection) -> None:
    """A change that changes nothing."""
