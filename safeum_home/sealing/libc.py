"""The few calls into the C library and libsodium that Python and PyNaCl do not offer."""

from typing import Any

import nacl._sodium
from cffi import FFI

ffi = nacl._sodium.ffi
"""PyNaCl's own: pointers made with it go into its `lib` without a copy."""
sodium = nacl._sodium.lib

# Without it libsodium takes a page for 64 KiB, and its guard pages silently guard nothing.
if sodium.sodium_init() < 0:
    raise ImportError("libsodium does not initialise")

_own = FFI()
_own.cdef(
    """
    void *mmap(void *address, size_t length, int protection, int flags, int fd, long offset);
    int munmap(void *address, size_t length);
    int madvise(void *address, size_t length, int advice);
    int mlock(const void *address, size_t length);
    int mlockall(int flags);
    int prctl(int option, unsigned long, unsigned long, unsigned long, unsigned long);
    int fstatfs(int fd, void *buffer);
    long syscall(long number, unsigned long flags);
    void *sodium_malloc(size_t size);
    void sodium_free(void *pointer);
    """
)
libc: Any = _own.dlopen(None)
sodium_heap: Any = _own.dlopen(nacl._sodium.__file__)

Pointer = Any
"""An `unsigned char *` of cffi."""

MAP_FAILED = 2 ** (8 * ffi.sizeof("size_t")) - 1


def address_of(pointer: Any) -> int:
    return int(_own.cast("uintptr_t", pointer))


def at(address: int) -> Any:
    """An address as a `void *` for `libc` and `sodium_heap`."""
    return _own.cast("void *", address)


def last_errno() -> int:
    """The errno of the last failed call on this thread."""
    return int(_own.errno)


def file_system_type(fd: int) -> int:
    """The magic number of the file system that holds an open file (statfs(2), `f_type`)."""
    buffer = _own.new("long[64]")
    if libc.fstatfs(fd, buffer):
        raise OSError(last_errno(), "fstatfs")
    return int(buffer[0]) & 0xFFFFFFFF
