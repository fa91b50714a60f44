"""The WebSocket to Janus: autobahn, with its limits set. Time is kept by whoever uses it."""

from collections.abc import Callable
from typing import Any, Protocol

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol

from bridges.safenum.janus.messages import MOST_FRAME

SUBPROTOCOL = "janus-protocol"


class Wire(Protocol):
    """One connection, as those see it who speak over it."""

    def send(self, payload: bytes) -> None:
        """Write a message; into a connection that is closing it is lost."""

    def drop(self) -> None:
        """Cut it."""


class Speaker(Protocol):
    """Who speaks over a connection."""

    def opened(self) -> None: ...
    def received(self, payload: bytes) -> None: ...
    def closed(self) -> None:
        """It is gone; called once, also where it was never opened."""


class JanusSocket(WebSocketClientProtocol):  # type: ignore[misc]  # autobahn is untyped
    """Tells a speaker what comes."""

    speaker: Speaker

    def connectionMade(self) -> None:
        self.speaker = self.factory.speak(self)
        super().connectionMade()

    def onOpen(self) -> None:
        if self.websocket_protocol_in_use == SUBPROTOCOL:
            self.speaker.opened()
        else:
            self.drop()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.speaker.received(payload)

    def connectionLost(self, reason: Any = None) -> None:
        super().connectionLost(reason)
        self.speaker.closed()

    def send(self, payload: bytes) -> None:
        if self.state == self.STATE_OPEN:
            self.sendMessage(payload)

    def drop(self) -> None:
        # As autobahn's own `dropConnection`, without a line in the log.
        self.transport.abortConnection()


class JanusSockets(WebSocketClientFactory):  # type: ignore[misc]  # autobahn is untyped
    """Makes them. `speak` is called with each, and says who speaks over it."""

    protocol = JanusSocket
    noisy = False

    def __init__(self, reactor: Any, speak: Callable[[Wire], Speaker]) -> None:
        # The endpoint knows the way; the name is for the request line alone.
        super().__init__("ws://janus/", protocols=[SUBPROTOCOL], useragent=None, reactor=reactor)
        self.speak = speak
        self.setProtocolOptions(
            maxFramePayloadSize=MOST_FRAME,
            maxMessagePayloadSize=MOST_FRAME,
            # Autobahn's timers are on the global reactor.
            openHandshakeTimeout=0,
            closeHandshakeTimeout=0,
            serverConnectionDropTimeout=0,
            autoPingInterval=0,
            tcpNoDelay=True,
            perMessageCompressionOffers=[],
        )
