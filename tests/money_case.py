"""Money without a node: accounts with wallets, a rate table in force, and calls, on a real database."""

from collections.abc import Callable
from itertools import count
from typing import Any, TypeVar

from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from safeum_home.config_premium import PremiumSection
from safeum_home.config_safenum import SafenumSection
from safeum_home.ids import AccountId, new_account_id
from safeum_home.ports.money import Leg
from safeum_home.safenum.money import chart
from safeum_home.safenum.money.audit import Audit
from safeum_home.safenum.money.beats import Beats
from safeum_home.safenum.money.cdr import CdrBook
from safeum_home.safenum.money.charging import CallCharging, CreditsAndPurchases
from safeum_home.safenum.money.counts import MoneyCounts
from safeum_home.safenum.money.credits import CreditBook
from safeum_home.safenum.money.holds import Holds
from safeum_home.safenum.money.ledger import Ledger, Total
from safeum_home.safenum.money.notes import NoteBook
from safeum_home.safenum.money.payments import PaymentBook
from safeum_home.safenum.money.premium import PremiumBook, PremiumCommands
from safeum_home.safenum.money.rate_table import RateTable, RateTables
from safeum_home.safenum.money.rating import Rate
from safeum_home.safenum.money.settling import Settling
from safeum_home.safenum.money.takings import Takings
from safeum_home.safenum.money.tariff import Tariff
from safeum_home.safenum.money.vat import load
from safeum_home.safenum.money.wallets import WalletRecord, Wallets
from safeum_home.sealing.root import generate
from safeum_home.sealing.vault import Vault, open_vault
from safeum_home.storage import accounts
from safeum_home.storage.rows import AccountRow
from tests.instant_database import InstantDatabase
from tests.world_parts import arena

T = TypeVar("T")
NOW = 1_795_953_600.0
"""2026-11-29 12:00 UTC."""
SAFENUM = "+3544900001"
LANDLINE, MOBILE, PREMIUM, SATELLITE = "+4930123456", "+491701234567", "+499001234567", "+88216123456"
UNIT = 1_000_000
RATES = [
    Rate("49", "Germany", "fixed", 20_000, None, "EUR", 0, 12_000, 1, 1, 4_000),
    Rate("4917", "Germany mobile", "mobile", 20_000, None, "EUR", 50_000, 120_000, 60, 60),
    Rate("49800", "Germany toll-free", "toll-free", 20_000, None, "EUR", 0, 0, 1, 1),
    Rate("49900", "Germany premium", "premium", 20_000, None, "EUR", 0, 2_000_000, 60, 60),
    Rate("882", "Thuraya", "satellite", 20_000, None, "EUR", 0, 5_000_000, 30, 6),
]


