"""What an operator may ask about money, over the socket."""

import re

from msgspec import Struct
from sqlalchemy import Connection
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from safeum_home.admin import money_wire as wire
from safeum_home.admin.commands import Handler
from safeum_home.admin.metrics import Metrics
from safeum_home.admin.wire import Params, PartParams
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.node.control_names import alias_of
from safeum_home.node.in_parts import InParts
from safeum_home.node.money import MoneyParts
from safeum_home.node.money_metrics import metrics
from safeum_home.node.opened import opened
from safeum_home.node.service import Node
from safeum_home.ports import Database
from safeum_home.safenum.money import amounts, rate_file
from safeum_home.safenum.money.cdr import COLUMNS
from safeum_home.safenum.money.ledger import Total
from safeum_home.safenum.money.months import day_of, day_text, parse_month
from safeum_home.safenum.money.rate_table import RateTable
from safeum_home.safenum.money.rating import Rate

PAGE_OF_RATES, PAGE_OF_RECORDS = 100, 100
"""That many fit a line at their longest."""
_BETWEEN = re.compile(r"[\s().-]")
_log = Logger()


class MoneyOperation:
    """The commands; all raise `sealed` while the node is not open."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._file = InParts("a file of rates", rate_file.LARGEST)

    def _open(self) -> tuple[MoneyParts, Database]:
        domain, database = opened(self._node)
        return domain.money, database

    @property
    def _allowed(self) -> list[str]:
        return self._node.config.safenum.destinations

    async def part(self, params: PartParams) -> Struct:
        self._open()
        return self._file.add(params)

    async def take(self, params: wire.RatesImportParams) -> Struct:
        money, _ = self._open()
        with self._file.whole(params.size) as octets:
            checked, table = await deferToThread(_read, octets, self._node.config.safenum.currency)
            faults = [wire.FaultRow(*fault) for fault in checked.faults]
            if faults or params.check:
                return wire.RatesImported(len(checked.rates), 0, faults, checked.more)
            version = await money.tables.replace(checked.rates, table)
        _log.info("A table of {count} rates is in force.", count=version.rates)
        return wire.RatesImported(version.rates, version.version, [], 0)

    async def rates(self, params: Params) -> Struct:
        money, _ = self._open()
        currency = self._node.config.safenum.currency
        if (version := money.tables.version) is None:
            return wire.RatesState(0, 0, 0, currency)
        return wire.RatesState(*version, currency)

    async def rate(self, params: wire.RateParams) -> Struct:
        money, _ = self._open()
        number = _BETWEEN.sub("", params.number)
        rate = money.tables.table.find(number, day_of(money.now()))
        if rate is None:
            raise Problem(Code.NO_RATE)
        return _row(rate, money.tariff.kind(number, rate) in self._allowed)

    async def list_rates(self, params: wire.ListRatesParams) -> Struct:
        money, _ = self._open()
        found = money.tables.table.page(params.begins.removeprefix("+"), params.after, PAGE_OF_RATES)
        rows = [_row(rate, rate.kind in self._allowed) for rate in found]
        prefixes = {rate.prefix for rate in found}
        return wire.RateRows(rows, found[-1].prefix if len(prefixes) == PAGE_OF_RATES else "")

    async def cdrs(self, params: wire.CdrParams) -> Struct:
        money, database = self._open()
        month, after = parse_month(params.month), params.after
        records, behind = await database.read(lambda c: money.cdrs.page(c, month, after, PAGE_OF_RECORDS))
        return wire.CdrRows(list(COLUMNS), [record.fields() for record in records], behind or 0)

    async def ledger(self, params: wire.LedgerParams) -> Struct:
        money, database = self._open()
        month = None if params.month is None else parse_month(params.month)

        def read(c: Connection) -> list[Total]:
            return money.ledger.totals(c) if month is None else money.ledger.totals_of(c, month)

        totals = await database.read(read)
        sums: dict[str, int] = {}
        for total in totals:
            sums[total.currency] = sums.get(total.currency, 0) + total.amount
        rows = [wire.TotalRow(total.account, total.currency, total.amount) for total in totals]
        return wire.LedgerTotals(rows, not any(sums.values()))

    async def check(self, params: Params) -> Struct:
        money, _ = self._open()
        found = await money.audit.check()
        return wire.Checked(found.entries, found.faults, found.more)

    async def rebuild(self, params: Params) -> Struct:
        money, _ = self._open()
        changed = await money.audit.rebuild()
        _log.info("The totals of the ledger were made anew: {count} were wrong.", count=changed)
        return wire.Rebuilt(changed)

    async def metrics(self, params: Params) -> Struct:
        money, database = self._open()
        return Metrics(
            await database.read(lambda c: metrics(c, money.ledger, money.counts, money.takings.told))
        )

    async def credit(self, params: wire.CreditParams) -> Struct:
        money, _ = self._open()
        currency = self._node.config.safenum.currency
        try:
            amount = amounts.parse(params.amount)
        except ValueError:
            raise Problem(Code.INVALID_PARAMS, "an amount, as 12.50") from None
        if not amount:
            raise Problem(Code.INVALID_PARAMS, "an amount above zero")
        account = await self._account(params.login)
        added = await money.credits.credit(account, amount, currency, params.source, params.reference)
        return wire.Credited(added, amount, currency)

    async def issue(self, params: wire.IssueParams) -> Struct:
        money, database = self._open()
        section = self._node.config.safenum
        if params.amount not in section.vouchers:
            known = ", ".join(section.vouchers)
            raise Problem(Code.INVALID_PARAMS, f"vouchers are worth one of {known}")
        amount, currency = amounts.parse(params.amount), section.currency
        codes = await database.transact(lambda c: money.vouchers.issue(c, params.count, currency, amount))
        _log.info("{count} vouchers were issued.", count=len(codes))
        return wire.Issued(codes, amount, currency)

    async def _account(self, login: str) -> AccountId:
        """Raises `not_found`."""
        assert self._node.domain is not None
        found = await self._node.domain.directory.by_username(alias_of(login, self._node.config.node.name))
        if found is None:
            raise Problem(Code.NOT_FOUND, "there is no account with this login")
        return found.account


def money_handlers(node: Node) -> dict[str, Handler]:
    """The commands of an operator of `node`."""
    operation = MoneyOperation(node)

    return {
        "rates": Handler(Params, operation.rates),
        "rates.part": Handler(PartParams, operation.part),
        "rates.import": Handler(wire.RatesImportParams, operation.take),
        "rates.show": Handler(wire.RateParams, operation.rate),
        "rates.list": Handler(wire.ListRatesParams, operation.list_rates),
        "cdr": Handler(wire.CdrParams, operation.cdrs),
        "ledger": Handler(wire.LedgerParams, operation.ledger),
        "ledger.check": Handler(Params, operation.check),
        "ledger.rebuild": Handler(Params, operation.rebuild),
        "ledger.metrics": Handler(Params, operation.metrics),
        "vouchers.issue": Handler(wire.IssueParams, operation.issue),
        "balance.credit": Handler(wire.CreditParams, operation.credit),
    }


def _read(octets: bytes, currency: str) -> tuple[rate_file.Checked, RateTable]:
    """It takes a second for a large file."""
    checked = rate_file.read(octets, currency)
    return checked, RateTable(checked.rates)


def _row(rate: Rate, allowed: bool) -> wire.RateRow:
    return wire.RateRow(
        rate.prefix,
        rate.name,
        rate.kind,
        day_text(rate.begins),
        "" if rate.ends is None else day_text(rate.ends),
        rate.currency,
        rate.fee,
        rate.minute,
        rate.first,
        rate.step,
        allowed,
    )
