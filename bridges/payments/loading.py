"""Kinds of providers of payments."""

from bridges.loading import load_bridge
from safeum_home.ports.payments import PaymentBridge

GROUP = "safeum_home.payments"


def load(kind: str) -> PaymentBridge:
    """The bridge of a kind; raises `ConfigError` where there is none, more than one, or it does not load."""
    bridge: PaymentBridge = load_bridge(GROUP, "payments.providers", kind)
    return bridge
