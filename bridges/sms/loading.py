"""Kinds of providers of text messages."""

from bridges.loading import load_bridge
from safeum_home.ports.sms import SmsBridge

GROUP = "safeum_home.sms"


def load(kind: str) -> SmsBridge:
    """The bridge of a kind; raises `ConfigError` where there is none, more than one, or it does not load."""
    bridge: SmsBridge = load_bridge(GROUP, "sms.providers", kind)
    return bridge
