"""What is paid for of a call that goes on: more is held in time, and at the end of it the call ends."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.task import deferLater

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports.money import Charging, Granted
from safeum_home.protocol.telephone_types import TelephoneEnded

LEAD = 10.0
"""Seconds before the end of what is paid when more is asked for; half of what is held, where that is less."""
AGAIN = 1.0
"""Seconds after which is asked again where the storage was away."""


class Meter:
    """That of one call, from its answer. `clock` provides IReactorTime."""

    def __init__(
        self,
        clock: Any,
        charging: Charging,
        account: AccountId,
        call: str,
        hold_seconds: int,
        call_seconds: int,
        paid: Callable[[Granted], None],
    ) -> None:
        """`paid` is told what is paid for."""
        self._clock = clock
        self._charging = charging
        self._account = account
        self._call = call
        self._lead = min(LEAD, hold_seconds / 2)
        self._most = call_seconds
        self._paid = paid

    async def run(self, granted: Granted) -> TelephoneEnded:
        """Until the call has to end; why it has to. Cancelled, it holds nothing more."""
        since = self._clock.seconds()
        while granted.seconds < self._most:
            end = since + granted.seconds
            # Also after the last grant: who has paid something in meanwhile speaks on.
            await self._until(end - self._lead)
            more = await self._extend(end)
            if more is None or more.seconds <= granted.seconds:
                if not granted.last:
                    self._paid(Granted(granted.seconds, last=True))
                await self._until(end)
                return TelephoneEnded.LOST if more is None else TelephoneEnded.NO_BALANCE
            granted = more
            self._paid(granted)
        await self._until(since + granted.seconds)
        return TelephoneEnded.TIME_OVER

    async def _extend(self, end: float) -> Granted | None:
        """None: the storage was away until it was too late."""
        while (left := end - self._clock.seconds()) > 0:
            now = int(self._clock.seconds() * 1000)
            asking = Deferred.fromCoroutine(self._charging.extend(self._account, self._call, now))
            try:
                return await asking.addTimeout(left, self._clock)
            except TookTooLong:
                return None
            except Problem as problem:
                if problem.code is Code.CALL_OVER:
                    return None
            await deferLater(self._clock, min(AGAIN, left))
        return None

    async def _until(self, then: float) -> None:
        wait = then - self._clock.seconds()
        if wait > 0:
            await deferLater(self._clock, wait)
