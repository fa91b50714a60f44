"""All devices that can be woken are looked at: after a start, and where news were too many to be noted.

It goes through them a page at a time, in the order of their rows, a few in a second: whoever has something
waiting that he was not woken for is woken now. What was on its way when a node died is made good by that.
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from sqlalchemy import Connection
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from safeum_home.damage import undamaged
from safeum_home.errors import Problem
from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports import Database, Owners
from safeum_home.push.record import WHAT, open_row
from safeum_home.spawn import spawn
from safeum_home.storage import push
from safeum_home.storage.rows import PushRow

_log = Logger()

START_SECONDS = 30.0
"""Who was connected comes back meanwhile."""
PAGE = 50
EVERY_SECONDS = 0.1
AGAIN_SECONDS = 10.0
"""Where the database cannot be read."""


class Told(NamedTuple):
    """A device that can be woken, and up to where it holds all, or was woken for it."""

    account: AccountId
    device: DeviceId
    told: int


class Sweep:
    """Looks at all devices, once each time that it is begun."""

    def __init__(
        self, clock: Any, database: Database, owners: Owners, look: Callable[[Told], Awaitable[None]]
    ) -> None:
        """`clock` provides IReactorTime."""
        self._clock = clock
        self._database = database
        self._owners = owners
        self._look = look
        self._begun = 0
        self._running: Deferred[None] | None = None

    def begin(self) -> None:
        """Look at all of them, after a while; where that is going on, once more when it is done."""
        self._begun += 1
        if self._running is None:
            running = self._running = spawn(self._run(), "looking who sleeps")
            running.addCallback(self._ended)

    def stop(self) -> None:
        """Look no more."""
        if self._running is not None:
            self._running.cancel()

    def _ended(self, _: object) -> None:
        self._running = None

    async def _run(self) -> None:
        done = 0
        while done < self._begun:
            done = self._begun
            await self._pause(START_SECONDS)
            after = await self._page(b"")
            while after is not None:
                await self._pause(EVERY_SECONDS)
                after = await self._page(after)

    def _pause(self, seconds: float) -> "Deferred[None]":
        return deferLater(self._clock, seconds)

    async def _page(self, after: bytes) -> bytes | None:
        """Where the next page begins."""
        while True:
            try:
                last, page = await self._database.read(lambda c: self._open(c, after))
                for told in page:
                    await self._look_at(told)
                return last
            except Problem:
                # The storage says itself that it is unavailable.
                await self._pause(AGAIN_SECONDS)

    async def _look_at(self, told: Told) -> None:
        try:
            await self._look(told)
        except (Problem, CancelledError):
            raise
        except Exception:
            _log.failure("it could not be looked whether something waits for a device")

    def _open(self, c: Connection, after: bytes) -> tuple[bytes | None, list[Told]]:
        rows = push.pushes_after(c, after, PAGE)

        def told(row: PushRow) -> Told:
            owner, record = open_row(c, self._owners, row)
            return Told(owner.account, record.device, row.told)

        return (rows[-1].device if rows else None), undamaged(rows, told, WHAT)
