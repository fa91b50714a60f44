"""Amounts in the smallest unit of a currency, as providers have them.

Most currencies have hundredths; those named here have none, or thousandths
(https://docs.stripe.com/currencies, ISO 4217).
"""

_WHOLE = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF")
)
_THOUSANDTHS = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])


def unit(currency: str) -> int:
    """How many micro-units the smallest unit has."""
    if currency in _WHOLE:
        return 1_000_000
    return 1_000 if currency in _THOUSANDTHS else 10_000


def to_minor(amount: int, currency: str) -> int:
    """Of micro-units; raises ValueError where it is no whole number."""
    whole, rest = divmod(amount, unit(currency))
    if rest:
        raise ValueError("not a whole number of the currency's smallest unit")
    return whole


def from_minor(amount: int, currency: str) -> int:
    """In micro-units."""
    return amount * unit(currency)
