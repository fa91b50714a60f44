"""The keyring: the keys of accounts, chats and days, wrapped under a random key of the present epoch.

Deleting a wrapped key does not erase it: disks and backups remember. So epoch keys are random, live
in one file alone, and are replaced on erasure ("turning"): what was wrapped under the old epoch and
not re-wrapped can be opened by nobody. A backup of that file undoes this: keep it out of backups of
the database, and keep one copy of it only, replaced after each turn.

Turning has two steps around a commit, so that a crash at any point is made good at the next start:

1. `begin_turn` puts the next epoch's key beside the present one into the file;
2. the caller, who has dropped the erased rows before, re-wraps all others with `rewrap`: some in each
   transaction, so that others can commit between them (`node.turning`);
3. `finish_turn` drops the old key from the file, and `wipe_retired` from memory, when all reads that had
   begun before are over: else they would find rows under a key that is gone, and take them for damaged.

A keyring that opens with two epochs has `pending_turn`: its caller goes on with steps 2 and 3.

A node has two, with epochs of their own: one for the keys of accounts and chats, and one for those of
messages and files that live only until they are delivered. That turns often, and voids no backup of the rest.
"""

from collections.abc import Mapping
from pathlib import Path

from safeum_home.errors import Code, Erased, Problem, Tampered
from safeum_home.ports import WrappedKey
from safeum_home.sealing import files
from safeum_home.sealing.keys import OVERHEAD, SealedKey
from safeum_home.sealing.memory import KEY_SIZE, Slot

_MAGIC = b"safeum keyring 1\n"
_ENTRY = 8 + KEY_SIZE


