"""The commands with which an account pays in: by a provider's page, or by a bank transfer."""

from collections.abc import Callable

from stdnum import iso11649

from safeum_home.config_payments import PaymentSection
from safeum_home.errors import Code, Problem
from safeum_home.ids import RandomBytes
from safeum_home.limits import RateLimit
from safeum_home.ports import Caller, Database
from safeum_home.ports.payments import Order, PaymentWays
from safeum_home.protocol.commands import topups
from safeum_home.protocol.minor_units import unit
from safeum_home.protocol.references import new_creditor_reference, new_reference
from safeum_home.safenum.money import amounts
from safeum_home.safenum.money.counts import MoneyCounts
from safeum_home.safenum.money.payment_record import BANK
from safeum_home.safenum.money.payments import PaymentBook

PAGE = 3_600_000
"""Milliseconds for which one can pay on a provider's page."""


class TopUps:
    """A reference is known to the node before anybody else learns of it."""

    def __init__(
        self,
        section: PaymentSection,
        currency: str,
        database: Database,
        book: PaymentBook,
        ways: PaymentWays,
        limit: RateLimit,
        counts: MoneyCounts,
        random: RandomBytes,
        now: Callable[[], int],
    ) -> None:
        """`limit` is for each account; `now` is in milliseconds."""
        self._section = section
        self._smallest, self._largest = amounts.parse(section.smallest), amounts.parse(section.largest)
        self._currency = currency
        self._database = database
        self._book = book
        self._ways = ways
        self._limit = limit
        self._counts = counts
        self._random = random
        self._now = now

    async def ways(self, caller: Caller, params: topups.BalanceWays) -> topups.PaymentWays:
        return topups.PaymentWays(
            [*self._ways.names],
            bool(self._section.bank.iban),
            self._currency,
            self._smallest,
            self._largest,
        )

    async def topup(self, caller: Caller, params: topups.BalanceTopUp) -> topups.TopUp:
        with self._counts.refusals("topup"):
            return await self._topup(caller, params)

    async def transfer(self, caller: Caller, params: topups.BalanceTransfer) -> topups.Transfer:
        bank = self._section.bank
        if not bank.iban:
            raise Problem(Code.NOT_FOUND, "this node takes no transfers")
        self._limit.take(caller.account)
        account, reference = caller.account, new_creditor_reference(self._random)
        with self._counts.refusals("transfer"):
            until = await self._database.transact(
                lambda c: self._book.open(c, account, reference, BANK, 0, self._currency)
            )
        return topups.Transfer(
            iso11649.format(reference), bank.iban, bank.bic, bank.holder, self._currency, until
        )

    async def _topup(self, caller: Caller, params: topups.BalanceTopUp) -> topups.TopUp:
        names = self._ways.names
        if not names:
            raise Problem(Code.PAYMENTS_UNAVAILABLE)
        way = params.way or names[0]
        if way not in names:
            raise Problem(Code.NOT_FOUND, "there is no such way to pay")
        self._check(params.amount)
        self._limit.take(caller.account)
        account, reference = caller.account, new_reference(self._random)
        await self._database.transact(
            lambda c: self._book.open(c, account, reference, way, params.amount, self._currency)
        )
        order = Order(reference, params.amount, self._currency, self._now() + PAGE)
        try:
            url = await self._ways.begin(way, order)
        except Problem:
            await self._database.transact(lambda c: self._book.forget(c, reference))
            raise
        return topups.TopUp(way, url, order.amount, order.currency, order.until)

    def _check(self, amount: int) -> None:
        if not self._smallest <= amount <= self._largest or amount % unit(self._currency):
            least, most = amounts.written(self._smallest), amounts.written(self._largest)
            smallest = amounts.written(unit(self._currency))
            raise Problem(Code.BAD_AMOUNT, f"{least} to {most} {self._currency}, in steps of {smallest}")
