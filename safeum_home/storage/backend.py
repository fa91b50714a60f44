"""What the database needs of a particular kind of database."""

from typing import Protocol

from sqlalchemy import Connection

SWEPT = "swept"
"""In the `info` of a writing connection: erased rows were deleted, and copies of them may be left."""


class DatabaseInUse(Exception):
    """Another process writes to this database: positions would be given out twice."""


class Backend(Protocol):
    """Opens connections. All of it is called off the reactor's thread, and blocks."""

    def open(self) -> None:
        """Called once, before any connection: what they show as committed is on disk from then on."""

    def writer(self) -> Connection:
        """A connection for the one writer; raises where another process writes."""

    def reader(self) -> Connection:
        """A connection that cannot write, whose transactions are snapshots."""

    def outage(self, error: BaseException) -> str | None:
        """A word for the log where the database itself failed; None where the error is the caller's own."""

    def backup(self, connection: Connection, version: str) -> None:
        """Called before the schema, which is at `version`, is changed."""

    def committed(self, connection: Connection) -> None:
        """Called outside of a transaction, after each group: the time for upkeep."""

    def close(self) -> None:
        """Called when the writer has ended: another process may have the database."""
