"""Once a day: records of calls, lines of statements and references that were kept for long go.

Calls that were missed are kept as long as records of calls.
"""

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall

from safeum_home.config_safenum import SafenumSection
from safeum_home.jobs import Jobs
from safeum_home.ports import Database, EpochTurns
from safeum_home.safenum.money.cdr import CdrBook
from safeum_home.safenum.money.months import month_of
from safeum_home.storage import missed_calls
from safeum_home.storage import wallets as rows
from safeum_home.storage.payments import drop_ended

SOON, EVERY = 90.0, 86_400.0
"""Seconds from the start to the first time, and from one to the next."""


class MoneySweep:
    """Where the storage is away it is done once that is back."""

    def __init__(
        self,
        clock: Any,
        jobs: Jobs,
        database: Database,
        section: SafenumSection,
        cdrs: CdrBook,
        turns: EpochTurns,
        now: Callable[[], int],
    ) -> None:
        """`clock` provides IReactorTime; after a turn of the epoch nothing opens what was destroyed."""
        self._clock = clock
        self._database = database
        self._section = section
        self._cdrs = cdrs
        self._turns = turns
        self._now = now
        self._sweeping = jobs.job("sweeping records of calls", self._sweep)
        self._call: IDelayedCall | None = None

    def start(self) -> None:
        self._call = self._clock.callLater(SOON, self._begin)

    def stop(self) -> None:
        if self._call is not None and self._call.active():
            self._call.cancel()

    def _begin(self) -> None:
        self._call = self._clock.callLater(EVERY, self._begin)
        self._sweeping.ask()

    async def _sweep(self) -> None:
        month = month_of(self._now())
        records, lines = month - self._section.cdr_months, month - self._section.statement_months
        await self._database.transact(lambda c: self._cdrs.drop_before(c, records, self._turns.epoch))
        await self._database.transact(lambda c: missed_calls.drop_missed(c, records))
        await self._database.transact(lambda c: rows.drop_lines(c, lines))
        await self._database.transact(lambda c: drop_ended(c, self._now()))
        await self._turns.if_due()