class Bank:
    """All of it, wired as a node does; `again` is what the next process of the node has."""

    def __init__(
        self,
        database: InstantDatabase | None = None,
        vault: Vault | None = None,
        clock: Clock | None = None,
        rates: list[Rate] = RATES,
        run: str = "1",
        **settings: Any,
    ) -> None:
        self.clock = clock or Clock()
        if clock is None:
            self.clock.advance(NOW)
        self.database = database or InstantDatabase()
        self.vault = vault or open_vault(generate(arena()), None)
        self.section = SafenumSection(**{"country": "DE", **settings})
        keyring, blinder = self.vault.keyring, self.vault.blinder
        self.ledger = Ledger(self.vault.money, blinder)
        self.wallets = Wallets(keyring, blinder)
        self.tables = RateTables(self.database, self.vault.money, self.now)
        self.tables.table = RateTable(rates)
        self.tariff = Tariff(self.section, self.tables, load("standard"))
        self.cdrs = CdrBook(keyring, blinder)
        nonces = count()
        self.holds = Holds(
            self.section,
            self.ledger,
            self.wallets,
            self.tariff,
            blinder,
            run,
            lambda: f"{run}-{next(nonces)}",
        )
        currency, now = self.section.currency, self.now
        self.beats = Beats(self.vault.money, blinder, run)
        self.settling = Settling(
            currency, self.ledger, self.wallets, self.cdrs, self.beats, blinder, run, now
        )
        self.book = CreditBook(self.ledger, self.wallets, self.tariff, self.settling, blinder, self.now)
        self.changed: list[AccountId] = []
        tell = self.changed.append
        self.counts = MoneyCounts()
        books = self.holds, self.settling, self.beats, self.tariff
        self.calls = CallCharging(self.clock, self.database, *books, tell, self.counts)
        self.credits = CreditsAndPurchases(self.database, self.book, tell, self.counts)
        price, self.premium_section = 2 * UNIT, PremiumSection(free=False, price="2")
        self.premium_book = PremiumBook(price, currency, self.wallets, self.book, blinder)
        self.premium = PremiumCommands(
            self.premium_section, currency, self.database, self.premium_book, self.counts, tell, now
        )
        self.audit = Audit(self.database, self.ledger)
        self.notes = NoteBook(self.vault.money)
        means = self.ledger, self.wallets, self.book, self.notes, blinder, now
        self.payments = PaymentBook(*means)
        self.takings = Takings(self.database, self.payments, tell)

    def again(self, run: str = "2") -> "Bank":
        """After the process was killed."""
        settings = {name: getattr(self.section, name) for name in self.section.__struct_fields__}
        return Bank(self.database, self.vault, self.clock, run=run, **settings)

    def now(self) -> int:
        return int(self.clock.seconds() * 1000)

    def row_of(self, account: AccountId) -> Callable[[Connection], None]:
        """What stores an account of this id."""
        blind = self.vault.blinder.account(account)
        _, wrapped = self.vault.keyring.new_key(blind)
        row = AccountRow(blind, b"sealed", wrapped)
        return lambda c: accounts.insert_account(c, row, self.vault.blinder.alias(account))

    def new_id(self) -> AccountId:
        return new_account_id("home.example")

    # --- with an instant database

    def account(self, amount: int = 0) -> AccountId:
        """A new one, with a balance in micro-units."""
        account = self.new_id()
        self.write(self.row_of(account))
        if amount:
            self.do(self.credits.credit(account, amount, "EUR", "test", account))
        return account

    def do(self, coroutine: Any) -> Any:
        """The result of what has come to its end, or what it has raised."""
        return _outcome(Deferred.fromCoroutine(coroutine))

    def write(self, fn: Callable[[Connection], T]) -> T:
        found: T = _outcome(self.database.transact(fn))
        return found

    def read(self, fn: Callable[[Connection], T]) -> T:
        found: T = _outcome(self.database.read(fn))
        return found

    def dial(self, account: AccountId, call: str, number: str = LANDLINE) -> Any:
        return self.do(self.calls.outgoing(account, call, Leg(SAFENUM, number, "carrier", f"id-{call}")))

    def wallet(self, account: AccountId) -> WalletRecord:
        def record(c: Connection) -> WalletRecord:
            with self.wallets.open(c, account) as wallet:
                return wallet.record

        return self.read(record)

    def balance(self, account: AccountId) -> tuple[int, int]:
        """What can be spent, and what is held."""
        purse = self.wallet(account).purses.get("EUR")
        return (0, 0) if purse is None else (purse.balance, purse.held)

    def totals(self) -> dict[str, int]:
        return {total.account: total.amount for total in self.read(self.ledger.totals)}


def _outcome(done: "Deferred[Any]") -> Any:
    found: list[Any] = []
    failed: list[Failure] = []
    done.addCallbacks(found.append, failed.append)
    if failed:
        failed[0].raiseException()
    assert found, "it waits"
    return found[0]


def faults(bank: Bank, c: Connection, people: list[AccountId]) -> list[str]:
    """What is wrong with the books: nothing, whatever has happened."""
    found: list[str] = []
    sums: dict[str, int] = {}
    by_account: dict[tuple[str, str], int] = {}
    for entry in bank.ledger.entries(c):
        own: dict[str, int] = {}
        for account, currency, amount in entry.postings:
            own[currency] = own.get(currency, 0) + amount
            by_account[account, currency] = by_account.get((account, currency), 0) + amount
        found += [f"{entry} does not add up" for total in own.values() if total]
    totals: list[Total] = bank.ledger.totals(c)
    for total in totals:
        sums[total.currency] = sums.get(total.currency, 0) + total.amount
        if by_account.get((total.account, total.currency)) != total.amount:
            found.append(f"{total} is not what was posted")
    found += [f"all in {currency}: {total}" for currency, total in sums.items() if total]
    purses: dict[tuple[str, str], int] = {}
    for person in people:
        with bank.wallets.open(c, person) as wallet:
            for currency, purse in wallet.record.purses.items():
                if purse.balance < 0 or purse.held < 0:
                    found.append(f"a purse with {purse}")
                for name, amount in ((chart.CUSTOMERS, purse.balance), (chart.HELD, purse.held)):
                    purses[name, currency] = purses.get((name, currency), 0) - amount
    for total in totals:
        mine = purses.get((total.account, total.currency), 0)
        if total.account in (chart.CUSTOMERS, chart.HELD) and mine != total.amount:
            found.append(f"{total}, and all wallets {purses}")
    return found
