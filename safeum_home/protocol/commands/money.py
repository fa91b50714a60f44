"""The balance of an account, what became of it, and what calls cost. docs/money.md."""

from typing import Annotated

from msgspec import Meta

from safeum_home.protocol.command import Done, Params, Phase, Result, command
from safeum_home.protocol.money_types import (
    BasisPoints,
    Country,
    Currency,
    Dialled,
    Element,
    LineNumber,
    Micros,
    Month,
    Octets64,
    VoucherCode,
)
from safeum_home.protocol.scalars import Milliseconds


class Balance(Result, frozen=True):
    """What can be spent, and what is held for calls that go on.

    `country` is what the account has said of itself; None: nothing.
    """

    currency: Currency
    balance: Micros
    held: Micros
    country: Country | None


@command("balance.get", Balance, activity=False)
class BalanceGet(Params, frozen=True):
    """The balance of the account."""


@command("account.country", Done, cost=2)
class AccountCountry(Params, frozen=True):
    """Say in which country one lives: its value-added tax is part of prices from then on."""

    country: Country


class CallPrice(Result, frozen=True):
    """What a call costs, tax included: once, and for each minute of what is billed.

    That are `first_increment` seconds, and every further `increment` of seconds that was begun. `kind` is the
    class of its destination.
    """

    currency: Currency
    destination: str
    kind: str
    connection_fee: Micros
    per_minute: Micros
    first_increment: int
    increment: int
    vat_rate: BasisPoints
    country: str


@command("balance.price", CallPrice)
class BalancePrice(Params, frozen=True):
    """What a call to a number costs from this node, now."""

    number: Dialled


class StatementLine(Result, frozen=True):
    """What was added to the balance, which was `balance` since then.

    `kind` is `call`, what was bought, or where money came from. Of what was paid for `net` and `vat` are what
    the amount consists of, with the tax of `country`. Of a call: with whom, and how many seconds were billed.
    """

    line: LineNumber
    at: Milliseconds
    kind: str
    currency: Currency
    amount: Micros
    balance: Micros
    net: Micros = 0
    vat: Micros = 0
    vat_rate: BasisPoints = 0
    country: str = ""
    number: str = ""
    seconds: int = 0


class Statement(Result, frozen=True):
    """The newest first. `more`: there are older ones, which `before` the last `line` gets."""

    lines: list[StatementLine]
    more: bool


@command("balance.statement", Statement, cost=3)
class BalanceStatement(Params, frozen=True):
    """What became of the balance."""

    before: LineNumber | None = None
    limit: Annotated[int, Meta(ge=1, le=100, description="How many at the most.")] = 50


class InvoiceMonths(Result, frozen=True):
    """The newest first: months that are over, in which something was paid for."""

    months: list[Month]


@command("invoice.list", InvoiceMonths, cost=10)
class InvoiceList(Params, frozen=True):
    """For which months there are invoices."""


class InvoiceItem(Result, frozen=True):
    """Everything of a kind that was taxed alike: how often, and for how many seconds of calls."""

    kind: str
    currency: Currency
    country: str
    vat_rate: BasisPoints
    count: int
    seconds: int
    net: Micros
    vat: Micros
    gross: Micros


class Invoice(Result, frozen=True):
    """What was paid from the balance in a month. `number` is of a series that is the account's own."""

    number: str
    month: Month
    node: str
    items: list[InvoiceItem]


@command("invoice.get", Invoice, cost=10)
class InvoiceGet(Params, frozen=True):
    """The invoice of a month that is over."""

    month: Month


class VoucherExchanged(Result, frozen=True):
    """The element times the node's `key` for vouchers of this value, and the proof of that (RFC 9497)."""

    currency: Currency
    amount: Micros
    element: Element
    proof: Octets64
    key: Element


@command("voucher.exchange", VoucherExchanged, Phase.GREETING, cost=5)
class VoucherExchange(Params, frozen=True):
    """Have a token made for a voucher: `element` is a blinded input (RFC 9497, mode VOPRF, ristretto255).

    It is asked by nobody in particular: before a login, on a connection of its own. The same again has the
    same answer; another element for the same voucher has none.
    """

    code: VoucherCode
    element: Element


class KeyOfVouchers(Result, frozen=True):
    """By which key vouchers of a value are exchanged."""

    currency: Currency
    amount: Micros
    key: Element


class VoucherKeyList(Result, frozen=True):
    keys: list[KeyOfVouchers]


@command("voucher.keys", VoucherKeyList, Phase.ANY, activity=False)
class VoucherKeys(Params, frozen=True):
    """The keys for vouchers: whoever asks is told the same."""


@command("balance.redeem", Balance, cost=5)
class BalanceRedeem(Params, frozen=True):
    """Add what a token is worth: `output` is the function of `input`. The node cannot tell for which voucher.

    `bad_voucher` where it was added before, to whichever balance.
    """

    currency: Currency
    amount: Micros
    input: Element
    output: Octets64
