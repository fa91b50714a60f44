"""Calls that are over: settled, however long the storage is away; and then their devices are told."""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection
from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger
from twisted.python.failure import Failure

from safeum_home.errors import Problem
from safeum_home.ids import AccountId
from safeum_home.ports.money import Charged, Charging, Leg, Over

TOLD_WITHIN = 2.0
"""Seconds after which a device is told that its call is over, though what it has cost is not known yet."""

Told = Callable[[Charged | None], None]
_log = Logger()


class Settling:
    """For the reactor's thread. `clock` provides IReactorTime."""

    def __init__(self, clock: Any, charging: Charging) -> None:
        self._clock = clock
        self._charging = charging
        self._under_way: set[Deferred[None]] = set()

    def __len__(self) -> int:
        """How many calls are over and not settled."""
        return len(self._under_way)

    def settle(
        self, account: AccountId, call: str, over: Over, also: Callable[[Connection], None] | None = None
    ) -> "Deferred[Charged | None]":
        """Never fails: None where it was settled before, or is to be when the node starts anew.

        `also` is stored with it.
        """
        return self._keep(self._settle(account, call, over, also))

    def soon(self, settled: "Deferred[Charged | None]", told: Told) -> None:
        """`told` is called once: with what a call has cost, or with None where that is not known soon."""
        late = self._clock.callLater(TOLD_WITHIN, told, None)

        def tell(charged: Charged | None) -> Charged | None:
            if late.active():
                late.cancel()
                told(charged)
            return charged

        settled.addCallback(tell)

    def nobody(self, leg: Leg, began: int, over: Over) -> None:
        """A call was for nobody. Where the storage is away the records of the edge alone tell of it."""
        self._keep(self._nobody(leg, began, over))

    def drained(self, seconds: float) -> "Deferred[None]":
        """Fires when all that is under way is settled, or after so many seconds."""
        all_over = DeferredList(list(self._under_way), consumeErrors=True)
        drained: Deferred[None] = all_over.addCallback(lambda _: None)
        return drained.addTimeout(seconds, self._clock, lambda *_: None)

    def _keep(self, coroutine: Coroutine[Any, Any, Charged | None]) -> "Deferred[Charged | None]":
        done = Deferred.fromCoroutine(coroutine).addErrback(_failed)
        if not done.called:
            waits: Deferred[None] = Deferred()
            self._under_way.add(waits)

            def over(charged: Charged | None) -> Charged | None:
                self._under_way.discard(waits)
                waits.callback(None)
                return charged

            done.addCallback(over)
        return done

    async def _settle(
        self, account: AccountId, call: str, over: Over, also: Callable[[Connection], None] | None
    ) -> Charged | None:
        with suppress(Problem):  # the node stops, or the account is gone: it is settled with that
            return await self._charging.settle(account, call, over, also)
        return None

    async def _nobody(self, leg: Leg, began: int, over: Over) -> None:
        with suppress(Problem):
            await self._charging.nobody(leg, began, over)


def _failed(failure: Failure) -> None:
    _log.failure("settling a call failed", failure=failure)
