"""What coturn reads again while it runs, its secrets among it: in a directory that is in memory.

A file that coturn opens by its name at every look is the one way in which it takes other secrets without
being started anew, which would cut running calls.
"""

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from safeum_home.daemon import Owner, being
from safeum_home.errors import Code, Problem
from safeum_home.grants.turn import RelayGrant
from safeum_home.sealing.sources import is_in_memory

_IN_MEMORY = "/dev/shm"  # noqa: S108 - only a directory of one's own is made in there
_PREFIX = "safeum-turn-"


class Kept:
    """The directory of one relay."""

    def __init__(
        self,
        folder: Path,
        owner: Owner,
        realm: str,
        tls: Callable[[bytes | None], tuple[bytes, bytes]] | None,
    ) -> None:
        """`tls` reads the certificate chain, and the key where the node does not give it."""
        self.database = folder / "secrets.sqlite"
        self.tls = None if tls is None else (folder / "chain.pem", folder / "key.pem")
        self._read_tls = tls
        self._owner = owner
        self._realm = realm

    def take(self, grant: RelayGrant) -> bool:
        """Put all in place; whether the certificate or its key is another one than before. Raises OSError."""
        self._put_secrets(grant.secrets)
        if self._read_tls is None or self.tls is None:
            return False
        chain, key = self._read_tls(grant.key)
        changed = _replace(self.tls[0], chain, self._owner), _replace(self.tls[1], key, self._owner)
        return any(changed)

    def _put_secrets(self, secrets: tuple[str, ...]) -> None:
        # In place, since threads of coturn keep it open; and as coturn's user, who may have made a link of it
        # to what only root may write.
        try:
            with being(self._owner):
                os.close(os.open(self.database, os.O_WRONLY | os.O_CREAT, 0o600))
                with closing(sqlite3.connect(self.database)) as database, database:
                    self._put_rows(database, secrets)
        except sqlite3.Error as error:
            raise OSError(errno.EIO, str(error), str(self.database)) from None

    def _put_rows(self, database: sqlite3.Connection, secrets: tuple[str, ...]) -> None:
        database.execute("PRAGMA secure_delete = ON")
        # As coturn makes it, where it is not there.
        database.execute(
            "CREATE TABLE IF NOT EXISTS turn_secret "
            "(realm varchar(127) default '', value varchar(127), primary key (realm, value))"
        )
        database.execute("DELETE FROM turn_secret")
        rows = [(self._realm, secret) for secret in secrets]
        database.executemany("INSERT INTO turn_secret VALUES (?, ?)", rows)


@contextmanager
def directory(owner: Owner, environment: Mapping[str, str]) -> Iterator[Path]:
    """A directory in memory that only `owner` enters, until then. Raises `unsafe_source`, and OSError.

    What was left behind by a relay that was killed goes before.
    """
    base = Path(environment.get("RUNTIME_DIRECTORY", "").partition(":")[0] or _IN_MEMORY)
    if not is_in_memory(base):
        raise Problem(Code.UNSAFE_SOURCE, f"{base} is on a disk: the relay's secrets need a ramfs or tmpfs")
    for left in base.glob(f"{_PREFIX}*"):
        _clear(left, owner)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
    held = _open(folder)
    try:
        flock(held, LOCK_EX)
        os.chown(folder, *owner)
        yield folder
    finally:
        shutil.rmtree(folder)
        os.close(held)


def _clear(folder: Path, owner: Owner) -> None:
    """Remove a directory like ours that nobody holds any more."""
    with suppress(OSError):
        held = _open(folder)
        try:
            if os.fstat(held).st_uid == owner.uid:
                flock(held, LOCK_EX | LOCK_NB)
                shutil.rmtree(folder)
        finally:
            os.close(held)


def _open(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _replace(path: Path, octets: bytes, owner: Owner) -> bool:
    """Whether it was another one."""
    if path.exists() and path.read_bytes() == octets:
        return False
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as file:
        os.chown(file.fileno(), *owner)
        file.write(octets)
    fresh.replace(path)
    return True
