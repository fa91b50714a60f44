"""The section `[premium]` of the configuration: what secure chats cost."""

import re

from safeum_home.config_base import Section
from safeum_home.config_secrets import ConfigError

_PRICE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?\Z")


class PremiumSection(Section, frozen=True):
    """Premium, with which secure chats are begun (docs/money.md)."""

    free: bool = True
    """Whether everybody has it."""
    price: str = "2"
    """Of a month, in `safenum.currency`, with the tax in it."""


def check_premium(section: PremiumSection) -> None:
    """Raises `ConfigError` for what no type says."""
    if not _PRICE.match(section.price) or not section.price.strip("0."):
        raise ConfigError("premium.price: an amount above zero, as 2 or 2.50")
