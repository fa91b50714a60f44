"""`ports.money`, for the reactor's thread: each thing is one transaction, of which devices are told after."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection
from twisted.internet.task import deferLater
from twisted.logger import Logger

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports import Database
from safeum_home.ports.money import Charged, Granted, Leg, Over
from safeum_home.safenum.money.beats import Beat, Beats
from safeum_home.safenum.money.counts import MoneyCounts
from safeum_home.safenum.money.credits import CreditBook
from safeum_home.safenum.money.holds import Holds
from safeum_home.safenum.money.months import day_of
from safeum_home.safenum.money.settling import Settling
from safeum_home.safenum.money.tariff import Tariff

T = TypeVar("T")
AGAIN = 2.0
"""Seconds after which a call is settled again where the storage was away."""
_AWAY = (Code.STORAGE_UNAVAILABLE, Code.BUSY)


class CallCharging:
    """`ports.money.Charging`."""

    _log = Logger()

    def __init__(
        self,
        clock: Any,
        database: Database,
        holds: Holds,
        settling: Settling,
        beats: Beats,
        tariff: Tariff,
        changed: Callable[[AccountId], None],
        counts: MoneyCounts,
    ) -> None:
        """`clock` provides IReactorTime; `changed` is told whose balance is another one now."""
        self._clock = clock
        self._database = database
        self._holds = holds
        self._settling = settling
        self._beats = beats
        self._tariff = tariff
        self._changed = changed
        self._over: dict[bytes, Over] = {}
        """Calls that are over, and are not known to be settled, by the indexes of their holds."""
        self._counts = counts
        self._is_running = True

    def stop(self) -> None:
        """The node stops: what could not be settled is left to its next start."""
        self._is_running = False

    async def outgoing(self, account: AccountId, call: str, leg: Leg, is_free: bool = False) -> Granted:
        now = int(self._clock.seconds() * 1000)
        with self._counts.refusals("call"):
            find = self._tariff.free if is_free else self._tariff.rate
            rate = find(leg.called, day_of(now))
            granted = await self._database.transact(
                lambda c: self._holds.begin(c, account, call, leg, rate, now)
            )
        self._changed(account)
        return granted

    async def incoming(self, account: AccountId, call: str, leg: Leg) -> None:
        now = int(self._clock.seconds() * 1000)
        await self._database.transact(lambda c: self._holds.begin(c, account, call, leg, None, now))

    async def nobody(self, leg: Leg, began: int, over: Over) -> None:
        await self._database.transact(lambda c: self._settling.record_nobody(c, leg, began, over))

    async def answered(
        self, account: AccountId, call: str, at: int, trunk: str = "", reference: str = ""
    ) -> None:
        about = account, call, at, trunk, reference
        await self._database.transact(lambda c: self._holds.answered(c, *about))

    async def alive(self, at: int) -> None:
        beat = Beat(at, dict(self._over))
        await self._database.transact(lambda c: self._beats.put(c, beat))

    async def extend(self, account: AccountId, call: str, at: int) -> Granted:
        granted = await self._database.transact(lambda c: self._holds.extend(c, account, call, at))
        self._changed(account)
        return granted

    async def settle(
        self, account: AccountId, call: str, over: Over, also: Callable[[Connection], None] | None = None
    ) -> Charged | None:
        def settle(c: Connection) -> Charged | None:
            charged = self._settling.settle(c, account, call, over)
            if charged is not None and also is not None:
                also(c)
            return charged

        index = self._beats.index_of(account, call)
        self._over.setdefault(index, over)
        try:
            charged = await self._persistent(settle)
        finally:
            self._over.pop(index, None)
        self._changed(account)
        return charged

    async def settle_left(self) -> None:
        """Settle what former runs of the node have left; it waits for the storage."""
        place: bytes | None = b""
        while place is not None:
            place = await self._persistent(partial(self._settling.settle_left, after=place))

    async def _persistent(self, fn: Callable[[Connection], T]) -> T:
        """Until the storage is there. What it has done though it refused it is not done again."""
        while True:
            try:
                return await self._database.transact(fn)
            except Problem as problem:
                if problem.code not in _AWAY or not self._is_running:
                    raise
            await deferLater(self._clock, AGAIN)


class CreditsAndPurchases:
    """`ports.money.Credits` and `ports.money.Purchases`."""

    def __init__(
        self,
        database: Database,
        book: CreditBook,
        changed: Callable[[AccountId], None],
        counts: MoneyCounts,
    ) -> None:
        self._database = database
        self._book = book
        self._changed = changed
        self._counts = counts

    async def credit(
        self, account: AccountId, amount: int, currency: str, source: str, reference: str
    ) -> bool:
        done = await self._database.transact(
            lambda c: self._book.credit(c, account, amount, currency, source, reference)
        )
        self._changed(account)
        return done

    async def buy(self, account: AccountId, amount: int, currency: str, what: str, reference: str) -> bool:
        with self._counts.refusals(what):
            done = await self._database.transact(
                lambda c: self._book.buy(c, account, amount, currency, what, reference)
            )
        self._changed(account)
        return done
