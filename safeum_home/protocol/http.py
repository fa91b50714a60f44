"""What a node answers over HTTP, besides the upgrade to WebSocket."""

from msgspec import Struct

from safeum_home.protocol.types import PublicKey

HEALTH_PATH = "/health"
DISCOVERY_PATH = "/.well-known/safeum/client"
NODE_DISCOVERY_PATH = "/.well-known/safeum/node"
"""Where other nodes learn where this one is served to them."""
NODE_KEYS_PATH = "/_safeum/key/v1"
"""Where they find the keys that it signs with."""
SMS_REPORTS_PATH = "/v1/sms/"
"""Where providers of text messages report what became of them; the provider's name follows."""

PAYMENTS_PATH = "/v1/payments/"
"""Where payment providers tell of payments; the provider's name follows."""


class Health(Struct, frozen=True):
    """Whether the node serves: `ok` is answered with 200, all else with 503."""

    status: str
    """`ok`, or what keeps the node from serving: `sealed`, `unsealing`, `no_certificate`, `no_database`, …"""
    node: str
    """The node's name. Its version is for its operator to know: `safeum-home status`."""


class DiscoveryLimits(Struct, frozen=True):
    """What a connection is bounded by."""

    frame: int
    """Octets that one WebSocket message may have."""
    ping_interval: float
    """Seconds between the node's pings."""


class Discovery(Struct, frozen=True):
    """Where and how clients of this node connect."""

    node: str
    """The node's name: the part of addresses and account ids behind `@` and `:`."""
    websocket: str
    """The URL to open (`wss:`)."""
    protocols: list[str]
    """WebSocket subprotocols that the node speaks, the preferred one first."""
    limits: DiscoveryLimits
    node_key: PublicKey
    """What the node signs with, for as long as its root secret is the same."""


class NodeDiscovery(Struct, frozen=True):
    """Where this node is served to other nodes."""

    server: str
    """`HOST` or `HOST:PORT`; its certificate is for HOST."""
