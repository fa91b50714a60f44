"""What the database needs of a particular kind of database."""

from typing import Protocol

from sqlalchemy import Connection


class DatabaseInUse(Exception):
    """Another process writes to this database: positions would be given out twice."""


class Backend(Protocol):
    """Opens connections. All of it is called off the reactor's thread, and blocks."""

    def writer(self) -> Connection:
        """A connection for the one writer."""

    def claim(self, connection: Connection) -> None:
        """Make the database this process' own to write to; raises where it is another's."""

    def settle(self) -> None:
        """What a new connection shows as committed is on disk once this returns; the database is claimed."""

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
