"""Paying in: which ways there are, a provider's page, and a bank transfer. docs/payments.md."""

from typing import Annotated

from msgspec import Meta

from safeum_home.protocol.command import Params, Result, command
from safeum_home.protocol.money_types import Currency, Micros
from safeum_home.protocol.scalars import Milliseconds

Way = Annotated[
    str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$(?!\n)", max_length=32, description="A provider's name.")
]


class PaymentWays(Result, frozen=True):
    """`pages` are providers on whose page one pays; `transfer`: transfers are taken.

    On a page one pays `smallest` to `largest`; by transfer any amount.
    """

    pages: list[Way]
    transfer: bool
    currency: Currency
    smallest: Micros
    largest: Micros


@command("balance.ways", PaymentWays, activity=False)
class BalanceWays(Params, frozen=True):
    """In which ways one can pay in."""


class TopUp(Result, frozen=True):
    """The page to pay on, `until` when it is there. `balance.changed` tells when the money is."""

    way: Way
    url: str
    amount: Micros
    currency: Currency
    until: Milliseconds


@command("balance.topup", TopUp, cost=10)
class BalanceTopUp(Params, frozen=True):
    """Begin to pay in; `way` is one of the pages, and without it the first.

    `bad_amount`, `payments_unavailable`, and `limit_reached` where too many were begun today and not paid.
    """

    amount: Micros
    way: Way | None = None


class Transfer(Result, frozen=True):
    """Where to transfer any amount, with this creditor reference (ISO 11649), which is the account's alone.

    It is good `until` then and, once it was used, for a year from each time.
    """

    reference: str
    iban: str
    bic: str
    holder: str
    currency: Currency
    until: Milliseconds


@command("balance.transfer", Transfer, cost=5)
class BalanceTransfer(Params, frozen=True):
    """Have a reference for a transfer; `not_found` where none are taken. The money is there in some days."""
