"""Locked memory: what the kernel says of the pages, and what others see of them."""

import gc
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from safeum_home.sealing.keys import SealedKey
from safeum_home.sealing.libc import address_of
from safeum_home.sealing.memory import CHUNK, Arena, Level, Slot, scrub

LOCKED = (Level.MEMFD_SECRET, Level.SODIUM_MALLOC, Level.MLOCK)


def arena_of(level: Level) -> Arena:
    """An arena at exactly this level; skips where the machine does not have it."""
    try:
        return Arena(floor=level, ceiling=level)
    except MemoryError:
        raise SkipTest(f"{level.value} is not to be had here") from None


def smaps(slot: Slot) -> tuple[str, list[str]]:
    """Permissions and flags (proc(5)) of the mapping that holds a slot."""
    address, found = address_of(slot.pointer), False
    permissions = ""
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first, *rest = line.split()
        if not first.endswith(":"):
            low, high = (int(end, 16) for end in first.split("-"))
            found = low <= address < high
            permissions = rest[0]
        elif found and first == "VmFlags:":
            return permissions, rest
    raise AssertionError("the slot is in no mapping")


class ArenaTests(SynchronousTestCase):
    """Slots and pages."""

    def test_pages_are_kept(self) -> None:
        """At every level pages are locked, not dumped and not inherited."""
        for level in LOCKED:
            slot = arena_of(level).slot()
            permissions, flags = smaps(slot)
            self.assertEqual(permissions[:2], "rw")
            for flag in ("lo", "dd", "dc"):  # locked, do not dump, do not copy on fork
                self.assertIn(flag, flags, level)

    def test_guard_pages(self) -> None:
        """libsodium's heap really has its guard pages around."""
        arena = arena_of(Level.SODIUM_MALLOC)
        end = arena._chunks[0][1] + CHUNK
        lines = Path("/proc/self/maps").read_text().splitlines()
        self.assertTrue(any(line.startswith(f"{end:x}-") and " ---p " in line for line in lines))

    def test_slots_are_zero_and_apart(self) -> None:
        """A slot is zero when it is handed out, also the second time; slots do not overlap."""
        for level in Level:
            arena = arena_of(level)
            for size in (1, 16, 32, 33, 80, 4096, CHUNK, CHUNK + 1, 3 * CHUNK):
                for _ in range(2):
                    first, second = arena.slot(size), arena.slot(size)
                    self.assertEqual(bytes(first.view()), bytes(size))
                    first.view()[:] = b"\xff" * size
                    self.assertEqual(bytes(second.view()), bytes(size))
                    first.wipe()
                    second.wipe()

    def test_reuse(self) -> None:
        """A wiped slot's place is given out again; wiping twice gives it back once."""
        arena = Arena()
        held = arena.octets
        for _ in range(3 * CHUNK // 32):
            slot = arena.slot()
            slot.wipe()
            slot.wipe()
        self.assertEqual(arena.octets, held)
        self.assertNotEqual(address_of(arena.slot().pointer), 0)
        first, second = arena.slot(), arena.slot()
        self.assertNotEqual(address_of(first.pointer), address_of(second.pointer))
        self.assertRaises(ValueError, slot.view)

    def test_forgotten_slots_come_back(self) -> None:
        """A slot that nobody holds any more is wiped."""
        arena = Arena()
        address = address_of(arena.slot().fill_random().pointer)
        slot = arena.slot()
        self.assertEqual(address_of(slot.pointer), address)
        self.assertEqual(bytes(slot.view()), bytes(32))

    def test_collected_together(self) -> None:
        """An arena that goes in one cycle with its slots, in whichever order, takes nothing down."""
        for level in Level:
            arena = arena_of(level)
            cycle: list[object] = [arena.slot(), arena, arena.slot()]
            cycle.append(cycle)
            del arena, cycle
        gc.collect()

    def test_many_keys(self) -> None:
        """100,000 keys fit, in little more than their size."""
        arena = Arena(floor=Level.UNLOCKED)
        keys = [SealedKey(arena.slot()) for _ in range(100_000)]
        self.assertLess(arena.octets, 100_000 * 32 + 2 * CHUNK)
        for key in keys:
            key.wipe()

    def test_scrub(self) -> None:
        """Objects of nobody else are zeroed in place; the interpreter's own are left alone."""
        octets = bytes(bytearray(b"once upon a time"))
        scrub(octets)
        self.assertEqual(octets, bytes(16))
        scrub(b"")
        one = bytes([65])
        scrub(one)
        self.assertEqual(one, b"A")


_LIMITED = """
import os, resource, sys
from safeum_home.sealing.memory import Arena, Level, OutOfLockedMemory
arena, falling = Arena(), Arena(floor=Level.UNLOCKED)
resource.setrlimit(resource.RLIMIT_MEMLOCK, (256 * 1024, 256 * 1024))
if os.geteuid() == 0:
    os.setuid(65534)
slots = []
try:
    while len(slots) < 100_000:
        slots.append(arena.slot())
except OutOfLockedMemory:
    print("full", 0 < len(slots) <= 256 * 1024 // 32)
slots[0].wipe()
slots[0] = arena.slot()
slots += [falling.slot() for _ in range(20_000)]
print(arena.level is not Level.UNLOCKED, falling.level is Level.UNLOCKED)
"""

_FORKED = """
import os
from safeum_home.sealing.keys import SealedKey
from safeum_home.sealing.memory import Arena
arena = Arena()
slots = [arena.slot() for _ in range(100)]
child = os.fork()
if child == 0:
    del slots[:50]
    for slot in slots:
        slot.wipe()
    del arena, slot, slots
    SealedKey(Arena().slot().fill_random()).seal(b"", b"")
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
slots[0].fill_random()
"""

_HARDENED = """
import resource
from pathlib import Path
from safeum_home.sealing.hardening import harden_process
resource.setrlimit(resource.RLIMIT_MEMLOCK, (1 << 20, 1 << 20))
print(harden_process())
print(resource.getrlimit(resource.RLIMIT_CORE))
if resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == 1 << 20:
    bytearray(4 << 20)  # the limit binds what is locked, and nothing else
"""

_HOLDER = """
import os, sys
from safeum_home.sealing.keys import SealedKey
from safeum_home.sealing.memory import Arena, Level
level = Level(sys.argv[1])
slot = Arena(floor=level, ceiling=level).slot()
assert os.readv(0, [slot.view()]) == 32
key = SealedKey(slot)
assert key.open(key.seal(b"text", b"context"), b"context") == b"text"
planted = bytes(slot.view()) if sys.argv[2] == "plant" else None
os.write(1, b"held\\n")
os.read(0, 1)
key.wipe()
os.write(1, b"wiped\\n")
os.read(0, 1)
"""


def run(script: str) -> str:
    """What a process of its own prints."""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout


class ProcessTests(SynchronousTestCase):
    """What needs a process of its own."""

    def test_limit(self) -> None:
        """Where no more can be locked it is refused, or the arena says that it fell."""
        self.assertEqual(run(_LIMITED).split(), ["full", "True", "True", "True"])

    def test_fork(self) -> None:
        """A forked child, which has none of the pages, can drop its slots and make an arena of its own."""
        self.assertEqual(run(_FORKED).strip(), "7")

    def test_hardening(self) -> None:
        """No core is dumped; all is locked only where that has no limit."""
        expected = "Hardening(no_core_dumps=True, all_locked=False)\n(0, 0)\n"
        self.assertEqual(run(_HARDENED), expected)

    def _copies(self, level: Level, plant: str = "") -> tuple[int, int]:
        """How often a key is in a process' memory while held, and after the wipe."""
        canary = os.urandom(32)
        with subprocess.Popen(
            [sys.executable, "-c", _HOLDER, level.value, plant], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as child:
            assert child.stdin is not None and child.stdout is not None
            child.stdin.write(canary)
            child.stdin.flush()
            self.assertEqual(child.stdout.readline(), b"held\n")
            held = count(child.pid, canary)
            child.stdin.write(b".")
            child.stdin.flush()
            self.assertEqual(child.stdout.readline(), b"wiped\n")
            return held, count(child.pid, canary)

    def test_canary(self) -> None:
        """A key is once in memory, or not even that, and nowhere after the wipe."""
        arena_of(Level.MEMFD_SECRET)
        self.assertEqual(self._copies(Level.MEMFD_SECRET), (0, 0))
        self.assertEqual(self._copies(Level.SODIUM_MALLOC), (1, 0))
        self.assertEqual(self._copies(Level.MLOCK), (1, 0))

    def test_planted(self) -> None:
        """The search finds what was left behind."""
        held, left = self._copies(Level.SODIUM_MALLOC, "plant")
        self.assertGreater(held, 1)
        self.assertGreater(left, 0)


def count(pid: int, needle: bytes) -> int:
    """How often `needle` is in the memory of a process, as far as its memory can be read."""
    return counts(pid, [needle])[needle]


def counts(pid: int, needles: Iterable[bytes]) -> dict[bytes, int]:
    """The same of several, for which its memory is read once."""
    found = dict.fromkeys(needles, 0)
    try:
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
                span, permissions, _, _, inode, *_ = line.split()
                low, high = (int(end, 16) for end in span.split("-"))
                is_file = inode != "0" and "w" not in permissions
                if "r" in permissions and not is_file and not line.endswith(("[vvar]", "[vsyscall]")):
                    try:
                        octets = os.pread(memory.fileno(), high - low, low)
                    except OSError:  # secret memory is like a hole
                        continue
                    octets = octets.replace(bytes(4096), b"")
                    for needle in found:
                        found[needle] += octets.count(needle)
    except PermissionError:
        raise SkipTest("the memory of a child cannot be read here") from None
    return found
