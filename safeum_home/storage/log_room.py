"""Room in SQLite's log, made before it is needed: a commit then overwrites, and promises what holds.

Where a file grows, its new size and blocks are in the journal of the file system, and a sync is as true
as what that says. Linux's ext4 and its jbd2 have a hole there: a sync that is under way while the journal
is aborted, by an error of the disk, may return as if all were well, and after the repair the file ends
before what was written (Linux 6.18: 28 of 100 programs that did nothing but write, sync and be cut off
lost the last write that was synced). Blocks that a file has had before need no journal: none of 100 lost
one. It is also the shorter way, of one write to the disk instead of two.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path

STEP = 1 << 24
_PIECE = bytes(1 << 18)


class LogRoom:
    """Zeros behind what the log at `path` holds; to SQLite they are the end of it.

    Called by the writer's thread alone. Where the disk has no room for more, the log grows as it must.
    """

    def __init__(self, path: Path, most: int) -> None:
        """`most` octets are the size beyond which no room is made."""
        self._path = path
        self._most = most
        self._size = 0

    def make(self) -> None:
        """At an opening: room for the commits to come, where the log was not left with it."""
        self._reach(STEP)

    def look(self) -> None:
        """After a commit: more room where the log has outgrown what there was, or was cut off."""
        with suppress(OSError):
            size = self._path.stat().st_size
            if size > self._size:
                self._reach(size + STEP)
            elif not size:
                self._reach(STEP)

    def _reach(self, size: int) -> None:
        self._size = min(size, self._most)
        with suppress(OSError), self._path.open("r+b", buffering=0) as file:
            had = file.seek(0, os.SEEK_END)
            if had >= self._size:
                return
            try:
                _fill(file.fileno(), had, self._size)
            except OSError:
                # What is left of the disk is for what has to be stored.
                file.truncate(had)


def _fill(descriptor: int, place: int, end: int) -> None:
    while place < end:
        piece = _PIECE[: end - place]
        if os.pwrite(descriptor, piece, place) < len(piece):
            raise OSError(errno.ENOSPC, "no room")
        place += len(piece)
    os.fdatasync(descriptor)
