"""Notices that the database went away, or came back, also while nobody writes."""

from collections.abc import Callable
from typing import Any, Protocol

from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from safeum_home.storage.outage import UNAVAILABLE

INTERVAL = 5.0
"""Seconds between an answer and the next question: one small commit."""
PATIENCE = 10.0
"""Seconds without an answer after which the database is taken to be away."""


class Watched(Protocol):
    """The part of `NodeDatabase` that is watched."""

    @property
    def outage(self) -> str | None: ...
    def transact(self, fn: Callable[[Connection], None], /) -> "Deferred[None]": ...


class DatabaseWatch:
    """Commits nothing, every few seconds: a full disk and a server that is gone both refuse that."""

    def __init__(self, clock: IReactorTime, database: Watched) -> None:
        self._clock = clock
        self._database = database
        self._asked: float | None = None
        self._next: IDelayedCall | None = clock.callLater(INTERVAL, self._ask)

    @property
    def outage(self) -> str | None:
        """Why no changes are taken, in a word of `storage.outage`; None while they are."""
        if self._asked is not None and self._clock.seconds() - self._asked > PATIENCE:
            return self._database.outage or UNAVAILABLE
        return self._database.outage

    def stop(self) -> None:
        call, self._next = self._next, None
        if call is not None and call.active():
            call.cancel()

    def _ask(self) -> None:
        self._asked = self._clock.seconds()
        # A refusal shows in the database's `outage`.
        self._database.transact(_nothing).addBoth(self._answered)

    def _answered(self, _outcome: Any) -> None:
        self._asked = None
        if self._next is not None:
            self._next = self._clock.callLater(INTERVAL, self._ask)


def _nothing(_connection: Connection) -> None:
    """A commit of its own."""
