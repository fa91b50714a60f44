"""Both ways to a node: the WebSocket, and HTTPS for files, over the same trust."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IStreamClientEndpoint

from safeum_home.client.connection.connection import Listener, dialer
from safeum_home.client.connection.requests import Wire
from safeum_home.client.connection.trust import Node
from safeum_home.client.connection.web import Web


class NodeDialer:
    """`connection.Dial`; `web` makes HTTPS requests to the same node. Its arguments are those of `dialer`."""

    def __init__(
        self, reactor: Any, node: Node, ca: bytes | None = None, endpoint: IStreamClientEndpoint | None = None
    ) -> None:
        self._dial = dialer(reactor, node, ca, endpoint)
        self.web = Web(reactor, node, ca, endpoint)

    def __call__(self, listener: Listener) -> "Deferred[Wire]":
        return self._dial(listener)
