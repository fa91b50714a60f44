"""Providers of the configuration, of whatever sort: made by their bridges, which may be a third party's."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from safeum_home.config import ConfigError

P = TypeVar("P")
C = TypeVar("C")
Settings = Mapping[str, Any]


def make(section: str, bridge: Callable[[C, Settings], P], name: str, context: C, settings: Settings) -> P:
    """The provider `name` of a section; raises `ConfigError` alone."""
    try:
        return bridge(context, settings)
    except ConfigError:
        raise
    except Exception as error:
        # A third party's: its text may quote what it should not.
        kind = type(error).__name__
        raise ConfigError(f"{section}: {name} cannot be made of its settings: {kind}") from None


def check(section: str, bridge: object, name: str, settings: Settings) -> None:
    """Whether a bridge can use these settings, where it can say so by now; raises `ConfigError` alone."""
    its_check = getattr(bridge, "check", None)
    if its_check is None:
        return
    try:
        its_check(name, settings)
    except ConfigError:
        raise
    except Exception as error:
        # A third party's: its text may quote what it should not.
        kind = type(error).__name__
        raise ConfigError(f"{section}: {name} has settings that fail: {kind}") from None


def by_name(secret: Callable[[str], bytes]) -> Callable[[str], bytes]:
    """Takes `secret:NAME` as it stands in the configuration, too."""
    return lambda name: secret(name.removeprefix("secret:"))
