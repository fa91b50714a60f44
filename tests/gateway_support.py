"""A client's connection in memory: what a session received, and what left for the client."""

from collections.abc import Callable, Iterable
from typing import Any

from autobahn.websocket.protocol import WebSocketProtocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from safeum_home.gateway.lean import LeanWebSocket
from safeum_home.gateway.limits import EdgeLimits
from safeum_home.gateway.websocket import ClientWebSocket, ClientWebSocketFactory
from safeum_home.ports import ClientConnection

MASK = b"\x37\xfa\x21\x3d"
OPEN, CLOSING, CLOSED = (
    WebSocketProtocol.STATE_OPEN,
    WebSocketProtocol.STATE_CLOSING,
    WebSocketProtocol.STATE_CLOSED,
)


def frame(payload: bytes, first: int = 0x81, mask: bytes = MASK, size_octets: int | None = None) -> bytes:
    """A masked frame as a client sends it; `size_octets` forces a longer form of the length."""
    size = len(payload)
    if size_octets is None:
        size_octets = 0 if size < 126 else 2 if size < 65536 else 8
    length = {
        0: lambda: bytes([0x80 | size]),
        2: lambda: b"\xfe" + size.to_bytes(2, "big"),
        8: lambda: b"\xff" + size.to_bytes(8, "big"),
    }[size_octets]()
    masked = bytes(octet ^ mask[i % 4] for i, octet in enumerate(payload))
    return bytes([first]) + length + mask + masked


def request(path: bytes = b"/v1/ws", **fields: bytes | None) -> bytes:
    """The head of an opening handshake; `fields` replace or (None) drop header fields."""
    head: dict[str, bytes | None] = {
        "Host": b"node.example",
        "Upgrade": b"websocket",
        "Connection": b"keep-alive, Upgrade",
        "Sec_WebSocket_Version": b"13",
        "Sec_WebSocket_Key": b"dGhlIHNhbXBsZSBub25jZQ==",
        "Sec_WebSocket_Protocol": b"safeum.v1.json",
    }
    head.update(fields)
    lines = [b"GET " + path + b" HTTP/1.1"]
    lines += [name.replace("_", "-").encode() + b": " + value for name, value in head.items() if value]
    return b"\r\n".join([*lines, b"", b""])


class Session:
    """A handler that remembers, and does as a test wants on each message."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.events: list[Any] = []
        self.on_received: Callable[[Session, bytes], object] = lambda session, payload: None

    @property
    def payloads(self) -> list[bytes]:
        return [event for event in self.events if isinstance(event, bytes)]

    def received(self, payload: bytes) -> None:
        self.events.append(payload)
        self.on_received(self, payload)

    def paused(self) -> None:
        self.events.append("paused")

    def resumed(self) -> None:
        self.events.append("resumed")

    def closed(self) -> None:
        self.events.append("closed")


class StockWebSocket(ClientWebSocket):
    """The same connection with every frame on autobahn's own path."""

    consumeData = LeanWebSocket.consumeData


class Peer:
    """One connection with its transport, clock and session."""

    session: Session

    def __init__(
        self,
        protocol: type[ClientWebSocket] = ClientWebSocket,
        limits: EdgeLimits | None = None,
        origins: Iterable[str] = (),
    ) -> None:
        self.clock = Clock()
        self.limits = limits or EdgeLimits()
        self.factory = ClientWebSocketFactory(
            self.clock, self.limits, self._new_session, origins, protocol=protocol
        )
        self.transport = StringTransport()
        self.websocket: Any = self.factory.buildProtocol(None)
        self.websocket.makeConnection(self.transport)

    def _new_session(self, connection: ClientConnection) -> Session:
        self.session = Session(connection)
        return self.session

    def open(self) -> "Peer":
        self.receive(request())
        self.sent()
        return self

    def receive(self, octets: bytes) -> None:
        """The transport delivers, and the turn ends."""
        self.websocket.dataReceived(octets)
        self.clock.advance(0)

    def sent(self) -> bytes:
        """What was written since the last time."""
        self.clock.advance(0)
        octets: bytes = self.transport.value()
        self.transport.clear()
        return octets

    @property
    def state(self) -> int:
        return int(self.websocket.state)
