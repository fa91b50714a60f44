"""The section `[safenum]` of the configuration: international numbers, and what calls with them cost."""

import re
from typing import Annotated, Any

from msgspec import Meta, field

from safeum_home.config_base import Section
from safeum_home.config_secrets import ConfigError

_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_COUNTRY = re.compile(r"[A-Z]{2}\Z")
_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?\Z")
DESTINATIONS = ("fixed", "mobile", "voip", "shared-cost", "toll-free", "premium", "satellite", "emergency")
"""Classes of destinations, as rate tables name them."""
ALLOWED = ("fixed", "mobile", "voip", "shared-cost", "toll-free")

ASSIGN = ("signup", "request", "never")

Months = Annotated[int, Meta(ge=1, le=240)]


Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$(?!\n)")]


class CarrierSection(Section, frozen=True):
    """A trunk to a carrier: docs/carrier.md has the settings of each kind."""

    name: Name
    kind: Name
    settings: dict[str, Any] = field(default_factory=dict)


class SafenumSection(Section, frozen=True):
    """Calls to and from the telephone network (docs/money.md)."""

    carriers: Annotated[list[CarrierSection], Meta(max_length=16)] = field(default_factory=list)
    """Trunks, in the order in which they are tried for calls that go out."""
    currency: str = "EUR"
    """That of balances and rate tables (ISO 4217)."""
    country: str = ""
    """Whose value-added tax is charged until an account has said where it lives; "": it has to say."""
    vat: str = "standard"
    """Rates of value-added tax: `standard` (come with the package), or a file's path."""
    destinations: Annotated[list[str], Meta(max_length=len(DESTINATIONS))] = field(
        default_factory=lambda: list(ALLOWED)
    )
    """Classes that may be called."""
    calls_at_once: Annotated[int, Meta(ge=1, le=100)] = 2
    """Of one account, with the telephone network."""
    call_seconds: Annotated[int, Meta(ge=60, le=86400)] = 7200
    """After which a call is ended."""
    vouchers: Annotated[list[str], Meta(max_length=16)] = field(
        default_factory=lambda: ["5", "10", "20", "50"]
    )
    """What vouchers may be worth, in `currency`. One of few values tells little."""
    hold_seconds: Annotated[int, Meta(ge=10, le=3600)] = 60
    """For how long ahead a call is paid for."""
    spend_per_day: str = "50"
    """What an account may spend on calls between midnight and midnight (UTC), in `currency`."""
    cdr_months: Months = 6
    """For how many months records of calls are kept, besides the one that runs."""
    statement_months: Months = 24
    """The same of the lines of accounts' statements."""
    voicemail_calls: Annotated[int, Meta(ge=0, le=200)] = 20
    """How many calls the voicemail answers at once; 0: none (docs/voicemail.md)."""
    voicemail_seconds: Annotated[int, Meta(ge=5, le=300)] = 120
    """For how long a caller may speak."""
    voicemail_silence_seconds: Annotated[int, Meta(ge=3, le=60)] = 8
    """Of silence, after which a recording ends."""
    voicemail_days: Annotated[int, Meta(ge=1, le=30)] = 30
    """For how many days messages are kept: then the key of their day is destroyed."""
    assign: str = "signup"
    """When an account gets a number: "signup" (or its next login), "request", "never" but by the operator."""
    quarantine_days: Annotated[int, Meta(ge=0, le=3650)] = 180
    """For how long nobody is given a number that somebody else had."""


def check_safenum(section: SafenumSection) -> None:
    """Raises `ConfigError` for what no type says."""
    names = [carrier.name for carrier in section.carriers]
    if len(set(names)) < len(names):
        raise ConfigError("safenum.carriers: each has a name of its own")
    if not _CURRENCY.match(section.currency):
        raise ConfigError("safenum.currency: three capital letters, as EUR")
    if section.country and not _COUNTRY.match(section.country):
        raise ConfigError("safenum.country: two capital letters, as DE")
    if section.vat != "standard" and not section.vat.startswith("/"):
        raise ConfigError("safenum.vat: `standard`, or a path that begins with /")
    if unknown := [each for each in section.destinations if each not in DESTINATIONS]:
        raise ConfigError(f"safenum.destinations: there is no class {unknown[0]!r}")
    if not all(_AMOUNT.match(each) for each in section.vouchers):
        raise ConfigError("safenum.vouchers: amounts, as 10 or 2.50")
    if section.assign not in ASSIGN:
        raise ConfigError(f"safenum.assign: one of {', '.join(ASSIGN)}")
    if not _AMOUNT.match(section.spend_per_day):
        raise ConfigError("safenum.spend_per_day: an amount, as 50 or 50.25")
