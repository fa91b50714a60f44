"""The commands of an account about its money."""

from collections.abc import Callable

from phonenumbers import SUPPORTED_REGIONS
from sqlalchemy import Connection

from safeum_home.config_safenum import SafenumSection
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports import Caller, Database
from safeum_home.protocol.command import Done
from safeum_home.protocol.commands import money
from safeum_home.safenum.money.invoices import InvoiceBook
from safeum_home.safenum.money.months import day_of, month_of, month_text, parse_month
from safeum_home.safenum.money.rating import with_tax
from safeum_home.safenum.money.tariff import Tariff
from safeum_home.safenum.money.wallets import Line, Wallets

_NEWEST = 2**62


class MoneyCommands:
    """What is asked is read in a snapshot, and for whom it is."""

    def __init__(
        self,
        section: SafenumSection,
        database: Database,
        wallets: Wallets,
        tariff: Tariff,
        invoices: InvoiceBook,
        now: Callable[[], int],
    ) -> None:
        """`now` is in milliseconds."""
        self._section = section
        self._database = database
        self._wallets = wallets
        self._tariff = tariff
        self._invoices = invoices
        self._now = now

    async def balance(self, caller: Caller, params: money.BalanceGet) -> money.Balance:
        account, currency = caller.account, self._section.currency
        return await self._database.read(lambda c: self._wallets.balance(c, account, currency))

    async def country(self, caller: Caller, params: money.AccountCountry) -> Done:
        account, country = caller.account, params.country
        if country not in SUPPORTED_REGIONS:
            raise Problem(Code.INVALID_PARAMS, "there is no such country")

        def change(c: Connection) -> None:
            with self._wallets.open(c, account) as wallet:
                wallet.change(country=country)

        await self._database.transact(change)
        return Done()

    async def price(self, caller: Caller, params: money.BalancePrice) -> money.CallPrice:
        day = day_of(self._now())
        rate = self._tariff.rate(params.number, day)
        country = "" if rate.is_free else self._tariff.country(await self._declared(caller.account))
        vat_rate = self._tariff.vat_rate(country, day)
        return money.CallPrice(
            rate.currency,
            rate.name,
            rate.kind,
            with_tax(rate.fee, vat_rate),
            with_tax(rate.minute, vat_rate),
            rate.first,
            rate.step,
            vat_rate,
            country,
        )

    async def statement(self, caller: Caller, params: money.BalanceStatement) -> money.Statement:
        account, limit = caller.account, params.limit
        before = _NEWEST if params.before is None else params.before

        def read(c: Connection) -> list[tuple[int, Line]]:
            with self._wallets.open(c, account) as wallet:
                return wallet.lines_before(before, limit + 1)

        found = await self._database.read(read)
        return money.Statement([_shown(*each) for each in found[:limit]], len(found) > limit)

    async def invoices(self, caller: Caller, params: money.InvoiceList) -> money.InvoiceMonths:
        account, this = caller.account, month_of(self._now())
        months = await self._database.read(lambda c: self._invoices.months(c, account, this))
        return money.InvoiceMonths([month_text(month) for month in months])

    async def invoice(self, caller: Caller, params: money.InvoiceGet) -> money.Invoice:
        account, month = caller.account, parse_month(params.month)
        if month >= month_of(self._now()):
            raise Problem(Code.NOT_FOUND, "this month is not over")
        return await self._database.read(lambda c: self._invoices.invoice(c, account, month))

    async def _declared(self, account: AccountId) -> str:
        def read(c: Connection) -> str:
            with self._wallets.open(c, account) as wallet:
                return wallet.record.country

        return await self._database.read(read)


def _shown(number: int, line: Line) -> money.StatementLine:
    return money.StatementLine(
        number,
        line.at,
        line.kind,
        line.currency,
        line.amount,
        line.balance,
        line.net,
        line.vat,
        line.vat_rate,
        line.country,
        line.number,
        line.seconds,
    )
