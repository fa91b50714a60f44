"""Kinds of providers are entry points of the group `safeum_home.sms`: those of third parties too."""

from importlib.metadata import EntryPoint, entry_points

from safeum_home.config import ConfigError
from safeum_home.ports.sms import SmsBridge

GROUP = "safeum_home.sms"


def load(kind: str) -> SmsBridge:
    """The bridge of a kind; raises `ConfigError` where there is none, more than one, or it does not load."""
    found = set(entry_points(group=GROUP, name=kind))
    if not found:
        known = ", ".join(sorted({entry.name for entry in entry_points(group=GROUP)}))
        raise ConfigError(f"sms.providers: there is no kind {kind}; installed are: {known}")
    if len({entry.value for entry in found}) > 1:
        raise ConfigError(f"sms.providers: several packages bring a kind {kind}")
    return _loaded(found.pop())


def _loaded(entry: EntryPoint) -> SmsBridge:
    try:
        bridge: SmsBridge = entry.load()
    except Exception as error:
        # Whatever a third party's module does when it is imported.
        kind = type(error).__name__
        raise ConfigError(f"sms.providers: kind {entry.name} does not load: {kind}: {error}") from None
    if not callable(bridge):
        raise ConfigError(f"sms.providers: kind {entry.name} is no bridge")
    return bridge
