"""The keyring: what is erased stays erased, and a crash at any point loses nothing."""

import os
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Code, Erased, Problem, Tampered
from safeum_home.ports import Keyring, WrappedKey
from safeum_home.sealing import files
from safeum_home.sealing.keyring import EpochKeyring
from safeum_home.sealing.keys import SealedKey
from safeum_home.sealing.memory import Arena, Slot

OWNER = b"o" * 16


class Crash(BaseException):
    """The process ends here."""


class CrashingOs:
    """The module `os`, up to its nth call that reaches the disk."""

    STEPS = ("open", "fchmod", "fsync", "rename", "pwrite")

    def __init__(self, survives: int) -> None:
        self.left = survives

    def __getattr__(self, name: str) -> Any:
        function = getattr(os, name)
        return self._counted(function) if name in self.STEPS else function

    def _counted(self, function: Any) -> Any:
        def call(*arguments: Any) -> Any:
            if self.left == 0:
                raise Crash
            self.left -= 1
            return function(*arguments)

        return call


class KeyringTests(SynchronousTestCase):
    """A keyring over a file."""

    def setUp(self) -> None:
        self.arena = Arena()
        self.path = Path(self.mktemp())
        self.secret = self.arena.slot().fill_random()

    def _key(self) -> SealedKey:
        slot = self.arena.slot()
        slot.view()[:] = self.secret.view()
        return SealedKey(slot)

    def _create(self) -> EpochKeyring:
        return EpochKeyring.create(self._key(), self.path, self.arena.slot().fill_random())

    def _open(self) -> EpochKeyring:
        return EpochKeyring.open(self._key(), self.path)

    def _refused(self, code: Code) -> None:
        with self.assertRaises(Problem) as caught:
            self._open()
        self.assertIs(caught.exception.code, code)

    def test_reopened(self) -> None:
        """Keys open after a restart, for their owner and epoch only."""
        first: Keyring = self._create()
        key, wrapped = first.new_key(OWNER)
        sealed = key.seal(b"text", b"")
        again = self._open()
        self.assertEqual(again.unwrap(OWNER, wrapped).open(sealed, b""), b"text")
        self.assertRaises(Tampered, again.unwrap, b"x" * 16, wrapped)
        flipped = bytearray(wrapped.wrapped)
        flipped[40] ^= 1
        self.assertRaises(Tampered, again.unwrap, OWNER, WrappedKey(1, bytes(flipped)))
        self.assertRaises(Tampered, again.unwrap, OWNER, WrappedKey(2, wrapped.wrapped))
        self.assertRaises(Erased, again.unwrap, OWNER, WrappedKey(0, wrapped.wrapped))

    def test_file(self) -> None:
        """The file is for its owner only, holds no key, and is not made twice."""
        keyring = self._create()
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
        self.assertNotIn(bytes(keyring._slots[1].view()), self.path.read_bytes())
        with self.assertRaises(Problem) as caught:
            self._create()
        self.assertIs(caught.exception.code, Code.ALREADY_INITIALISED)

    def test_refused_files(self) -> None:
        """A file of another root, a damaged one and a missing one are told apart from an open one."""
        self._refused(Code.NOT_INITIALISED)
        self._create()
        good = self.path.read_bytes()
        for at in range(len(good)):
            self.path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
            self._refused(Code.WRONG_ROOT_SECRET)
        for damaged in (b"", good[:-1], good + b"\0", good[:20]):
            self.path.write_bytes(damaged)
            self._refused(Code.WRONG_ROOT_SECRET)
        self.path.write_bytes(good)
        self._open()
        self.secret.fill_random()
        self._refused(Code.WRONG_ROOT_SECRET)

    def test_turn(self) -> None:
        """After a turn the re-wrapped key opens, and the old wrap does not, also after a restart."""
        keyring = self._create()
        key, old = keyring.new_key(OWNER)
        sealed = key.seal(b"text", b"")
        self.assertEqual(keyring.begin_turn(), 2)
        self.assertTrue(keyring.pending_turn)
        self.assertRaises(RuntimeError, keyring.begin_turn)
        new = keyring.rewrap(OWNER, old)
        self.assertEqual(new.epoch, 2)
        self.assertEqual(keyring.rewrap(OWNER, new), new)
        keyring.finish_turn()
        keyring.wipe_retired()
        for held in (keyring, self._open()):
            self.assertEqual((held.epoch, held.pending_turn), (2, False))
            self.assertEqual(held.unwrap(OWNER, new).open(sealed, b""), b"text")
            self.assertRaises(Erased, held.unwrap, OWNER, old)
            self.assertRaises(Erased, held.rewrap, OWNER, old)
        keyring.finish_turn()
        keyring.wipe_retired()
        self.assertEqual(keyring.begin_turn(), 3)

    def test_old_octets(self) -> None:
        """The octets of the replaced file are written over."""
        keyring = self._create()
        before = self.path.with_name("before")
        os.link(self.path, before)
        keyring.begin_turn()
        self.assertEqual(before.read_bytes().strip(b"\0"), b"")

    def test_in_memory(self) -> None:
        """Without a path there is no file, and turning works all the same."""
        keyring = EpochKeyring.create(self._key(), None, self.arena.slot().fill_random())
        _, old = keyring.new_key(OWNER)
        keyring.begin_turn()
        new = keyring.rewrap(OWNER, old)
        keyring.finish_turn()
        keyring.wipe_retired()
        keyring.unwrap(OWNER, new)
        self.assertRaises(Erased, keyring.unwrap, OWNER, old)
        self.assertEqual(list(self.path.parent.iterdir()), [])

    def test_wiped(self) -> None:
        """A wiped keyring opens and makes nothing."""
        keyring = self._create()
        _, wrapped = keyring.new_key(OWNER)
        keyring.wipe()
        self.assertRaises(Erased, keyring.unwrap, OWNER, wrapped)
        self.assertRaises(Erased, keyring.new_key, OWNER)

    def test_crash_while_turning(self) -> None:
        """At whichever step of a turn the process ends, the survivor's key is there after the restart."""
        crashes = 0
        for survives in range(100):
            self.path = Path(self.mktemp())
            keyring = self._create()
            key, row = keyring.new_key(OWNER)
            sealed = key.seal(b"text", b"")
            erased = keyring.new_key(OWNER)[1]
            patch = self.patch(files, "os", CrashingOs(survives))
            try:
                keyring.begin_turn()
                row = keyring.rewrap(OWNER, row)  # committed: the erased row is gone
                keyring.finish_turn()
                keyring.wipe_retired()
                crashed = False
            except Crash:
                crashed = True
            patch.restore()
            keyring = self._open()
            if keyring.pending_turn:
                row = keyring.rewrap(OWNER, row)
                keyring.finish_turn()
                keyring.wipe_retired()
            self.assertEqual(keyring.unwrap(OWNER, row).open(sealed, b""), b"text")
            if keyring.epoch == 2:
                self.assertRaises(Erased, self._open().unwrap, OWNER, erased)
            else:
                self.assertEqual(row.epoch, 1)
            keyring.begin_turn()  # what a crash left behind is in nobody's way
            if not crashed:
                break
            crashes += 1
        self.assertEqual(keyring.epoch, 3)
        self.assertGreaterEqual(crashes, 2 * 7)

    def test_disk_trouble(self) -> None:
        """Where the file cannot be written, the keyring stays what it is, and the turn can be tried again."""
        keyring = self._create()
        _, row = keyring.new_key(OWNER)

        def full(_fd: int) -> None:
            raise OSError(28, "No space left on device")

        trouble = CrashingOs(-1)
        trouble.fsync = full  # type: ignore[attr-defined]  # an attribute in front of __getattr__
        patch = self.patch(files, "os", trouble)
        self.assertRaises(OSError, keyring.begin_turn)
        self.assertEqual((keyring.epoch, keyring.pending_turn), (1, False))
        patch.restore()
        self._open().unwrap(OWNER, row)
        keyring.begin_turn()
        row = keyring.rewrap(OWNER, row)
        patch = self.patch(files, "os", trouble)
        self.assertRaises(OSError, keyring.finish_turn)
        self.assertTrue(keyring.pending_turn)
        patch.restore()
        keyring.finish_turn()
        keyring.wipe_retired()
        self._open().unwrap(OWNER, row)


class SlotKeptTests(SynchronousTestCase):
    """What the keyring does with the keys it is given."""

    def test_dropped_epochs_are_zero(self) -> None:
        """The key of a dropped epoch is zero in memory."""
        arena = Arena()
        epoch: Slot = arena.slot().fill_random()
        keyring = EpochKeyring.create(SealedKey(arena.slot().fill_random()), None, epoch)
        keyring.begin_turn()
        keyring.finish_turn()
        keyring.wipe_retired()
        self.assertIsNone(epoch.pointer)
