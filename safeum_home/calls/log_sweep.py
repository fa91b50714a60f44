"""Deletes what is in logs of calls for too long, of all accounts, a little at a time.

What stays is written anew, so that its place says nothing of when it was written, and beside what.
"""

from typing import Any

from sqlalchemy import Connection
from twisted.internet.interfaces import IDelayedCall

from safeum_home.calls.log import CallLog, Swept
from safeum_home.errors import Problem
from safeum_home.ports import Database
from safeum_home.spawn import spawn
from safeum_home.storage import calls as rows
from safeum_home.storage.calls import FIRST

SOON, PAUSE, EVERY = 60.0, 10.0, 6 * 60 * 60.0
"""Seconds from the start to the first rows, from some to the next ones, and from the last to the first."""
AT_ONCE = 500
"""Rows that are opened together, in a reader's thread: some 5 ms."""


class LogSweep:
    """Goes through the table, again and again."""

    def __init__(self, clock: Any, database: Database, log: CallLog) -> None:
        """`clock` provides IReactorTime."""
        self._clock = clock
        self._database = database
        self._log = log
        self._place = FIRST
        self._call: IDelayedCall | None = None
        self._is_running = False

    def start(self) -> None:
        self._is_running = True
        self._next(SOON)

    def stop(self) -> None:
        self._is_running = False
        if self._call is not None and self._call.active():
            self._call.cancel()

    def _next(self, delay: float) -> None:
        if self._is_running:
            self._call = self._clock.callLater(delay, self._begin)

    def _begin(self) -> None:
        spawn(self._some(), "sweeping logs of calls")

    async def _some(self) -> None:
        place, delay = self._place, PAUSE
        try:
            swept = await self._database.read(lambda c: self._log.sweep(c, place, AT_ONCE))
            await self._database.transact(lambda c: _tidy(c, place, swept))
            self._place = swept.place or FIRST
            delay = EVERY if swept.place is None else PAUSE
        except Problem:
            pass  # the database is away, or has too much to do
        finally:
            self._next(delay)


def _tidy(c: Connection, place: tuple[bytes, bytes], swept: Swept) -> None:
    rows.delete_calls(c, swept.rows)
    rows.mix_calls(c, place, swept.place)
