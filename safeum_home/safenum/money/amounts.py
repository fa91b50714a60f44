"""Amounts of money: whole micro-units, millionths of a currency's unit. Nothing is reckoned in floats."""

import re

MICRO = 1_000_000
"""Of these is a unit of a currency."""
MOST = 10**15
"""No amount is beyond this, in either direction: a thousand million units."""
_AMOUNT = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,6}))?\Z")


def parse(text: str) -> int:
    """What `12.5` or `0.000001` says; raises ValueError. No signs, and no more than six decimals."""
    found = _AMOUNT.match(text)
    if found is None:
        raise ValueError("not an amount")
    units, parts = found.groups()
    return int(units) * MICRO + int((parts or "").ljust(6, "0"))


def written(amount: int) -> str:
    """With two decimals, or as many as it has."""
    units, parts = divmod(abs(amount), MICRO)
    decimals = f"{parts:06}".rstrip("0").ljust(2, "0")
    return f"{'-' * (amount < 0)}{units}.{decimals}"


def divided_up(dividend: int, divisor: int) -> int:
    """The quotient, rounded up; neither is below zero."""
    return -(-dividend // divisor)
