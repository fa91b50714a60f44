"""What a process that takes sound from strangers gives up before it begins: it needs its pipes and UDP.

It can write no file, leave no core, gain no privilege, and has bounds on memory and descriptors. Its memory
is kept out of swap where it may be locked without a bound. Where the kernel has Landlock (Linux 5.13) it
reads nothing any more but the libraries, and writes, makes and deletes nothing at all; from Linux 6.7 on it
opens no TCP connection either.
"""

import ctypes
import os
import resource
import struct
import sys
from collections.abc import Iterator

MEMORY = 2 * 1024**3
"""Octets of address space."""
_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_PATH_BENEATH = 1
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_FILES_OF = {1: 13, 2: 14, 3: 15, 4: 15}
"""How many rights over files there are, by the version of Landlock; 16 from version 5 on."""
_TCP = 0b11
_CREATE, _ADD, _RESTRICT = 444, 445, 446
"""System calls (the same numbers on all architectures)."""
_libc = ctypes.CDLL(None, use_errno=True)


def confine(descriptors: int, processor_seconds: int | None = None) -> tuple[str, ...]:
    """Give up what is not needed; what the system keeps this process from now, in a word each.

    Call it after all has been imported. `descriptors` is how many may be open.
    """
    bounds = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: descriptors,
        resource.RLIMIT_AS: MEMORY,
    }
    if processor_seconds is not None:
        bounds[resource.RLIMIT_CPU] = processor_seconds
    for what, most in bounds.items():
        hard = resource.getrlimit(what)[1]
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (bound, bound))
    _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    shut = ["writing"]
    unlimited = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY
    if unlimited and _libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0:
        shut.append("swap")
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        shut.append("privileges")
        shut.extend(_landlock())
    return tuple(shut)


def _landlock() -> Iterator[str]:
    version = _libc.syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if version < 1:
        return
    files = (1 << _FILES_OF.get(version, 16)) - 1
    attributes = struct.pack("=QQ", files, _TCP) if version >= 4 else struct.pack("=Q", files)
    rules = _libc.syscall(_CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    if rules < 0:
        return
    try:
        for path in _libraries():
            _allow(rules, path)
        if _libc.syscall(_RESTRICT, rules, ctypes.c_uint32(0)) == 0:
            yield "files"
            if version >= 4:
                yield "tcp"
    finally:
        os.close(rules)


def _libraries() -> set[str]:
    """Where modules and shared libraries are: something may still be loaded late. Never all there is."""
    where = (*sys.path, sys.prefix, sys.base_prefix, "/usr/lib", "/lib")
    return {path for path in where if os.path.isdir(path) and os.path.realpath(path) != "/"}


def _allow(rules: int, path: str) -> None:
    try:
        beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rule = struct.pack("=Qi", _READ_FILE | _READ_DIR | _EXECUTE, beneath)
        _libc.syscall(_ADD, rules, _PATH_BENEATH, rule, ctypes.c_uint32(0))
    finally:
        os.close(beneath)
