"""Kinds of providers are entry points: those of third parties too."""

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from safeum_home.config import ConfigError


def load_bridge(group: str, section: str, kind: str) -> Any:
    """The bridge of a kind in `group`, named in the configuration's `section`.

    Raises `ConfigError` where there is none, more than one, or it does not load.
    """
    found = set(entry_points(group=group, name=kind))
    if not found:
        known = ", ".join(sorted({entry.name for entry in entry_points(group=group)}))
        raise ConfigError(f"{section}: there is no kind {kind}; installed are: {known}")
    if len({entry.value for entry in found}) > 1:
        raise ConfigError(f"{section}: several packages bring a kind {kind}")
    return _loaded(found.pop(), section)


def _loaded(entry: EntryPoint, section: str) -> Any:
    try:
        bridge = entry.load()
    except Exception as error:
        # Whatever a third party's module does when it is imported.
        kind = type(error).__name__
        raise ConfigError(f"{section}: kind {entry.name} does not load: {kind}: {error}") from None
    if not callable(bridge):
        raise ConfigError(f"{section}: kind {entry.name} is no bridge")
    return bridge
