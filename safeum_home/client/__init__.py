"""The Python SDK, the terminal client and `safeum pipe`. Nothing of it writes to disk by itself.

On Twisted: `client = await connect(reactor, "node.example")`; in asyncio:
`client = await aio.connect("node.example")`. docs/client-guide.md is the way in.
"""

from typing import Any

from safeum_home.client.connection.dialer import NodeDialer
from safeum_home.client.connection.trust import node_at
from safeum_home.client.errors import (
    BadAnswer,
    ClientError,
    Closing,
    Disconnected,
    RemoteProblem,
    SessionEnded,
    TimedOut,
)
from safeum_home.client.events import Link, LinkChanged
from safeum_home.client.session import Client
from safeum_home.client.state.chat_view import ChatView
from safeum_home.client.state.state import State

__all__ = [
    "BadAnswer",
    "ChatView",
    "Client",
    "ClientError",
    "Closing",
    "Disconnected",
    "Link",
    "LinkChanged",
    "RemoteProblem",
    "SessionEnded",
    "State",
    "TimedOut",
    "connect",
    "new_client",
]


def new_client(reactor: Any, node: str, *, ca: bytes | None = None) -> Client:
    """A client of the node at `HOST[:PORT]`, not connected yet.

    `ca` is PEM that is trusted instead of the public roots: an authority, or the node's own
    self-signed certificate. Raises `Problem(invalid_node_name)`.
    """
    return Client(NodeDialer(reactor, node_at(node), ca), reactor)


async def connect(reactor: Any, node: str, *, ca: bytes | None = None) -> Client:
    """`new_client`, connected; raises `Disconnected`."""
    client = new_client(reactor, node, ca=ca)
    await client.connect()
    return client
