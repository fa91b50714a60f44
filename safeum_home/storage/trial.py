"""Finding out what a change would come to, without making it."""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")


def tried(c: Connection, change: Callable[[Connection], T]) -> T:
    """What `change` returns, or raises; whatever it has written is undone. Inside a transaction."""
    execute: Any = c.connection.driver_connection.execute  # type: ignore[union-attr]  # it is connected
    execute("SAVEPOINT trial")
    try:
        return change(c)
    finally:
        execute("ROLLBACK TO SAVEPOINT trial")
        execute("RELEASE SAVEPOINT trial")
