"""Where what is run keeps its files: in memory, and still there when it is started again."""

import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from safeum_home.daemon import Owner, being
from safeum_home.errors import Code, Problem
from safeum_home.sealing.sources import is_in_memory

_IN_MEMORY = "/dev/shm"  # noqa: S108 - whose directory it is in there is looked at
_SCHEMAS = Path("/usr/share/kamailio/db_sqlite")
_TABLES = ("standard", "dialog", "usrloc")


@contextmanager
def place(name: str, environment: Mapping[str, str]) -> Iterator[Path]:
    """A directory in memory that is ours alone to write to, and nobody else's until then.

    It stays: what runs next has what is in there. Raises `unsafe_source`, `wrong_state` where another one
    runs, and OSError.
    """
    base = Path(environment.get("RUNTIME_DIRECTORY", "").partition(":")[0] or _IN_MEMORY)
    if not is_in_memory(base):
        raise Problem(Code.UNSAFE_SOURCE, f"{base} is on a disk: a ramfs or tmpfs is needed")
    folder = base / f"safeum-carrier-{name}"
    folder.mkdir(mode=0o711, exist_ok=True)
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.fstat(held)
        if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o022:
            raise Problem(Code.UNSAFE_SOURCE, f"{folder} is somebody else's")
        os.fchmod(held, 0o711)
        try:
            flock(held, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            raise Problem(Code.WRONG_STATE, f"another one runs in {folder}") from None
        yield folder
    finally:
        os.close(held)


def fresh(folder: Path, name: str, owner: Owner) -> Path:
    """An empty directory of `owner` in one of ours."""
    inner = folder / name
    if inner.exists():
        shutil.rmtree(inner)
    inner.mkdir(mode=0o700)
    os.chown(inner, *owner)
    return inner


def kept(folder: Path, name: str, owner: Owner) -> Path:
    """The directory of `owner` in one of ours, with what is in it already."""
    inner = folder / name
    inner.mkdir(mode=0o700, exist_ok=True)
    os.chown(inner, *owner, follow_symlinks=False)
    return inner


def edge_database(path: Path, owner: Owner) -> None:
    """Kamailio's tables, where they are not there yet. Raises OSError, and `wrong_state`."""
    scripts = []
    for table in _TABLES:
        script = _SCHEMAS / f"{table}-create.sql"
        if not script.exists():
            raise Problem(Code.WRONG_STATE, f"{script} is missing: apt-get install kamailio-sqlite-modules")
        scripts.append(script.read_text(encoding="utf-8"))
    with being(owner):
        # In its own directory, and with its own rights alone.
        if path.exists():
            return
        fresh_path = path.with_suffix(".new")
        fresh_path.unlink(missing_ok=True)
        with closing(sqlite3.connect(fresh_path)) as database, database:
            for script_text in scripts:
                database.executescript(script_text)
        fresh_path.rename(path)
