"""What calls cost: exact, in whole micro-units, from the second of the answer.

A call is billed for `first` seconds, and for every further `step` that it has begun. So a rate of 60/60 is
by the minute, and one of 1/1 by the second. Its price without tax is the fee for the connection and the price
of a minute for each 60 seconds billed; with the tax on it the sum is rounded up, once, to a whole micro-unit.
The tax within it is rounded to the nearest, and the rest is the net price: the two add up to what is paid.
"""

from typing import NamedTuple

from msgspec import Struct

from safeum_home.safenum.money.amounts import divided_up

_WHOLE = 10_000
"""Basis points."""
_MINUTE = 60


class Rate(Struct, frozen=True, array_like=True):
    """What calls to numbers that begin with `prefix` cost, without tax, in micro-units of `currency`.

    `begins` and `ends` are days, counted from 1970; None: it does not end. `cost` is what a minute costs the
    node.
    """

    prefix: str
    name: str
    kind: str
    begins: int
    ends: int | None
    currency: str
    fee: int
    minute: int
    first: int
    step: int
    cost: int = 0

    @property
    def is_free(self) -> bool:
        return self.fee == 0 and self.minute == 0


class Price(NamedTuple):
    """`gross` is what is paid: `net` and `vat`. `seconds` are those that were billed."""

    seconds: int
    gross: int
    net: int
    vat: int


def billed(rate: Rate, seconds: int) -> int:
    """For how many seconds a call of so many is paid; one that was not answered has 0."""
    if seconds <= 0:
        return 0
    return rate.first + divided_up(max(seconds - rate.first, 0), rate.step) * rate.step


def price(rate: Rate, seconds: int, vat_rate: int) -> Price:
    """Of a call of so many seconds; `vat_rate` is in basis points."""
    paid = billed(rate, seconds)
    if not paid:
        return Price(0, 0, 0, 0)
    sixtieths = rate.fee * _MINUTE + rate.minute * paid
    gross = divided_up(sixtieths * (_WHOLE + vat_rate), _MINUTE * _WHOLE)
    vat = tax_within(gross, vat_rate)
    return Price(paid, gross, gross - vat, vat)


def tax_within(gross: int, vat_rate: int) -> int:
    """The tax in a price that includes it."""
    return (2 * gross * vat_rate + _WHOLE + vat_rate) // (2 * (_WHOLE + vat_rate))


def with_tax(amount: int, vat_rate: int) -> int:
    """A price as it is shown, of an amount without tax."""
    return divided_up(amount * (_WHOLE + vat_rate), _WHOLE)


def paid_for(rate: Rate, amount: int, vat_rate: int, most: int) -> int:
    """For how many seconds, at the most `most`, an amount is enough: 0 where it is not for the first ones."""
    left = amount * _MINUTE * _WHOLE // (_WHOLE + vat_rate) - rate.fee * _MINUTE
    if left < 0:
        return 0
    if rate.minute == 0:
        return most
    seconds = left // rate.minute
    if seconds < rate.first:
        return 0
    return min(most, rate.first + (seconds - rate.first) // rate.step * rate.step)


def carrier_cost(rate: Rate, seconds: int) -> int:
    """What a call costs the node."""
    return divided_up(rate.cost * max(seconds, 0), _MINUTE)
