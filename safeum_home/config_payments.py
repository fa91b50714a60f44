"""The section `[payments]` of the configuration: how accounts pay in."""

import re
from typing import Annotated, Any

from msgspec import Meta, field
from stdnum import bic, iban

from safeum_home.config_base import Seconds, Section
from safeum_home.config_secrets import ConfigError
from safeum_home.config_sms import Name

_AMOUNT = re.compile(r"[0-9]{1,6}(\.[0-9]{1,2})?\Z")
TAKEN = ("bank", "call", "goodwill", "manual", "payback", "premium", "vouchers")
"""What lines of statements are called that are of other things."""


class PaymentProviderSection(Section, frozen=True):
    """One provider on whose page people pay: docs/payments.md has the settings of each kind."""

    name: Name
    kind: Name
    settings: dict[str, Any] = field(default_factory=dict)


class BankSection(Section, frozen=True):
    """The account to which people transfer; without an IBAN no transfers are taken."""

    iban: str = ""
    holder: Annotated[str, Meta(max_length=70)] = ""
    bic: str = ""


class PaymentSection(Section, frozen=True):
    """Ways to pay in."""

    smallest: str = "5"
    """On a provider's page, in `safenum.currency`."""
    largest: str = "200"
    providers: Annotated[list[PaymentProviderSection], Meta(max_length=8)] = field(default_factory=list)
    bank: BankSection = field(default_factory=BankSection)
    breaker_failures: Annotated[int, Meta(ge=1, le=1000)] = 5
    breaker_seconds: Seconds = 30.0


def check_payments(section: PaymentSection) -> None:
    """Raises `ConfigError` for what no type says."""
    names = [provider.name for provider in section.providers]
    if len(set(names)) < len(names):
        raise ConfigError("payments.providers: two of one name")
    if taken := sorted(set(names) & set(TAKEN)):
        raise ConfigError(f"payments.providers: {taken[0]} is what something else is called")
    for key, text in (("smallest", section.smallest), ("largest", section.largest)):
        if not _AMOUNT.match(text):
            raise ConfigError(f"payments.{key}: an amount, as 5 or 2.50")
    if not 0 < float(section.smallest) <= float(section.largest):
        raise ConfigError("payments.smallest: above zero, and no more than payments.largest")
    if section.bank.iban:
        if not iban.is_valid(section.bank.iban):
            raise ConfigError("payments.bank.iban: not an IBAN")
        if not section.bank.holder:
            raise ConfigError("payments.bank.holder: whose account it is")
        if section.bank.bic and not bic.is_valid(section.bank.bic):
            raise ConfigError("payments.bank.bic: not a BIC")
