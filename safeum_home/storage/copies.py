"""Copies of an SQLite database: made while the node runs, and put back while none does."""

import errno
import itertools
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from safeum_home.disk import sync_directory
from safeum_home.errors import Code, Problem
from safeum_home.storage.sqlite import claim_file

_TURNED = (
    "is from before the keyring was turned, which erased something: today's keyring opens nothing of it. "
    "Take a later backup; if you have put back the keyring of its time as well, add --force"
)
_LOG_FILES = ("-wal", "-shm")


class Copier:
    """Copies a database that is open elsewhere in the process. One copy at a time."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._connection: sqlite3.Connection | None = None

    def copy(self, target: Path) -> int:
        """Write a consistent copy, without what was deleted, mode 0600; its size in octets. Blocks.

        The target appears when it is complete. Raises FileExistsError and other OSErrors, and
        `storage_unavailable` with what SQLite says.
        """
        if target.exists():
            raise FileExistsError(errno.EEXIST, "there is a file already", str(target))
        partial = target.with_name(f".{target.name}.partial")
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            self._vacuum_into(partial)
            os.fsync(descriptor)
            # Unlike a rename, it replaces nothing.
            os.link(partial, target)
            sync_directory(target.parent)
            return os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)
            partial.unlink()

    def stop(self) -> None:
        """End a copy that is being made: it fails. From any thread."""
        connection = self._connection
        if connection is not None:
            # It may be closed by now.
            with suppress(sqlite3.ProgrammingError):
                connection.interrupt()

    def _vacuum_into(self, path: Path) -> None:
        try:
            with closing(
                sqlite3.connect(self._database, isolation_level=None, check_same_thread=False)
            ) as connection:
                self._connection = connection
                connection.execute("PRAGMA busy_timeout = 5000")
                connection.execute("PRAGMA temp_store = MEMORY")
                connection.execute("VACUUM INTO ?", (str(path),))
        except sqlite3.Error as error:
            raise Problem(Code.STORAGE_UNAVAILABLE, f"SQLite says: {error}") from None
        finally:
            self._connection = None


def restore(database: Path, backup: Path, force: bool = False) -> Path | None:
    """Put a copy in the database's place: mode 0600, owned like the folder. Blocks.

    A copy from before the keyring was last turned, as far as the database in place knows of that, is refused
    with `invalid_params` unless it is forced: the keyring of today opens nothing of it.

    The database that was there is moved aside, with its log, which would be played into the copy
    otherwise: where it is now, None where there was none. A copy that has a log beside it, as one that was
    moved aside after a crash has, is put in place with what that holds. Raises `DatabaseInUse`, OSError, and
    `invalid_params` where the copy is damaged or no node's.
    """
    folder = os.stat(database.parent)

    def give(descriptor: int) -> None:
        if os.geteuid() == 0:
            os.fchown(descriptor, folder.st_uid, folder.st_gid)

    lock = claim_file(database)
    fresh = database.with_name(f".{database.name}.restored")
    try:
        give(lock)
        _copy(backup, fresh, give)
        if not _is_sound(fresh):
            raise Problem(Code.INVALID_PARAMS, f"{backup} is damaged, or not a copy of a node's database")
        if not force and _closed_keys(database, fresh):
            raise Problem(Code.INVALID_PARAMS, f"{backup} {_TURNED}")
        aside = _move_aside(database)
        os.rename(fresh, database)
        sync_directory(database.parent)
        return aside
    finally:
        fresh.unlink(missing_ok=True)
        os.close(lock)


def _copy(backup: Path, fresh: Path, give: Callable[[int], None]) -> None:
    """Copy a database, and fold its log into the copy, where it has one. `give` is called for each file."""
    for suffix in ("", *_LOG_FILES):
        Path(f"{fresh}{suffix}").unlink(missing_ok=True)
    log = Path(f"{backup}-wal")
    parts = [(backup, fresh)]
    if log.exists() and log.stat().st_size:
        parts.append((log, Path(f"{fresh}-wal")))
    for part, place in parts:
        with (
            open(part, "rb") as source,
            open(place, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as target,
        ):
            give(target.fileno())
            shutil.copyfileobj(source, target, 1 << 20)
            target.flush()
            os.fsync(target.fileno())
    if len(parts) > 1:
        with suppress(sqlite3.Error), closing(sqlite3.connect(fresh)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        for suffix in _LOG_FILES:
            Path(f"{fresh}{suffix}").unlink(missing_ok=True)


def _is_sound(copy: Path) -> bool:
    try:
        # `immutable`: nothing is locked or written beside it.
        with closing(sqlite3.connect(f"{copy.absolute().as_uri()}?immutable=1", uri=True)) as connection:
            [[found]] = connection.execute("PRAGMA quick_check(1)").fetchall()
            connection.execute("SELECT value FROM node WHERE name = 'committed'").fetchall()
    except sqlite3.Error:
        return False
    return bool(found == "ok")


def _closed_keys(database: Path, copy: Path) -> bool:
    """Whether the keyring that goes with a database was turned after a copy was made. Not known is no."""
    with suppress(sqlite3.Error):
        # It may be damaged, which is why it is replaced. Where it has no log nothing is made beside it.
        how = "mode=ro" if Path(f"{database}-wal").exists() else "immutable=1"
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?{how}", uri=True)) as connection:
            row = connection.execute("SELECT value FROM node WHERE name = 'epoch'").fetchone()
        if row is not None:
            with closing(sqlite3.connect(f"{copy.absolute().as_uri()}?immutable=1", uri=True)) as other:
                [found] = other.execute("SELECT count(*) FROM keys WHERE epoch < ?", row).fetchone()
            return bool(found)
    return False


def _move_aside(database: Path) -> Path | None:
    if not database.exists():
        for suffix in _LOG_FILES:
            Path(f"{database}{suffix}").unlink(missing_ok=True)
        return None
    name = time.strftime(f"{database.name}.before-restore-%Y%m%d-%H%M%S")
    # Two may be within one second.
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    aside = next(place for place in map(database.with_name, names) if not place.exists())
    os.rename(database, aside)
    for suffix in _LOG_FILES:
        with suppress(FileNotFoundError):
            os.rename(f"{database}{suffix}", f"{aside}{suffix}")
    return aside
