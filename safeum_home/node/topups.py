"""Paying in, and premium that is paid for, made and wired."""

import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

from safeum_home.errors import Code, Problem
from safeum_home.gateway.dispatch import Routes
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.node.means import DomainMeans
from safeum_home.ports.payments import Order, PaymentWays
from safeum_home.protocol.commands import topups as commands
from safeum_home.protocol.commands.premium import PremiumBuy, PremiumGet
from safeum_home.safenum.money import amounts
from safeum_home.safenum.money.counts import MoneyCounts
from safeum_home.safenum.money.credits import CreditBook
from safeum_home.safenum.money.ledger import Ledger
from safeum_home.safenum.money.notes import NoteBook
from safeum_home.safenum.money.payments import PaymentBook
from safeum_home.safenum.money.premium import PremiumBook, PremiumCommands
from safeum_home.safenum.money.takings import Takings
from safeum_home.safenum.money.topups import TopUps
from safeum_home.safenum.money.wallets import Wallets

BEGUN_PER_ACCOUNT, BEGUN_BURST = 0.02, 10
"""Payments that an account may begin in a second, and at once: each is a request to a provider."""


class NoPayments:
    """`ports.payments.PaymentWays` of a node without providers."""

    names: Sequence[str] = ()

    async def begin(self, provider: str, order: Order) -> str:
        raise Problem(Code.PAYMENTS_UNAVAILABLE)


NO_PAYMENTS = NoPayments()


class TopUpParts(NamedTuple):
    """What the rest of the node needs of them."""

    takings: Takings
    """Who is told of payments."""
    notes: NoteBook
    premium: PremiumCommands
    routes: Routes


def make_topups(
    means: DomainMeans,
    ways: PaymentWays,
    ledger: Ledger,
    wallets: Wallets,
    book: CreditBook,
    counts: MoneyCounts,
    changed: Callable[[AccountId], None],
) -> TopUpParts:
    """As `[payments]` and `[premium]` say; `changed` is told whose balance is another one now."""
    config, database, blinder, now = means.config, means.database, means.vault.blinder, means.milliseconds
    currency, notes = config.safenum.currency, NoteBook(means.vault.money)
    payments = PaymentBook(ledger, wallets, book, notes, blinder, now)
    limit = RateLimit(BEGUN_PER_ACCOUNT, BEGUN_BURST, means.clock.seconds)
    topups = TopUps(config.payments, currency, database, payments, ways, limit, counts, os.urandom, now)
    months = PremiumBook(amounts.parse(config.premium.price), currency, wallets, book, blinder)
    premium = PremiumCommands(config.premium, currency, database, months, counts, changed, now)
    routes: Routes = {
        commands.BalanceWays: topups.ways,
        commands.BalanceTopUp: topups.topup,
        commands.BalanceTransfer: topups.transfer,
        PremiumGet: premium.get,
        PremiumBuy: premium.buy,
    }
    return TopUpParts(Takings(database, payments, changed), notes, premium, routes)
