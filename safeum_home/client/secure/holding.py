"""Envelopes that wait for something: for keys of their sender, their epoch, or the roster before."""

from collections.abc import Iterator
from typing import NamedTuple

from safeum_home.client.secure.envelope import Envelope, Place
from safeum_home.client.secure.events import Told
from safeum_home.client.secure.refused import Reason

MOST_HELD = 200
MOST_OCTETS = 2 * 2**20
PATIENCE = 60 * 1000
"""Milliseconds after which it is told that something waits."""


class HeldEnvelope(NamedTuple):
    """One that waits. `noted`: its stream knows it already. `late`: it was missing. `known`: it was there
    before. `warned`: it was told."""

    told: Told
    place: Place
    envelope: Envelope
    past: bool
    reason: Reason
    since: int
    noted: bool = False
    late: bool = False
    known: bool = False
    warned: bool = False


class Holding:
    """In the order in which they came, bounded: the oldest goes first."""

    def __init__(self) -> None:
        self._held: list[HeldEnvelope] = []
        self._size = 0

    def __len__(self) -> int:
        return len(self._held)

    def add(self, held: HeldEnvelope) -> Iterator[HeldEnvelope]:
        """Keep one; what had to go for it."""
        self._held.append(held)
        self._size += len(held.envelope.octets)
        while len(self._held) > MOST_HELD or self._size > MOST_OCTETS:
            gone = self._held.pop(0)
            self._size -= len(gone.envelope.octets)
            yield gone

    def take(self) -> list[HeldEnvelope]:
        """All of them; those that still have to wait are added again."""
        held, self._held, self._size = self._held, [], 0
        return held

    def overdue(self, now: int) -> list[HeldEnvelope]:
        """Those that have waited for a minute, once. They wait on, but for rosters beside others."""
        due = [each for each in self._held if not each.warned and each.since + PATIENCE <= now]
        held = [each._replace(warned=each.since + PATIENCE <= now) for each in self._held]
        self._held = [each for each in held if not each.warned or each.reason is not Reason.ROSTER_FORKED]
        self._size = sum(len(each.envelope.octets) for each in self._held)
        return due

    def lacks_past(self) -> bool:
        """Whether something of history waits for an epoch."""
        return any(each.past and each.reason is Reason.NO_EPOCH for each in self._held)
