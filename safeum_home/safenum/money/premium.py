"""Premium: paid ahead from the balance, by the month. What was paid for is in the account's own wallet."""

from collections.abc import Callable

from sqlalchemy import Connection

from safeum_home.config_premium import PremiumSection
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Caller, Database
from safeum_home.protocol.commands import premium
from safeum_home.safenum.money import amounts
from safeum_home.safenum.money.counts import MoneyCounts
from safeum_home.safenum.money.credits import CreditBook
from safeum_home.safenum.money.months import months_later
from safeum_home.safenum.money.wallets import Wallets

PREMIUM = "premium"
MOST_AHEAD = 60
"""Months that may be paid for ahead."""


class PremiumBook:
    """For the writer's thread, inside transactions."""

    def __init__(
        self, price: int, currency: str, wallets: Wallets, book: CreditBook, blinder: Blinder
    ) -> None:
        """`price` is that of a month, with its tax."""
        self._price = price
        self._currency = currency
        self._wallets = wallets
        self._book = book
        self._blinder = blinder

    def buy(
        self, c: Connection, account: AccountId, months: int, price: int, reference: str, now: int
    ) -> int:
        """Pay for months, once for each reference; until when premium is paid for then.

        `price` is what a month was said to cost: whoever has paid, and asks again, may have an older one.
        """
        key = self._blinder.money("buy", f"{account}\0{PREMIUM}\0{reference}")
        with self._wallets.open(c, account) as wallet:
            if self._book.charged(c, key):
                return wallet.record.premium
            if price != self._price:
                raise Problem(Code.PRICE_CHANGED)
            until = months_later(max(now, wallet.record.premium), months)
            if until > months_later(now, MOST_AHEAD):
                raise Problem(Code.LIMIT_REACHED, f"{MOST_AHEAD} months ahead")
            self._book.charge(c, wallet, price * months, self._currency, PREMIUM, key)
            wallet.change(premium=until)
            return until

    def until(self, c: Connection, account: AccountId) -> int:
        """Until when it is paid for, in milliseconds; raises `not_found`."""
        with self._wallets.open(c, account) as wallet:
            return wallet.record.premium


class PremiumCommands:
    """`ports.premium.Premium`, and the commands of an account."""

    def __init__(
        self,
        section: PremiumSection,
        currency: str,
        database: Database,
        book: PremiumBook,
        counts: MoneyCounts,
        changed: Callable[[AccountId], None],
        now: Callable[[], int],
    ) -> None:
        """`changed` is told whose balance is another one now; `now` is in milliseconds."""
        self._free = section.free
        self._price = amounts.parse(section.price)
        self._currency = currency
        self._database = database
        self._book = book
        self._counts = counts
        self._changed = changed
        self._now = now

    async def entitled(self, account: AccountId) -> bool:
        if self._free:
            return True
        try:
            until = await self._database.read(lambda c: self._book.until(c, account))
        except Problem as problem:
            if problem.code is Code.NOT_FOUND:
                return False
            raise
        return until > self._now()

    async def get(self, caller: Caller, params: premium.PremiumGet) -> premium.PremiumState:
        until = await self._database.read(lambda c: self._book.until(c, caller.account))
        return self._state(until)

    async def buy(self, caller: Caller, params: premium.PremiumBuy) -> premium.PremiumState:
        if self._free:
            raise Problem(Code.PREMIUM_FREE)
        account, now = caller.account, self._now()
        with self._counts.refusals("premium"):
            until = await self._database.transact(
                lambda c: self._book.buy(c, account, params.months, params.price, params.client_id, now)
            )
        self._changed(account)
        return self._state(until)

    def _state(self, until: int) -> premium.PremiumState:
        return premium.PremiumState(self._free, until, self._price, self._currency)
