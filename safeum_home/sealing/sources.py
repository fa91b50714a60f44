"""Where a root secret comes from when nobody is there to type it: a descriptor, or a file in memory.

It is read straight into locked memory: 32 raw octets, or text (24 words, or 64 hexadecimal digits).
"""

import os
import stat
import struct
from collections.abc import Mapping
from pathlib import Path

from safeum_home.errors import Code, Problem
from safeum_home.sealing.libc import file_system_type
from safeum_home.sealing.memory import KEY_SIZE, Arena, Slot, scrub
from safeum_home.sealing.root import HeldShare, parse

CREDENTIAL = "safeum-root"
_LONGEST_TEXT = 512
_IN_MEMORY = {0x858458F6: "ramfs", 0x01021994: "tmpfs"}
_READ = 4
_ACL_USER, _ACL_GROUP_OBJ, _ACL_GROUP, _ACL_OTHER = 0x02, 0x04, 0x08, 0x20


def read_descriptor(arena: Arena, fd: int) -> Slot:
    """The root secret from an inherited descriptor, which is read to its end and closed. Blocks.

    Raises `invalid_words` where it is none, and OSError.
    """
    try:
        buffer = arena.slot(_LONGEST_TEXT)
        view = buffer.view()
        size = 0
        while size < _LONGEST_TEXT and (count := os.readv(fd, [view[size:]])):
            size += count
    finally:
        os.close(fd)
    try:
        return _parse(arena, view[:size])
    finally:
        buffer.wipe()


def read_credential(arena: Arena, path: Path) -> Slot:
    """The root secret from a file that is in memory only, and whose owner alone reads it. Blocks.

    Raises `unsafe_source` with the reason, `invalid_words`, and OSError.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _check_safe(fd, path)
    except BaseException:
        os.close(fd)
        raise
    return read_descriptor(arena, fd)


def read_safe_file(path: Path, limit: int) -> bytes:
    """Any file of at most `limit` octets that is in memory only, and whose owner alone reads it. Blocks.

    Raises `unsafe_source` with the reason, `too_large`, and OSError.
    """
    with open(path, "rb") as file:
        _check_safe(file.fileno(), path)
        data = file.read(limit + 1)
    if len(data) > limit:
        raise Problem(Code.TOO_LARGE)
    return data


def is_in_memory(path: Path) -> bool:
    """Whether a directory is in memory only. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return file_system_type(fd) in _IN_MEMORY
    finally:
        os.close(fd)


def credential_path(environment: Mapping[str, str]) -> Path | None:
    """Where systemd put the credential `safeum-root`; None where it did not."""
    directory = environment.get("CREDENTIALS_DIRECTORY")
    path = Path(directory, CREDENTIAL) if directory else None
    return path if path is not None and path.exists() else None


def _parse(arena: Arena, data: memoryview) -> Slot:
    if len(data) == KEY_SIZE:
        slot = arena.slot()
        slot.view()[:] = data
        return slot
    octets = bytes(data)
    try:
        found = parse(arena, octets.decode("ascii", "replace"))
    finally:
        scrub(octets)
    if isinstance(found, HeldShare):
        raise Problem(Code.INVALID_WORDS, "a share alone is not the root secret")
    return found


def _check_safe(fd: int, path: Path) -> None:
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        raise Problem(Code.UNSAFE_SOURCE, f"{path} is not a file")
    if file_system_type(fd) not in _IN_MEMORY:
        raise Problem(Code.UNSAFE_SOURCE, f"{path} is on a disk: only ramfs and tmpfs are taken")
    if status.st_uid not in (0, os.geteuid()):
        raise Problem(Code.UNSAFE_SOURCE, f"{path} belongs to another user")
    if _others_read(fd, status.st_mode):
        raise Problem(Code.UNSAFE_SOURCE, f"{path} can be read by others than its owner: chmod 0400")


def _others_read(fd: int, mode: int) -> bool:
    """Whether someone else may read; with an ACL (systemd gives one) the group's bits are only its mask."""
    try:
        acl = os.getxattr(fd, "system.posix_acl_access")
    except OSError:
        return bool(mode & (stat.S_IRGRP | stat.S_IROTH))
    return any(
        permissions & _READ
        and (
            tag in (_ACL_GROUP_OBJ, _ACL_GROUP, _ACL_OTHER)
            or (tag == _ACL_USER and who not in (0, os.geteuid()))
        )
        for tag, permissions, who in struct.iter_unpack("<HHI", acl[4:])
    )
