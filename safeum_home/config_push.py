"""The section `[push]` of the configuration."""

from typing import Annotated, Any

from msgspec import Meta, field

from safeum_home.config_base import Positive, Seconds, Section
from safeum_home.config_secrets import ConfigError
from safeum_home.config_sms import Name


class PushProviderSection(Section, frozen=True):
    """One push provider: docs/push.md has the settings of each kind."""

    name: Name
    kind: Name
    settings: dict[str, Any] = field(default_factory=dict)


class PushSection(Section, frozen=True):
    """How devices that sleep are woken."""

    providers: Annotated[list[PushProviderSection], Meta(max_length=16)] = field(default_factory=list)
    message_seconds: Seconds = 86400.0
    """For how long a wake of the class `msg` is tried, and may be kept by a provider."""
    call_seconds: Seconds = 30.0
    """The same for `call`."""
    concurrency: Annotated[int, Meta(ge=1, le=4096)] = 500
    """Wakes that may be under way to a provider at once."""
    queue: Positive = 100_000
    """Wakes of a provider that may wait; calls come first, and of messages the oldest make room."""
    attempt_seconds: Annotated[float, Meta(gt=0, le=120)] = 10.0
    breaker_failures: Annotated[int, Meta(ge=1, le=1000)] = 10
    breaker_seconds: Seconds = 15.0


def check_push(push: PushSection) -> None:
    """Raises `ConfigError` for what no type says."""
    names = [provider.name for provider in push.providers]
    if len(set(names)) < len(names):
        raise ConfigError("push.providers: two of one name")
    for provider in push.providers:
        seconds = provider.settings.get("seconds")
        if isinstance(seconds, int | float) and seconds > push.attempt_seconds:
            raise ConfigError(f"push.providers: {provider.name}: seconds: more than push.attempt_seconds")
