"""Locked memory for key material: pages that are never swapped, dumped, inherited or read by others.

Three ways to get such pages, best first: `memfd_secret(2)`, which takes them out of the kernel's own
map, so that not even `/proc/PID/mem` shows them; libsodium's guarded heap; locked anonymous pages.
An `Arena` cuts its pages into slots. Nothing in here ever makes a Python object of what a slot holds.

Make an arena after the process has daemonised: its pages are not there in a forked child.
"""

import mmap
import os
import sys
import threading
import weakref
from collections import defaultdict
from enum import Enum

from safeum_home.sealing.libc import MAP_FAILED, Pointer, address_of, at, ffi, libc, sodium, sodium_heap

KEY_SIZE = 32
CHUNK = 64 * 1024
_SYS_MEMFD_SECRET = 447
_PROTECTION = mmap.PROT_READ | mmap.PROT_WRITE


class Level(Enum):
    """How well pages are kept, best first."""

    MEMFD_SECRET = "memfd_secret"  # noqa: S105 - the name of a system call
    SODIUM_MALLOC = "sodium_malloc"
    MLOCK = "mlock"
    UNLOCKED = "unlocked"


class OutOfLockedMemory(MemoryError):
    """RLIMIT_MEMLOCK is used up, and unlocked pages are not allowed."""


def _map(length: int, flags: int, fd: int = -1) -> int | None:
    address = address_of(libc.mmap(at(0), length, _PROTECTION, flags, fd, 0))
    return None if address == MAP_FAILED else address


def _map_secret(length: int) -> int | None:
    fd = libc.syscall(_SYS_MEMFD_SECRET, os.O_CLOEXEC)
    if fd < 0:
        return None
    try:
        os.ftruncate(fd, length)
        return _map(length, mmap.MAP_SHARED, fd)
    finally:
        # The mapping stays; a descriptor left open could be fetched with pidfd_getfd(2) and mapped anew.
        os.close(fd)


def _map_sodium(length: int) -> int | None:
    address = address_of(sodium_heap.sodium_malloc(length))
    if address and libc.mlock(at(address), length):  # sodium_malloc goes on where it could not lock
        sodium_heap.sodium_free(at(address))
        return None
    if address:
        sodium.sodium_memzero(ffi.cast("void *", address), length)  # it comes filled with 0xdb
    return address or None


def _map_locked(length: int) -> int | None:
    address = _map_unlocked(length)
    if address is not None and libc.mlock(at(address), length):
        libc.munmap(at(address), length)
        return None
    return address


def _map_unlocked(length: int) -> int | None:
    return _map(length, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


_MAPPERS = {
    Level.MEMFD_SECRET: _map_secret,
    Level.SODIUM_MALLOC: _map_sodium,
    Level.MLOCK: _map_locked,
    Level.UNLOCKED: _map_unlocked,
}
_LEVELS = tuple(Level)


def _unmap(chunks: list[tuple[Level, int, int]]) -> None:
    for level, address, length in chunks:
        if level is Level.SODIUM_MALLOC:
            sodium_heap.sodium_free(at(address))
        else:
            libc.munmap(at(address), length)


class Slot:
    """A place for a secret of `size` octets. `pointer` goes into libsodium; None once wiped."""

    __slots__ = ("_home", "arena", "pointer", "size")

    def __init__(self, arena: "Arena", home: Pointer, size: int) -> None:
        self.arena = arena
        self.pointer: Pointer = home
        self.size = size
        self._home = home

    def view(self) -> memoryview:
        """The slot itself, for `os.readv` and the like: what is copied out of it is not protected.

        It does not keep the slot: hold that for as long as the view is used.
        """
        if self.pointer is None:
            raise ValueError("the slot was wiped")
        return memoryview(ffi.buffer(self.pointer, self.size))

    def fill_random(self) -> "Slot":
        sodium.randombytes(self.pointer, self.size)
        return self

    def wipe(self) -> None:
        """Zero the slot and give its place back. Twice is harmless."""
        if self.pointer is not None:
            self.pointer = None
            self.arena.release(self._home, self.size)

    def __del__(self) -> None:
        self.wipe()


class Arena:
    """Hands out slots; grows by `CHUNK`s and never shrinks.

    `floor` is the weakest level that it may fall to; where even that gives no page, `slot` raises
    `OutOfLockedMemory`. `ceiling` exists for tests. Slots may be taken and wiped on any thread.
    """

    def __init__(self, floor: Level = Level.MLOCK, ceiling: Level = Level.MEMFD_SECRET) -> None:
        self._allowed = _LEVELS[_LEVELS.index(ceiling) : _LEVELS.index(floor) + 1]
        self._free: defaultdict[int, list[Pointer]] = defaultdict(list)
        self._chunks: list[tuple[Level, int, int]] = []
        self._lock = threading.Lock()
        self._gone = False
        _arenas.add(self)
        self.slot().wipe()

    @property
    def level(self) -> Level:
        """The weakest level in use."""
        return max((level for level, _, _ in self._chunks), key=_LEVELS.index)

    @property
    def octets(self) -> int:
        """How much memory the arena holds, in use or not."""
        return sum(length for _, _, length in self._chunks)

    def slot(self, size: int = KEY_SIZE) -> Slot:
        """A slot of `size` octets, all zero; raises `OutOfLockedMemory`."""
        free = self._free[_size_class(size)]
        while True:
            try:
                return Slot(self, free.pop(), size)
            except IndexError:
                self._grow(_size_class(size))

    def release(self, pointer: Pointer, size: int) -> None:
        """For `Slot.wipe` alone."""
        if not self._gone:
            sodium.sodium_memzero(pointer, size)
            self._free[_size_class(size)].append(pointer)

    def _grow(self, size: int) -> None:
        with self._lock:
            if self._free[size]:
                return  # another thread was faster
            length = max(CHUNK, size)
            address = self._map_chunk(length)
            if address is None and length == CHUNK:  # the last pages below the limit
                length = max(mmap.PAGESIZE, size)
                address = self._map_chunk(length)
            if address is None:
                raise OutOfLockedMemory("no more memory can be locked: raise RLIMIT_MEMLOCK")
            base = ffi.cast("unsigned char *", address)
            self._free[size].extend(base + offset for offset in range(0, length - size + 1, size))

    def _map_chunk(self, length: int) -> int | None:
        for level in self._allowed:
            address = _MAPPERS[level](length)
            if address is not None:
                libc.madvise(at(address), length, mmap.MADV_DONTFORK)
                libc.madvise(at(address), length, mmap.MADV_DONTDUMP)
                self._chunks.append((level, address, length))
                return address
        return None

    def _forked(self) -> None:
        # The pages did not come along, and something else may be mapped where they were.
        self._gone = True

    def __del__(self) -> None:
        # Slots that are collected in one cycle with their arena may have their turn after it.
        if not self._gone and not sys.is_finalizing():
            self._gone = True
            _unmap(self._chunks)


def _size_class(size: int) -> int:
    if size > CHUNK:
        return -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
    return max(KEY_SIZE, 1 << (size - 1).bit_length())


_arenas: "weakref.WeakSet[Arena]" = weakref.WeakSet()


def _after_fork() -> None:
    for arena in tuple(_arenas):
        arena._forked()


os.register_at_fork(after_in_child=_after_fork)


def scrub(octets: bytes | bytearray) -> None:
    """Zero an object that nobody else holds: one fewer copy in freed memory, for what a library returned."""
    if len(octets) > 1:  # shorter `bytes` are shared by the interpreter
        sodium.sodium_memzero(ffi.from_buffer(octets), len(octets))
