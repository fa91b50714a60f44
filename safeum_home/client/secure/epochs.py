"""The epochs of a chat that are known: which one is good to say something in, and their keys."""

import contextlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from safeum_home.client.secure.envelope import NONE
from safeum_home.client.secure.epoch import Epoch, EpochKey, open_key
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.unique_key import UniqueKey

DAY = 24 * 60 * 60 * 1000
AHEAD = 5 * 60 * 1000
"""Milliseconds that the clock of an epoch's maker may be ahead."""
MOST_MESSAGES = 100
"""Messages in an epoch, of all members together, before the next one is made."""
GRACE = 10 * 60 * 1000
"""Milliseconds in which messages are taken that were under way when members, or keys, changed."""
MOST_KEPT = 128
MOST_OPEN = 16
"""Keys that are in memory at a time; others are opened anew."""
IN_VAULT = 4


@dataclass(slots=True)
class KnownEpoch:
    """An epoch that was taken."""

    id: bytes
    at: int
    commitment: bytes
    sealed: bytes
    """Its key, to this account; nothing where it is for keys that this account has no more."""
    hashes: Mapping[str, bytes] | None
    """Its members with the hashes of their keys; None of one that the vault had, in which nothing is said."""
    good: bool = False
    """Whether something may be said in it: it has come live, and goes by a roster that is known."""
    count: int = 0
    stale: int | None = None
    """Since when it has members, or keys, that are none any more."""


class Epochs:
    """Epochs by their id."""

    def __init__(self, own: UniqueKey, former: Sequence[UniqueKey] = ()) -> None:
        self._own = own
        self._former = former
        self._known: OrderedDict[bytes, KnownEpoch] = OrderedDict()
        self._open: OrderedDict[bytes, EpochKey] = OrderedDict()
        self._changed = 0
        """When members or keys have changed last."""

    def get(self, id: bytes) -> KnownEpoch | None:
        return self._known.get(id)

    @property
    def newest(self) -> bytes:
        """The id of the one that was taken last; zeros where there is none."""
        return next(reversed(self._known), NONE)

    def add(
        self, id: bytes, epoch: Epoch, key: EpochKey | None, in_force: Mapping[str, bytes] | None
    ) -> None:
        """One whose key is open; None where that is for keys that this account has no more.

        `in_force` are members and hashes now; None of the past.
        """
        own, sealed = self._own, b""
        if key is not None:
            hash, sealed = epoch.members[own.account]
            if hash != own.hash:
                sealed = key.box(own.public.box)
        known = KnownEpoch(id, epoch.at, epoch.commitment, sealed, epoch.hashes, good=in_force is not None)
        if in_force is not None and not _within(epoch.hashes, in_force):
            known.stale = self._changed
        self._keep(known)
        if key is not None:
            self._opened(id, key)

    def restore(self, id: bytes, at: int, commitment: bytes, sealed: bytes) -> None:
        """As the vault has it: to read what comes in it yet."""
        if id not in self._known:
            self._keep(KnownEpoch(id, at, commitment, sealed, None))

    def is_late(self, epoch: Epoch, in_force: Mapping[str, bytes], now: int) -> bool:
        """Whether one that comes now has members, or keys, that have been none for longer than is waited."""
        return not _within(epoch.hashes, in_force) and now > self._changed + GRACE

    def key(self, known: KnownEpoch) -> EpochKey:
        """Raises `Refused`: FORMER_KEYS, or BAD_EPOCH of one that the vault had and is not for these keys."""
        key = self._open.get(known.id)
        if key is None:
            key = self._open_anew(known)
            self._opened(known.id, key)
        self._open.move_to_end(known.id)
        return key

    def _open_anew(self, known: KnownEpoch) -> EpochKey:
        own = self._own
        for each in (own, *self._former):
            with contextlib.suppress(Refused):
                return open_key(known.sealed, known.commitment, each)
        former = known.hashes is not None and known.hashes.get(own.account) != own.hash
        raise Refused(Reason.FORMER_KEYS if former else Reason.BAD_EPOCH)

    def rekey(self, own: UniqueKey) -> None:
        """Other keys of this account are in force: the last epochs are sealed to these. 150 us each."""
        for known in list(self._known.values())[-MOST_OPEN:]:
            with contextlib.suppress(Refused):
                known.sealed = self.key(known).box(own.public.box)
        self._own = own

    def retire(self, ids: Iterable[bytes]) -> None:
        """Say nothing more in these."""
        for id in ids:
            if (known := self._known.get(id)) is not None:
                known.good = False

    def changed(self, in_force: Mapping[str, bytes], now: int) -> None:
        """Members, or their keys, are others: epochs for what is none any more are stale from now on."""
        self._changed = now
        for known in self._known.values():
            if known.hashes is not None and known.stale is None and not _within(known.hashes, in_force):
                known.stale = now

    def usable(self, in_force: Mapping[str, bytes], now: int) -> KnownEpoch | None:
        """One in which something may be said to exactly these, the one that came last first."""
        for known in reversed(self._known.values()):
            if (
                known.good
                and known.count < MOST_MESSAGES
                and now - DAY < known.at <= now + AHEAD
                and known.hashes == in_force
            ):
                return known
        return None

    def recent(self) -> Iterator[KnownEpoch]:
        """Those that the vault keeps, the newest last."""
        yield from [known for known in self._known.values() if known.sealed][-IN_VAULT:]

    def wipe(self) -> None:
        for key in self._open.values():
            key.wipe()
        self._open.clear()
        self._known.clear()

    def _keep(self, known: KnownEpoch) -> None:
        self._known[known.id] = known
        if len(self._known) > MOST_KEPT:
            gone, _ = self._known.popitem(last=False)
            if (key := self._open.pop(gone, None)) is not None:
                key.wipe()

    def _opened(self, id: bytes, key: EpochKey) -> None:
        self._open[id] = key
        if len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)[1].wipe()


def _within(hashes: Mapping[str, bytes], in_force: Mapping[str, bytes]) -> bool:
    return hashes.items() <= in_force.items()
