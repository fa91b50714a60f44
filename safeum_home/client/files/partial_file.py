"""A file that is being fetched: beside the place where it will be, until all of it is there."""

import os
from contextlib import suppress
from errno import EEXIST, ENOSYS, ENOTSUP, EOPNOTSUPP, EPERM
from pathlib import Path
from typing import BinaryIO

from safeum_home.client.connection.web import Sink
from safeum_home.client.errors import BadAnswer

_NO_LINKS = (EPERM, ENOTSUP, EOPNOTSUPP, ENOSYS)
"""What a file system says that knows no hard links: FAT, exFAT, shares, folders of phones."""


def partial_path(path: Path, file: str) -> Path:
    """Where what is there of a file is, until it is complete and gets the name `path`."""
    return path.with_name(f"{path.name}.{file[1:9]}.part")


class PartialFile:
    """A file that is not complete yet."""

    def __init__(self, path: Path, file: str) -> None:
        """Raises FileExistsError where there is something at `path`, and OSError."""
        if os.path.lexists(path):
            raise FileExistsError(EEXIST, os.strerror(EEXIST), str(path))
        self._path = path
        self._partial = partial_path(path, file)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self.file: BinaryIO = open(os.open(self._partial, flags, 0o600), "r+b")  # noqa: SIM115 - its owner's

    def complete(self) -> None:
        """All of it is there: give it its name. Raises FileExistsError where something has that by now."""
        self.file.flush()
        os.fsync(self.file.fileno())
        try:
            # A link fails where something has come into being there meanwhile; a rename would replace that.
            os.link(self._partial, self._path)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self._rename()
        else:
            self._partial.unlink()

    def close(self) -> None:
        """Nothing more comes. What came stays, to be gone on with; where nothing did, nothing is left."""
        self.file.close()
        with suppress(FileNotFoundError):
            if self._partial.lstat().st_size == 0:
                self._partial.unlink()

    def drop(self) -> None:
        """What came is not the file: nothing of it is left."""
        self.file.close()
        self._partial.unlink(missing_ok=True)

    def _rename(self) -> None:
        """Without links: what is replaced is an empty file of one's own."""
        os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        try:
            os.replace(self._partial, self._path)
        except OSError:
            self._path.unlink(missing_ok=True)
            raise


class Rest:
    """Takes what is missing of a file, and nothing beyond that, whatever a node goes on to send."""

    def __init__(self, file: Sink, size: int) -> None:
        self._file = file
        self._left = size

    def write(self, data: bytes) -> None:
        """Raises `BadAnswer`."""
        if len(data) > self._left:
            raise BadAnswer("The node sends more than the rest of the file.")
        self._left -= len(data)
        self._file.write(data)
