"""All bridges of an open node."""

from typing import Any, NamedTuple

from bridges.payments.loading import load as load_payments
from bridges.push.loading import load as load_push
from bridges.safenum.loading import load as load_carrier
from bridges.sms.loading import load as load_sms
from safeum_home.config import Config
from safeum_home.node.carriers import CarrierBridges, NodeCarriers, make_carriers
from safeum_home.node.payments import NodePayments, PaymentBridges, make_payments
from safeum_home.node.push import NodePushes, PushBridges, make_pushes
from safeum_home.node.sms import Bridges, NodeTexts, make_texts
from safeum_home.sealing.vault import Vault


class BridgeKinds(NamedTuple):
    """What finds kinds of bridges of each sort."""

    sms: Bridges = load_sms
    push: PushBridges = load_push
    carriers: CarrierBridges = load_carrier
    payments: PaymentBridges = load_payments


class NodeBridges(NamedTuple):
    """Those of the configuration."""

    texts: NodeTexts
    pushes: NodePushes
    carriers: NodeCarriers
    payments: NodePayments


def make_bridges(config: Config, reactor: Any, vault: Vault, kinds: BridgeKinds) -> NodeBridges:
    """Raises `StartError`."""
    secret = vault.secrets.open
    return NodeBridges(
        make_texts(config, reactor, secret, kinds.sms),
        make_pushes(config, reactor, secret, vault.push_key, kinds.push),
        make_carriers(config, reactor, secret, vault.carrier_key, kinds.carriers),
        make_payments(config, reactor, secret, kinds.payments),
    )


INSTALLED = BridgeKinds()
"""Those that are entry points."""
