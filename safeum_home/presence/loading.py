"""Contacts and settings of those who have come: read in batches, one read at a time, with pauses."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from safeum_home.errors import Problem
from safeum_home.ports import Acquaintance, Acquaintances
from safeum_home.presence.people import Person
from safeum_home.spawn import spawn

BATCH = 50
PAUSE_SECONDS = 0.1
"""After a full batch: when everybody comes at once others use the database, too."""
_RETRY_SECONDS = 5.0
_log = Logger()


class Loading:
    """Reads of people what `ready` fills in, where they are still there. `clock` provides IReactorTime."""

    def __init__(
        self, clock: Any, source: Acquaintances, ready: Callable[[Person, Acquaintance], None]
    ) -> None:
        self._clock = clock
        self._source = source
        self._ready = ready
        self._wanted: OrderedDict[Person, None] = OrderedDict()
        self._reading: dict[Person, None] = {}
        self._stale: set[Person] = set()
        """Those of whom something has changed while they are being read."""
        self._pause: IDelayedCall | None = None
        self._stopped = False

    def want(self, person: Person) -> None:
        """Read it, anew where it is being read."""
        if person in self._reading:
            self._stale.add(person)
        else:
            self._wanted[person] = None
            self._next()

    def changed(self, person: Person) -> None:
        """What is being read of it may be older than what was just committed."""
        if person in self._reading:
            self._stale.add(person)

    def drop(self, person: Person) -> None:
        """It has gone again."""
        self._wanted.pop(person, None)

    def stop(self) -> None:
        """Read nothing any more."""
        self._stopped = True
        self._wanted.clear()
        if self._pause is not None and self._pause.active():
            self._pause.cancel()

    def _next(self) -> None:
        waits = self._pause is not None and self._pause.active()
        if self._wanted and not self._reading and not waits and not self._stopped:
            count = min(BATCH, len(self._wanted))
            self._reading = {self._wanted.popitem(last=False)[0]: None for _ in range(count)}
            spawn(self._read(list(self._reading)), "reading who may see whom")

    async def _read(self, people: list[Person]) -> None:
        try:
            found = await self._source.of([person.account for person in people])
        except Exception as error:
            if not isinstance(error, Problem):
                _log.failure("contacts could not be read")
            self._again(people, set(people))
            if not self._stopped:
                self._pause = self._clock.callLater(_RETRY_SECONDS, self._next)
            return
        stale = self._stale
        self._again(people, stale)
        for person, acquaintance in zip(people, found, strict=True):
            if person not in stale and acquaintance is not None and person.devices:
                self._apply(person, acquaintance)
        if len(people) < BATCH:
            self._next()
        elif not self._stopped:
            self._pause = self._clock.callLater(PAUSE_SECONDS, self._next)

    def _again(self, people: list[Person], stale: set[Person]) -> None:
        """The read is over; `stale` are to be read anew, as far as they are still there."""
        self._reading, self._stale = {}, set()
        if not self._stopped:
            self._wanted.update((person, None) for person in people if person in stale and person.devices)

    def _apply(self, person: Person, acquaintance: Acquaintance) -> None:
        try:
            self._ready(person, acquaintance)
        except Exception:
            _log.failure("somebody who has come could not be shown")
