"""What a node answers over HTTP, besides the upgrade to WebSocket."""

from typing import Literal

from msgspec import Struct

HEALTH_PATH = "/health"
DISCOVERY_PATH = "/.well-known/safeum/client"


class Health(Struct, frozen=True):
    """Whether the node serves; `status` says why not."""

    status: Literal["open", "sealed", "unsealing", "shutting_down"]


class Discovery(Struct, frozen=True):
    """Where and how clients of this node connect."""

    node: str
    """The node's name: the part of addresses and account ids behind `@` and `:`."""
    websocket: str
    """The URL to open (`wss:`)."""
    subprotocols: list[str]
    """Subprotocols that the node speaks, the preferred one first."""
    registration: bool
    """Whether anybody may sign up."""
