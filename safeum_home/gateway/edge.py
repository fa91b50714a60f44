"""One TLS port for WebSocket and HTTP.

A small protocol reads the first request's head, within one deadline that also covers the TLS
handshake, and then puts the right protocol in its own place, with what was read played to it.
"""

from typing import Any

from twisted.internet.interfaces import IAddress, IOpenSSLServerConnectionCreator, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure

from safeum_home.errors import Code, Problem
from safeum_home.gateway.http import EdgeSite
from safeum_home.gateway.limits import ConnectionLimits, EdgeLimits
from safeum_home.gateway.problems import raw_response
from safeum_home.gateway.timers import Timeouts
from safeum_home.gateway.transport import EdgeTransport
from safeum_home.gateway.websocket import ClientWebSocketFactory
from safeum_home.protocol import WEBSOCKET_PATH

_WEBSOCKET = b"GET " + WEBSOCKET_PATH.encode()


class FirstRequest(Protocol):
    """Reads the head of a connection's first request and gives its place to who serves that."""

    transport: Any

    def __init__(self, edge: "EdgeFactory") -> None:
        self._edge = edge
        self._head = b""
        self._refused = False

    def connectionMade(self) -> None:
        edge = self._edge
        self._deadline = edge.timeouts.call_later(edge.limits.head_timeout, self._too_late)

    def dataReceived(self, data: bytes) -> None:
        if self._refused:
            return
        searched = max(0, len(self._head) - 3)
        self._head += data
        end = self._head.find(b"\r\n\r\n", searched)
        if max(end, 0 if end >= 0 else len(self._head)) > self._edge.limits.head:
            self._deadline.cancel()
            self._refused = True
            problem = Problem(Code.TOO_LARGE, "The request head is too long.")
            self.transport.write(raw_response(problem, 431))
            self.transport.loseConnection()
        elif end >= 0:
            self._deadline.cancel()
            self._hand_over()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._deadline.cancel()

    def _too_late(self) -> None:
        self.transport.abortConnection()

    def _hand_over(self) -> None:
        edge, transport, head = self._edge, self.transport, self._head
        is_websocket = head.startswith(_WEBSOCKET) and head[len(_WEBSOCKET) : len(_WEBSOCKET) + 1] in b" ?"
        factory: Any = edge.websocket if is_websocket else edge.site
        protocol = factory.buildProtocol(transport.getPeer())
        transport.wrappedProtocol = protocol
        protocol.makeConnection(transport)
        protocol.dataReceived(head)


class EdgeFactory(TLSMemoryBIOFactory):
    """Listen with this on plain TCP; `tls` makes the TLS side.

    Connections beyond the limits are closed before anything is spent on them.
    """

    protocol = EdgeTransport

    def __init__(
        self,
        reactor: IReactorTime,
        tls: IOpenSSLServerConnectionCreator,
        limits: EdgeLimits,
        websocket: ClientWebSocketFactory,
        site: EdgeSite,
    ) -> None:
        super().__init__(tls, False, site, reactor)
        self.limits = limits
        self.websocket = websocket
        self.site = site
        self.timeouts = Timeouts(reactor)
        self.connections = ConnectionLimits(limits.connections, limits.connections_per_address)

    def buildProtocol(self, addr: IAddress | None) -> TLSMemoryBIOProtocol:
        host = str(getattr(addr, "host", ""))
        if not self.connections.admit(host):
            # What the reactor closes at once; the type of the superclass does not know of it.
            return None  # type: ignore[return-value]
        transport = EdgeTransport(self, FirstRequest(self))
        transport.host = host
        return transport
