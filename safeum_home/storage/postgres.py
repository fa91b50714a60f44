"""PostgreSQL, or what speaks its protocol, for what outgrows one disk. One process writes, as with SQLite."""

from sqlalchemy import URL, Connection, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

# Without these a server that vanished from the network would be waited for during many minutes.
_NETWORK = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
_WRITER = "-c synchronous_commit=on -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
_READER = "-c default_transaction_isolation=repeatable\\ read -c default_transaction_read_only=on"

_WRITER_LOCK = int.from_bytes(b"safeum")

# Classes of SQLSTATE in which the statement is to blame, not the server.
_OWN_FAULTS = ("21", "22", "23", "42")


class Postgres:
    def __init__(self, url: URL) -> None:
        url = url.set(drivername="postgresql+psycopg")
        self._writers = create_engine(
            url, poolclass=NullPool, hide_parameters=True, connect_args={**_NETWORK, "options": _WRITER}
        )
        self._readers = create_engine(
            url, poolclass=NullPool, hide_parameters=True, connect_args={**_NETWORK, "options": _READER}
        )

    def open(self) -> None:
        """A server whose sync has failed restarts, and shows what its log holds on disk."""

    def writer(self) -> Connection:
        connection = self._writers.connect()
        try:
            # Held by the session, so it goes with the process; `lock_timeout` ends the waiting.
            connection.exec_driver_sql(f"SELECT pg_advisory_lock({_WRITER_LOCK})")
            connection.rollback()
        except BaseException:
            connection.close()
            raise
        return connection

    def reader(self) -> Connection:
        return self._readers.connect()

    def outage(self, error: BaseException) -> str | None:
        from psycopg import Error

        cause = error.orig if isinstance(error, DBAPIError) else error
        if not isinstance(cause, Error):
            return None
        if cause.sqlstate is None:
            return type(cause).__name__
        return None if cause.sqlstate[:2] in _OWN_FAULTS else cause.sqlstate

    def backup(self, connection: Connection, version: str) -> None:
        """Left to the operator: a server's backups are made with its own tools."""

    def committed(self, connection: Connection) -> None:
        pass

    def close(self) -> None:
        """The lock has gone with the connection."""
