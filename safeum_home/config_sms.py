"""The section `[sms]` of the configuration."""

import re
from typing import Annotated, Any

from msgspec import Meta, field

from safeum_home.config_base import Positive, Rate, Seconds, Section
from safeum_home.config_secrets import ConfigError

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$(?!\n)")]
Prefix = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,14}$(?!\n)")]
"""The first digits of numbers, beginning with the country's code, without "+"."""


class SmsProviderSection(Section, frozen=True):
    """One provider of text messages: docs/bridges.md has the settings of each kind."""

    name: Name
    kind: Name
    settings: dict[str, Any] = field(default_factory=dict)


class SmsSection(Section, frozen=True):
    """Text messages. Bursts are how many may come at once; costs are in millionths of a unit of money."""

    providers: Annotated[list[SmsProviderSection], Meta(max_length=16)] = field(default_factory=list)
    routes: dict[Prefix, Annotated[list[Name], Meta(min_length=1)]] = field(default_factory=dict)
    text: Annotated[str, Meta(max_length=400)] = "{code} is your SafeUM code. Do not share it."
    concurrency: Annotated[int, Meta(ge=1, le=1024)] = 32
    queue: Annotated[int, Meta(ge=0, le=65536)] = 256
    attempt_seconds: Annotated[float, Meta(gt=0, le=120)] = 10.0
    total_seconds: Annotated[float, Meta(gt=0, le=600)] = 30.0
    rounds: Annotated[int, Meta(ge=1, le=10)] = 3
    breaker_failures: Annotated[int, Meta(ge=1, le=1000)] = 5
    breaker_seconds: Seconds = 30.0
    number_per_hour: Rate = 0.5
    number_burst: Positive = 3
    address_per_hour: Rate = 10.0
    address_burst: Positive = 10
    prefix_digits: Annotated[int, Meta(ge=1, le=15)] = 7
    prefix_per_hour: Rate = 20.0
    prefix_burst: Positive = 20
    area_digits: Annotated[int, Meta(ge=1, le=15)] = 4
    area_per_hour: Rate = 200.0
    area_burst: Positive = 200
    messages_per_day: Positive = 2_000
    cost_per_day: Positive = 200_000_000
    price: Annotated[int, Meta(ge=0)] = 100_000
    prices: dict[Prefix, Annotated[int, Meta(ge=0)]] = field(default_factory=dict)
    conversion_messages: Positive = 20
    conversion_share: Annotated[float, Meta(ge=0, le=1)] = 0.2
    conversion_wait_seconds: Seconds = 600.0
    conversion_closed_seconds: Seconds = 3600.0

    def written(self, code: str) -> str:
        """The message that brings `code`."""
        return self.text.replace("{code}", code)


def check_sms(sms: SmsSection) -> None:
    """Raises `ConfigError` for what no type says."""
    names = [provider.name for provider in sms.providers]
    if len(set(names)) < len(names):
        raise ConfigError("sms.providers: two of one name")
    for route in sms.routes.values():
        if not set(route) <= set(names):
            raise ConfigError("sms.routes: names a provider that is not in sms.providers")
    if re.findall(r"\{code\}|[{}]", sms.text) != ["{code}"]:
        raise ConfigError("sms.text: {code} once, and no other brace")
