"""A WebSocket over TLS to a node: autobahn on an endpoint, with every limit set."""

from typing import Any, Protocol

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from OpenSSL.SSL import Error as TlsError
from service_identity import VerificationError
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import (
    ConnectError,
    ConnectionRefusedError,
    DNSLookupError,
    NoRouteError,
    TimeoutError,
)
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import connectionDone
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure

from safeum_home.client.connection.requests import Wire
from safeum_home.client.connection.timers import Timeouts
from safeum_home.client.connection.trust import Node, tls_for
from safeum_home.client.errors import UNTRUSTED, Closing, Disconnected
from safeum_home.protocol import MAX_FRAME, SUBPROTOCOL, WEBSOCKET_PATH

CONNECT_TIMEOUT = 15
CLOSE_TIMEOUT = 3
PING_INTERVAL = 25
"""Seconds; keeps addresses of mobile networks open, and finds a dead peer."""


class Listener(Protocol):
    """Who a connection reports to."""

    def received(self, payload: bytes) -> None:
        """A whole message."""

    def closed(self, closing: Closing) -> None:
        """The connection is gone; called once, and only where `dial` has succeeded."""


class Dial(Protocol):
    """Opens a connection; fails with `Disconnected`."""

    def __call__(self, listener: Listener) -> "Deferred[Wire]": ...


class NodeConnection(WebSocketClientProtocol):  # type: ignore[misc]  # autobahn is untyped
    """One connection. `opened` fires when the subprotocol is agreed on, or fails with `Disconnected`."""

    listener: Listener
    opened: "Deferred[Wire] | None"
    serverConnectionDropTimeoutCall: Any
    _cause: Closing | None = None

    def onOpen(self) -> None:
        if self.websocket_protocol_in_use != SUBPROTOCOL:
            self._cause = Closing(1006, "the node does not speak this protocol")
            self.dropConnection(abort=True)
            return
        opened, self.opened = self.opened, None
        if opened is not None:
            opened.callback(self)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if isBinary:
            self.close(1003, "text only")
        else:
            self.listener.received(payload)

    def onCloseFrame(self, code: int | None, reasonRaw: bytes | None) -> bool | None:
        """Both sides have said that it is over: it is the node that cuts the connection, or we do."""
        ended: bool | None = super().onCloseFrame(code, reasonRaw)
        if self.serverConnectionDropTimeoutCall is None and self.state != self.STATE_CLOSED:
            later = self.factory._batched_timer.call_later
            # Autobahn cancels it when the connection is lost.
            self.serverConnectionDropTimeoutCall = later(CLOSE_TIMEOUT, self.onServerConnectionDropTimeout)
        return ended

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if reason.check(VerificationError) or "certificate verify failed" in str(reason.value):
            self._cause = Closing(UNTRUSTED, "the node's certificate is not trusted, or is for another name")
        elif reason.check(TlsError):
            self._cause = Closing(1006, "no encrypted connection could be made")
        super().connectionLost(reason)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        closing = self._cause or Closing(code or 1006, plain(reason or ""))
        opened, self.opened = self.opened, None
        if opened is not None:
            opened.errback(Disconnected(closing))
        else:
            self.listener.closed(closing)

    def send(self, payload: bytes) -> None:
        if self.state == self.STATE_OPEN:  # what is written into a closing connection is lost with it
            self.sendMessage(payload)

    def close(self, code: int = 1000, reason: str = "") -> None:
        self.sendClose(code, reason)


def plain(reason: str) -> str:
    """A close reason in few words: autobahn's own are sentences about its internals."""
    return "the connection was lost" if not reason or "peer" in reason.lower() else reason


_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (ConnectionRefusedError, "nobody answers there"),
    (TimeoutError, "no answer"),
    (DNSLookupError, "there is no such host"),
    (NoRouteError, "there is no way to it"),
    (ConnectError, "the node cannot be reached"),
)


def unreachable(failure: Failure) -> Closing:
    """Why there is no connection."""
    found = (words for kind, words in _WORDS if failure.check(kind))
    return Closing(1006, next(found, "the node cannot be reached"))


def factory_for(url: str, listener: Listener, opened: "Deferred[Wire]", clock: IReactorTime) -> Any:
    """A factory for one connection, with the limits of the protocol."""
    factory = WebSocketClientFactory(url, protocols=[SUBPROTOCOL], useragent=None, reactor=clock)
    factory._batched_timer = Timeouts(clock)
    factory.setProtocolOptions(
        maxFramePayloadSize=MAX_FRAME,
        maxMessagePayloadSize=MAX_FRAME,
        openHandshakeTimeout=CONNECT_TIMEOUT,
        closeHandshakeTimeout=CLOSE_TIMEOUT,
        serverConnectionDropTimeout=0,  # autobahn's would be on the global reactor: see onCloseFrame
        autoPingInterval=PING_INTERVAL,
        autoPingTimeout=PING_INTERVAL,
        autoPingRestartOnAnyTraffic=True,
        tcpNoDelay=True,
        perMessageCompressionOffers=[],
    )

    def build() -> NodeConnection:
        protocol = NodeConnection()
        protocol.listener, protocol.opened = listener, opened
        return protocol

    factory.protocol = build
    return factory


def dialer(
    reactor: Any, node: Node, ca: bytes | None = None, endpoint: IStreamClientEndpoint | None = None
) -> Dial:
    """Opens connections to `node`, verified against the public roots, or against the PEM `ca` alone."""
    tls = tls_for(node, ca)
    target = endpoint or HostnameEndpoint(reactor, node.host, node.port, timeout=CONNECT_TIMEOUT)
    url = f"wss://{node}{WEBSOCKET_PATH}"

    def dial(listener: Listener) -> "Deferred[Wire]":
        opened: Deferred[Wire] = Deferred()
        factory = factory_for(url, listener, opened, reactor)

        def failed(failure: Failure) -> None:
            opened.errback(Disconnected(unreachable(failure)))

        target.connect(TLSMemoryBIOFactory(tls, True, factory, reactor)).addErrback(failed)
        return opened

    return dial
