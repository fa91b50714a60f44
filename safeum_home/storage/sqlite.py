"""SQLite: the embedded default, nothing to install."""

import fcntl
import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError

from safeum_home.storage.backend import SWEPT, DatabaseInUse
from safeum_home.storage.checkpoints import Checkpoints
from safeum_home.storage.log_room import LogRoom

_PATIENCE = "PRAGMA busy_timeout = 5000"
_LARGEST_LOG = 1 << 26
_WRITER = (
    _PATIENCE,
    "PRAGMA journal_mode = WAL",
    # FULL: a commit returns when its WAL frames are on the disk.
    "PRAGMA synchronous = FULL",
    # What is deleted is overwritten, not merely unlinked.
    "PRAGMA secure_delete = ON",
    "PRAGMA foreign_keys = OFF",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -65536",
    # Not within a commit, whose Deferreds would wait for it: see `committed`.
    "PRAGMA wal_autocheckpoint = 0",
    f"PRAGMA journal_size_limit = {_LARGEST_LOG}",
)
_READER = (
    _PATIENCE,
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -16384",
    "PRAGMA query_only = ON",
)
_CHECKPOINTS = (_PATIENCE, "PRAGMA synchronous = FULL")

# Each changes two to four pages of the log.
_CHANGES_PER_CHECKPOINT = 2_000
_LONG, _MOST_PAGES = 4_096, 16_384
"""From how many pages on the log is begun anew, and where readers are in the way, emptied."""

_CHANGES_PER_TRY = 200
"""After so many changes it is tried again to begin the log anew, where readers were in the way."""

_PIECE = 1 << 20


class Sqlite:
    """A database in one file (and its `-wal` and `-shm`), readable by its owner alone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = Path(f"{path}-wal")
        self._room = LogRoom(self._log, _LARGEST_LOG)
        self._checkpoints = Checkpoints(self._open(_CHECKPOINTS))
        self._asked = 0
        self._next_try = 0
        self._is_swept = False
        self._lock: int | None = None
        self._anchor: Connection | None = None
        self._writers = self._engine(_WRITER, "BEGIN IMMEDIATE")
        self._readers = self._engine(_READER, "BEGIN")

    def open(self) -> None:
        # Made here for its mode, and once only: closing a descriptor of a file that SQLite has open in this
        # process would drop the locks that other processes respect (POSIX advisory locks).
        with suppress(FileExistsError):
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        self._lock = claim_file(self._path)
        # A log that is left is of a process that was killed: maybe before it could empty it.
        self._is_swept = self._log.exists()
        _settle(self._log)
        # Connections share an index of the log, and who opens the first one makes it, of what the log shows.
        # While this one is open that is never done again: what failed to be synced is in no index.
        self._anchor = self._writers.connect()
        with self._anchor.begin():
            self._anchor.exec_driver_sql("SELECT count(*) FROM sqlite_master").fetchall()
        self._room.make()

    def writer(self) -> Connection:
        self._asked = 0  # changes are counted by the connection
        self._next_try = min(self._next_try, _CHANGES_PER_TRY)
        return self._writers.connect()

    def reader(self) -> Connection:
        return self._readers.connect()

    def outage(self, error: BaseException) -> str | None:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if not isinstance(cause, sqlite3.Error) or isinstance(cause, sqlite3.IntegrityError):
            return None
        # SQLITE_ERROR is a statement that makes no sense; sqlite3's own complaints carry no code.
        code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        return None if code == sqlite3.SQLITE_ERROR else str(cause.sqlite_errorname)

    def backup(self, connection: Connection, version: str) -> None:
        """A copy beside the file, without what was deleted from it."""
        target = self._path.with_name(f"{self._path.name}.schema-{version}.backup")
        partial = target.with_name(target.name + ".partial")
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            _driver(connection).execute("VACUUM INTO ?", (str(partial),))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        partial.rename(target)

    def committed(self, connection: Connection) -> None:
        """Have the log folded into the file now and then, make room in it; no commit waits to be told of."""
        driver = _driver(connection)
        # Not with the connection: the next one is to see to it, if this one is lost before it can be done.
        self._is_swept |= connection.info.pop(SWEPT, False)
        if self._is_swept and driver.total_changes >= self._next_try:
            # What was erased is overwritten in the file, and still there in the log.
            self._next_try = driver.total_changes + _CHANGES_PER_TRY
            with self._checkpoints.folding:
                self._is_swept = not _begin_log_anew(driver)
        if self._checkpoints.pages > _LONG:
            with self._checkpoints.folding:
                self._checkpoints.pages = 0
                _fold_rest(driver)
        elif driver.total_changes - self._asked >= _CHANGES_PER_CHECKPOINT:
            self._asked = driver.total_changes
            self._checkpoints.ask()
        self._room.look()

    def close(self) -> None:
        self._checkpoints.close()
        anchor, self._anchor = self._anchor, None
        if anchor is not None:
            anchor.close()
        # For as long as the process has the database: the kernel frees it with the process.
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def _engine(self, pragmas: tuple[str, ...], begin: str) -> Engine:
        engine = create_engine(
            "sqlite+pysqlite://", creator=self._open(pragmas), poolclass=NullPool, hide_parameters=True
        )
        # sqlite3 begins no transactions by itself (isolation_level None): SQLAlchemy's are begun here.
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        return engine

    def _open(self, pragmas: tuple[str, ...]) -> Callable[[], sqlite3.Connection]:
        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(self._path, isolation_level=None)
            for pragma in pragmas:
                connection.execute(pragma)
            return connection

        return connect


def claim_file(path: Path) -> int:
    """A descriptor that holds the lock of the database at `path` while it is open; raises `DatabaseInUse`."""
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise DatabaseInUse from None
    return lock


def _settle(log: Path) -> None:
    """Write the log once more, as it is, and sync it.

    Linux takes pages whose sync has failed for clean: they are shown, a second sync says that all is
    well, and they are not on the disk. Only what is written again is synced again.
    """
    with suppress(FileNotFoundError), log.open("r+b", buffering=0) as file:
        place = 0
        while piece := os.pread(file.fileno(), _PIECE, place):
            place += os.pwrite(file.fileno(), piece, place)
        os.fdatasync(file.fileno())


def _fold_rest(driver: Any) -> None:
    """Mostly that is little. Where all is folded then, the next commit begins the log anew."""
    [(_, pages, folded)] = driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    if pages > _MOST_PAGES and folded == pages:
        # Readers were always in the way. Try to begin the log anew, and do not wait for them: a long
        # one, such as a backup, would stop all commits.
        _begin_log_anew(driver)


def _begin_log_anew(driver: Any) -> bool:
    """Fold the whole log into the file and empty it, unless a reader is in the way: nobody waits for one."""
    driver.execute("PRAGMA busy_timeout = 0")
    [(busy, *_)] = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    driver.execute(_PATIENCE)
    return not busy


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
