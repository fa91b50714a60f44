"""Money, made and wired."""

import os
from collections.abc import Callable
from typing import NamedTuple

from twisted.internet.threads import deferToThread

from safeum_home.gateway.dispatch import Routes
from safeum_home.jobs import Job
from safeum_home.limits import RateLimit
from safeum_home.node.means import DomainMeans
from safeum_home.node.startup import StartError
from safeum_home.node.topups import make_topups
from safeum_home.ports.payments import PaymentWays
from safeum_home.protocol.commands import money as commands
from safeum_home.safenum.money import vat
from safeum_home.safenum.money.audit import Audit
from safeum_home.safenum.money.beats import Beats
from safeum_home.safenum.money.cdr import CdrBook
from safeum_home.safenum.money.charging import CallCharging, CreditsAndPurchases
from safeum_home.safenum.money.commands import MoneyCommands
from safeum_home.safenum.money.counts import MoneyCounts
from safeum_home.safenum.money.credits import CreditBook
from safeum_home.safenum.money.edge_book import EdgeBook
from safeum_home.safenum.money.holds import Holds
from safeum_home.safenum.money.invoices import InvoiceBook
from safeum_home.safenum.money.ledger import Ledger
from safeum_home.safenum.money.notes import NoteBook
from safeum_home.safenum.money.premium import PremiumCommands
from safeum_home.safenum.money.rate_table import RateTables
from safeum_home.safenum.money.settling import Settling
from safeum_home.safenum.money.sweep import MoneySweep
from safeum_home.safenum.money.takings import Takings
from safeum_home.safenum.money.tariff import Tariff
from safeum_home.safenum.money.telling import BalanceTelling
from safeum_home.safenum.money.voucher_commands import VoucherCommands
from safeum_home.safenum.money.vouchers import VoucherBook
from safeum_home.safenum.money.wallets import Wallets
from safeum_home.spawn import spawn

VOUCHERS_PER_ADDRESS, VOUCHERS_BURST = 0.1, 20
"""What an address may exchange or redeem in a second, and at once. Codes of 128 bits are not guessed."""


class MoneyParts(NamedTuple):
    """What the rest of the node needs of it."""

    charging: CallCharging
    """For whoever makes calls."""
    credits: CreditsAndPurchases
    """For whoever takes payments, or sells something."""
    book: CreditBook
    """What is left of an account that is closed is forfeited there."""
    tariff: Tariff
    tables: RateTables
    loading: Job
    """Reads the rates."""
    ledger: Ledger
    audit: Audit
    counts: MoneyCounts
    takings: Takings
    """For whoever is told of payments."""
    notes: NoteBook
    premium: PremiumCommands
    """`ports.premium.Premium`, for whoever offers what it is needed for."""
    cdrs: CdrBook
    edge: EdgeBook
    vouchers: VoucherBook
    sweep: MoneySweep
    routes: Routes
    vat_file: str
    now: Callable[[], int]

    async def load(self) -> None:
        """The rates of tax, before anybody is served; raises `StartError`."""
        try:
            self.tariff.vat = await deferToThread(vat.load, self.vat_file)
        except (OSError, ValueError) as error:
            raise StartError(f"safenum.vat, {self.vat_file}: {error}") from None

    def start(self) -> None:
        """Read the rates, and settle calls that a former run of the node has left."""
        self.read_anew()
        spawn(self.charging.settle_left(), "settling calls")
        self.sweep.start()

    def read_anew(self) -> None:
        """Which rates are in force is to be read."""
        self.loading.ask()

    def stop(self) -> None:
        self.sweep.stop()
        self.charging.stop()


def make_money(means: DomainMeans, ways: PaymentWays) -> MoneyParts:
    """As the section `[safenum]` says; payments are begun through `ways`."""
    section, database, blinder = means.config.safenum, means.database, means.vault.blinder
    key, keyring, now = means.vault.money, means.vault.keyring, means.milliseconds
    ledger, wallets = Ledger(key, blinder), Wallets(keyring, blinder)
    tables = RateTables(database, key, now)
    tariff, cdrs, run = Tariff(section, tables, vat.load(vat.STANDARD)), CdrBook(keyring, blinder), _random()
    holds = Holds(section, ledger, wallets, tariff, blinder, run, _random)
    beats = Beats(key, blinder, run)
    settling = Settling(section.currency, ledger, wallets, cdrs, beats, blinder, run, now)
    book = CreditBook(ledger, wallets, tariff, settling, blinder, now)
    telling = BalanceTelling(means.jobs, database, wallets, means.bus, section.currency)
    does = MoneyCommands(section, database, wallets, tariff, InvoiceBook(means.node, wallets, blinder), now)
    counts = MoneyCounts()
    paid_in = make_topups(means, ways, ledger, wallets, book, counts, telling.changed)
    vouchers = VoucherBook(key, blinder, means.vault.vouchers, book, os.urandom)
    limit = RateLimit(VOUCHERS_PER_ADDRESS, VOUCHERS_BURST, means.clock.seconds)
    of_vouchers = VoucherCommands(section, database, means.vault.vouchers, vouchers, wallets, telling, limit)
    routes: Routes = {
        commands.VoucherKeys: of_vouchers.keys,
        commands.VoucherExchange: of_vouchers.exchange,
        commands.BalanceRedeem: of_vouchers.redeem,
        commands.BalanceGet: does.balance,
        commands.AccountCountry: does.country,
        commands.BalancePrice: does.price,
        commands.BalanceStatement: does.statement,
        commands.InvoiceList: does.invoices,
        commands.InvoiceGet: does.invoice,
        **paid_in.routes,
    }
    return MoneyParts(
        CallCharging(means.clock, database, holds, settling, beats, tariff, telling.changed, counts),
        CreditsAndPurchases(database, book, telling.changed, counts),
        book,
        tariff,
        tables,
        means.jobs.job("reading rates", tables.load),
        ledger,
        Audit(database, ledger),
        counts,
        paid_in.takings,
        paid_in.notes,
        paid_in.premium,
        cdrs,
        EdgeBook(keyring, blinder),
        vouchers,
        MoneySweep(means.clock, means.jobs, database, section, cdrs, means.turns, now),
        routes,
        section.vat,
        now,
    )


def _random() -> str:
    return os.urandom(12).hex()
