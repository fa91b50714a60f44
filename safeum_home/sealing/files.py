"""Small files that are replaced as a whole, or not at all."""

import os
from pathlib import Path

from safeum_home.disk import sync_directory


def read(path: Path) -> bytes | None:
    """The file's octets; None where there is none. Blocks."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def replace(path: Path, data: bytes) -> None:
    """Put `data` in the file's place, mode 0600, durably: a crash leaves the old file or the new one.

    The octets of the old file are then written over, as far as the file system does that in place
    (copy-on-write ones and flash do not). Blocks: run it in a thread. Raises OSError.
    """
    temporary = path.with_name(f".{path.name}.new")
    try:
        old = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        old = -1
    try:
        _write(temporary, data)
        os.rename(temporary, path)
        sync_directory(path.parent)
        if old >= 0:
            # Its name is gone, so a crash from here on harms nothing.
            os.pwrite(old, bytes(os.fstat(old).st_size), 0)
            os.fsync(old)
    finally:
        if old >= 0:
            os.close(old)


def _write(path: Path, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    with open(path, "wb", opener=lambda name, _: os.open(name, flags, 0o600)) as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
