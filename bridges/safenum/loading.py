"""Kinds of telephone carriers."""

from bridges.loading import load_bridge
from safeum_home.ports.carrier import CarrierBridge

GROUP = "safeum_home.safenum"


def load(kind: str) -> CarrierBridge:
    """The bridge of a kind; raises `ConfigError` where there is none, more than one, or it does not load."""
    bridge: CarrierBridge = load_bridge(GROUP, "safenum.carriers", kind)
    return bridge
