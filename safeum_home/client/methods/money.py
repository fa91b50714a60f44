"""The balance, what became of it, and what calls cost, as typed methods for both clients alike."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import TypeVar

from safeum_home.client.methods.client_ids import new_client_id
from safeum_home.client.methods.voucher_tokens import Token
from safeum_home.protocol import commands as c
from safeum_home.protocol.commands import money
from safeum_home.protocol.commands.premium import PremiumBuy, PremiumGet, PremiumState
from safeum_home.protocol.commands.topups import (
    BalanceTopUp,
    BalanceTransfer,
    BalanceWays,
    PaymentWays,
    TopUp,
    Transfer,
)

R = TypeVar("R", bound=c.Result)


class MoneyMethods(ABC):
    """Amounts are whole micro-units; `money_words.amount` writes them."""

    @abstractmethod
    def _ask(self, params: c.Params, result: type[R]) -> Awaitable[R]:
        """Give a command of an open session."""

    @abstractmethod
    def _milliseconds(self) -> float:
        """The time now, since 1970."""

    def balance(self) -> Awaitable[money.Balance]:
        """What can be spent, and what is held for calls. The event `BalanceChanged` tells of changes."""
        return self._ask(money.BalanceGet(), money.Balance)

    def set_country(self, country: str) -> Awaitable[c.Done]:
        """Say in which country (ISO 3166-1) one lives: its tax is part of prices; raises `invalid_params`."""
        return self._ask(money.AccountCountry(country), c.Done)

    def call_price(self, number: str) -> Awaitable[money.CallPrice]:
        """What a call costs; raises `no_rate`, `destination_refused` and `country_needed`."""
        return self._ask(money.BalancePrice(number), money.CallPrice)

    def statement(self, before: int | None = None, limit: int = 50) -> Awaitable[money.Statement]:
        """What became of the balance, the newest first; `before` the last `line` for more."""
        return self._ask(money.BalanceStatement(before, limit), money.Statement)

    def invoices(self) -> Awaitable[money.InvoiceMonths]:
        """For which months there are invoices."""
        return self._ask(money.InvoiceList(), money.InvoiceMonths)

    def invoice(self, month: str) -> Awaitable[money.Invoice]:
        """That of a month (`2026-11`); raises `not_found`. `money_words.invoice_csv` writes it as CSV."""
        return self._ask(money.InvoiceGet(month), money.Invoice)

    def redeem(self, token: Token) -> Awaitable[money.Balance]:
        """Add what a token of `exchange_voucher` is worth; raises `bad_voucher`."""
        params = money.BalanceRedeem(token.currency, token.amount, token.input, token.output)
        return self._ask(params, money.Balance)

    def payment_ways(self) -> Awaitable[PaymentWays]:
        """In which ways one can pay in."""
        return self._ask(BalanceWays(), PaymentWays)

    def top_up(self, amount: int, way: str | None = None) -> Awaitable[TopUp]:
        """Begin to pay in: the answer has the page to pay on. `BalanceChanged` tells when the money is there.

        Raises `bad_amount`, `payments_unavailable`, `limit_reached`.
        """
        return self._ask(BalanceTopUp(amount, way), TopUp)

    def transfer(self) -> Awaitable[Transfer]:
        """Where to transfer money, and with which reference; raises `not_found` where none is taken."""
        return self._ask(BalanceTransfer(), Transfer)

    def premium(self) -> Awaitable[PremiumState]:
        """Whether and until when there is premium, and what a month costs."""
        return self._ask(PremiumGet(), PremiumState)

    def buy_premium(self, months: int, price: int, client_id: str | None = None) -> Awaitable[PremiumState]:
        """Pay for months, at the `price` of one that `premium` told; raises `price_changed`, `no_balance`.

        For each `client_id` once: one is made where none is given.
        """
        known = client_id or new_client_id(self._milliseconds())
        return self._ask(PremiumBuy(months, price, known), PremiumState)
