"""Once a day: calls that were missed so long ago that there is no record of them any more are forgotten."""

from contextlib import suppress
from typing import Any

from twisted.internet.interfaces import IDelayedCall

from safeum_home.errors import Problem
from safeum_home.ports import Database
from safeum_home.safenum.money.months import month_of
from safeum_home.spawn import spawn
from safeum_home.storage import missed_calls as rows

SOON, EVERY = 100.0, 86_400.0
"""Seconds from the start to the first time, and from one to the next."""


class MissedSweep:
    """Where the storage is away it is done the next time."""

    def __init__(self, clock: Any, database: Database, months: int) -> None:
        """`clock` provides IReactorTime; they are kept for so many `months`, besides the one that runs."""
        self._clock = clock
        self._database = database
        self._months = months
        self._call: IDelayedCall | None = None

    def start(self) -> None:
        self._call = self._clock.callLater(SOON, self._begin)

    def stop(self) -> None:
        if self._call is not None and self._call.active():
            self._call.cancel()

    def _begin(self) -> None:
        self._call = self._clock.callLater(EVERY, self._begin)
        spawn(self._sweep(), "sweeping calls that were missed")

    async def _sweep(self) -> None:
        month = month_of(int(self._clock.seconds() * 1000)) - self._months
        with suppress(Problem):
            await self._database.transact(lambda c: rows.drop_missed(c, month))
