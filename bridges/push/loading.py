"""Kinds of push providers."""

from bridges.loading import load_bridge
from safeum_home.ports.push import PushBridge

GROUP = "safeum_home.push"


def load(kind: str) -> PushBridge:
    """The bridge of a kind; raises `ConfigError` where there is none, more than one, or it does not load."""
    bridge: PushBridge = load_bridge(GROUP, "push.providers", kind)
    return bridge