class EpochKeyring:
    """`ports.Keyring` over one file, or over memory alone where `path` is None.

    `new_key`, `unwrap` and `rewrap` do no I/O and may run on any thread. A row's wrap must go to
    storage in the reactor's turn in which `new_key` made it, so that a turn finds it there.
    """

    def __init__(self, key: SealedKey, path: Path | None, epochs: Mapping[int, Slot]) -> None:
        self._key = key
        self._path = path
        self._slots = dict(epochs)
        self._keys = {epoch: SealedKey(slot) for epoch, slot in epochs.items()}
        self._retired: dict[int, SealedKey] = {}
        self._epoch = max(epochs)
        self.stored = path is None
        """Whether the file is there; else the first turn makes it, and nothing may be wrapped before."""
        self._arena = epochs[self._epoch].arena

    @classmethod
    def create(cls, key: SealedKey, path: Path | None, epoch_key: Slot) -> "EpochKeyring":
        """A keyring at its first epoch, under a random `epoch_key`; takes over both keys. Blocks.

        Raises `already_initialised` where there is a file, and OSError.
        """
        if path is not None and path.exists():
            raise Problem(Code.ALREADY_INITIALISED)
        keyring = cls(key, path, {1: epoch_key})
        keyring._write(keyring._slots)
        keyring.stored = True
        return keyring

    @classmethod
    def open(cls, key: SealedKey, path: Path) -> "EpochKeyring":
        """The keyring of a file; takes over `key`. Blocks.

        Raises `not_initialised`, `wrong_root_secret` where the file does not open, and OSError.
        """
        data = files.read(path)
        if data is None:
            raise Problem(Code.NOT_INITIALISED)
        entries, rest = divmod(len(data) - len(_MAGIC) - OVERHEAD, _ENTRY)
        if rest or entries not in (1, 2) or not data.startswith(_MAGIC):
            raise Problem(Code.WRONG_ROOT_SECRET)
        try:
            plain = key.unwrap(data[len(_MAGIC) :], _MAGIC, entries * _ENTRY)
        except Tampered:
            raise Problem(Code.WRONG_ROOT_SECRET) from None
        epochs = {}
        view = plain.view()
        for start in range(0, entries * _ENTRY, _ENTRY):
            slot = plain.arena.slot()
            slot.view()[:] = view[start + 8 : start + _ENTRY]
            epochs[int.from_bytes(view[start : start + 8], "big")] = slot
        plain.wipe()
        keyring = cls(key, path, epochs)
        keyring.stored = True
        return keyring

    @property
    def epoch(self) -> int:
        """The epoch under which keys are wrapped now."""
        return self._epoch

    @property
    def oldest(self) -> int:
        """The oldest epoch whose key is in the file."""
        return min(self._keys)

    @property
    def pending_turn(self) -> bool:
        """A turn has begun and is not finished: re-wrap what is left of older epochs, then finish it."""
        return len(self._keys) > 1

    def new_key(self, owner: bytes) -> tuple[SealedKey, WrappedKey]:
        """A random key and its wrap for the database row of `owner`."""
        slot = self._arena.slot().fill_random()
        return SealedKey(slot), self._wrap(owner, slot)

    def unwrap(self, owner: bytes, wrapped: WrappedKey) -> SealedKey:
        """The key of a row; raises `Tampered`, or `Erased` where its epoch is gone."""
        return SealedKey(self._open(owner, wrapped))

    def rewrap(self, owner: bytes, wrapped: WrappedKey) -> WrappedKey:
        """The same key under the present epoch; raises as `unwrap` does."""
        if wrapped.epoch == self._epoch:
            return wrapped
        slot = self._open(owner, wrapped)
        try:
            return self._wrap(owner, slot)
        finally:
            slot.wipe()

    def begin_turn(self, beyond: int = 0) -> int:
        """Add the next epoch, under which keys are wrapped from here on; its number. Blocks.

        It is one after `beyond`, where that is later than the present one.

        Raises RuntimeError while a turn is pending (finish that one, then turn again: what was erased
        meanwhile may be wrapped under its epoch), and OSError: then nothing has changed
        in memory, and it may be tried again.
        """
        if self.pending_turn:
            raise RuntimeError("a turn of the keyring is pending")
        following = max(self._epoch, beyond) + 1
        slot = self._arena.slot().fill_random()
        slots = {**self._slots, following: slot}
        self._write(slots)
        self.stored = True
        self._slots = slots
        self._keys = {**self._keys, following: SealedKey(slot)}
        self._epoch = following
        return following

    def finish_turn(self) -> None:
        """Destroy all epochs but the present one; call it after the commit. Blocks. Raises OSError.

        In memory they are kept until `wipe_retired`: who reads in a snapshot from before still needs them.
        """
        present = {self._epoch: self._slots[self._epoch]}
        if self.pending_turn:
            self._write(present)
        retired = {epoch: key for epoch, key in self._keys.items() if epoch != self._epoch}
        self._retired = {**self._retired, **retired}
        self._slots = present
        self._keys = {self._epoch: self._keys[self._epoch]}

    def wipe_retired(self) -> None:
        """Zero the keys of epochs that are over: nobody looks at a snapshot from before any more."""
        retired, self._retired = self._retired, {}
        for key in retired.values():
            key.wipe()

    def wipe(self) -> None:
        """Zero every key of the keyring."""
        self.wipe_retired()
        for key in (self._key, *self._keys.values()):
            key.wipe()

    def _wrap(self, owner: bytes, slot: Slot) -> WrappedKey:
        epoch = self._epoch
        return WrappedKey(epoch, self._keys[epoch].wrap(slot, _context(owner, epoch)))

    def _open(self, owner: bytes, wrapped: WrappedKey) -> Slot:
        key = self._keys.get(wrapped.epoch) or self._retired.get(wrapped.epoch)
        if key is None:
            raise Erased if wrapped.epoch < self._epoch else Tampered
        return key.unwrap(wrapped.wrapped, _context(owner, wrapped.epoch))

    def _write(self, slots: Mapping[int, Slot]) -> None:
        if self._path is None:
            return
        plain = self._arena.slot(len(slots) * _ENTRY)
        view = plain.view()
        for index, (epoch, slot) in enumerate(sorted(slots.items())):
            start = index * _ENTRY
            view[start : start + 8] = epoch.to_bytes(8, "big")
            view[start + 8 : start + _ENTRY] = slot.view()
        try:
            files.replace(self._path, _MAGIC + self._key.wrap(plain, _MAGIC))
        finally:
            plain.wipe()


def _context(owner: bytes, epoch: int) -> bytes:
    return b"key\0%b%b" % (epoch.to_bytes(8, "big"), owner)
