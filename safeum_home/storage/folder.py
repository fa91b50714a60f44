"""Blobs in a folder: each a file of a random name, in one of 256 folders.

Nothing of a name comes from anybody outside. Folders are made 0700 and files 0600; a new file's folder is
synced with it, so that a crash does not lose the name of what was acknowledged.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from safeum_home.ports.files import BLOB_SIZE, BlobLost

BATCH = 128 * 1024
_NAME = 2 * BLOB_SIZE


class FolderStore:
    """`ports.files.BlobStore`."""

    def __init__(self, folder: Path) -> None:
        """Blocks. The folder is made where it is not there; raises OSError."""
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def batch(self) -> int:
        return BATCH

    def append(self, blob: bytes, offset: int, data: bytes) -> None:
        if offset == 0:
            self._path(blob).parent.mkdir(mode=0o700, exist_ok=True)
        flags = os.O_WRONLY | os.O_CLOEXEC | (0 if offset else os.O_CREAT | os.O_TRUNC)
        with _Descriptor(self._path(blob), flags) as descriptor:
            view, at = memoryview(data), offset
            while view:
                written = os.pwrite(descriptor, view, at)
                view, at = view[written:], at + written

    def sync(self, blob: bytes) -> None:
        path = self._path(blob)
        with _Descriptor(path, os.O_RDONLY | os.O_CLOEXEC) as descriptor:
            os.fsync(descriptor)
        for folder in (path.parent, self._folder):
            with _Descriptor(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) as descriptor:
                os.fsync(descriptor)

    def truncate(self, blob: bytes, size: int) -> None:
        with _Descriptor(self._path(blob), os.O_WRONLY | os.O_CLOEXEC) as descriptor:
            if os.fstat(descriptor).st_size < size:
                raise BlobLost
            os.ftruncate(descriptor, size)

    def read(self, blob: bytes, offset: int, size: int) -> bytes:
        with _Descriptor(self._path(blob), os.O_RDONLY | os.O_CLOEXEC) as descriptor:
            parts = []
            while size:
                part = os.pread(descriptor, size, offset)
                if not part:
                    raise BlobLost
                parts.append(part)
                offset, size = offset + len(part), size - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def delete(self, blob: bytes) -> None:
        self._path(blob).unlink(missing_ok=True)

    def blobs(self, after: bytes, limit: int) -> list[bytes]:
        found: list[bytes] = []
        for name in self._names(after.hex()):
            found.append(bytes.fromhex(name))
            if len(found) == limit:
                break
        return found

    def _names(self, after: str) -> Iterator[str]:
        for number in range(256):
            start = f"{number:02x}"
            folder = self._folder / start
            if start < after[:2] or not folder.is_dir():
                continue
            names = {entry.name for entry in os.scandir(folder) if len(entry.name) == _NAME}
            yield from sorted(name for name in names if name > after and _is_hex(name, start))

    def _path(self, blob: bytes) -> Path:
        name = blob.hex()
        return self._folder / name[:2] / name


class _Descriptor:
    """An open file, for a block; raises `BlobLost` where there is none."""

    def __init__(self, path: Path, flags: int) -> None:
        try:
            self._descriptor = os.open(path, flags, 0o600)
        except FileNotFoundError:
            raise BlobLost from None

    def __enter__(self) -> int:
        return self._descriptor

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _is_hex(name: str, start: str) -> bool:
    return name.startswith(start) and not set(name) - set("0123456789abcdef")
