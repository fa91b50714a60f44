"""A client of the tests' own, from the socket up: blocking, and free to do what no client should."""

import itertools
import json
import os
import socket
import ssl
import struct
from collections import deque
from types import TracebackType
from typing import Any, Self

PATIENCE = 30.0
TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
UPGRADE = (
    "GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Protocol: safeum.v1.json\r\n\r\n"
)


class Ended(ConnectionError):
    """The other side ended the connection: with a close code and its reason, or just so."""

    def __init__(self, code: int | None = None, reason: str = "") -> None:
        super().__init__(f"closed: {code} {reason}")
        self.code = code
        self.reason = reason


class Refused(Exception):
    """An error that answered a command. `code` and `retry_after` are those of its problem details."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(str(error))
        self.code = str(error["data"]["code"])
        self.retry_after = error["data"].get("retry_after")


def plain_socket(
    port: int, source: str = "127.0.0.1", receive_buffer: int = 0, address: str = "127.0.0.1"
) -> socket.socket:
    """A TCP connection, by default to 127.0.0.1, from an address of the loopback network."""
    connection = socket.socket()
    connection.settimeout(PATIENCE)
    try:
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source != "127.0.0.1":
            connection.bind((source, 0))
        connection.connect((address, port))
    except BaseException:
        connection.close()
        raise
    return connection


class Wire:
    """Octets over TLS."""

    def __init__(
        self,
        port: int,
        tls: ssl.SSLContext,
        source: str = "127.0.0.1",
        receive_buffer: int = 0,
        address: str = "127.0.0.1",
        host: str = "localhost",
    ) -> None:
        connection = plain_socket(port, source, receive_buffer, address)
        try:
            self.socket = tls.wrap_socket(connection, server_hostname=host)
        except BaseException:
            connection.close()
            raise
        self._buffer = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go, without a farewell."""
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Raises `Ended`, or another ConnectionError."""
        try:
            self.socket.sendall(data)
        except ssl.SSLError:
            raise Ended from None

    def read(self, size: int) -> bytes:
        """Exactly `size` octets; raises `Ended`."""
        while len(self._buffer) < size:
            self._fill()
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def read_head(self) -> str:
        """Up to an empty line; raises `Ended`."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            self._fill()
        return self.read(end + 4).decode()

    def read_response(self) -> tuple[int, str, bytes]:
        """Status, header and body of an HTTP response."""
        head = self.read_head()
        length = next(
            (
                int(line.partition(":")[2])
                for line in head.lower().splitlines()
                if line.startswith("content-length:")
            ),
            0,
        )
        return int(head.split()[1]), head, self.read(length)

    def get(self, path: str) -> tuple[int, str, bytes]:
        """Ask for a resource."""
        self.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        return self.read_response()

    def drained(self) -> bytes:
        """All that comes until the other side ends the connection."""
        try:
            while True:
                self._fill()
        except ConnectionError:
            taken, self._buffer = bytes(self._buffer), bytearray()
            return taken

    def _fill(self) -> None:
        try:
            data = self.socket.recv(65536)
        except ssl.SSLError:
            data = b""
        if not data:
            raise Ended
        self._buffer += data


def frame(
    payload: bytes,
    opcode: int = TEXT,
    final: bool = True,
    masked: bool = True,
    reserved: int = 0,
    length: int | None = None,
) -> bytes:
    """A WebSocket frame as told, right or wrong: `length` is what it claims to hold."""
    size = len(payload) if length is None else length
    head = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
    bit = 0x80 if masked else 0
    if size < 126:
        head += bytes([bit | size])
    elif size < 65536:
        head += struct.pack(">BH", bit | 126, size)
    else:
        head += struct.pack(">BQ", bit | 127, size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    key = (mask * (len(payload) // 4 + 1))[: len(payload)]
    hidden = (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(len(payload), "big")
    return head + mask + hidden


class RawClient:
    """A WebSocket connection to a node, with JSON-RPC on it."""

    def __init__(self, wire: Wire, upgrade: str = UPGRADE) -> None:
        self.wire = wire
        self.events: deque[dict[str, Any]] = deque()
        self._numbers = itertools.count(1)
        wire.send(upgrade.encode())
        head = wire.read_head()
        if not head.startswith("HTTP/1.1 101"):
            raise AssertionError(head)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        self.wire.close()

    def send(self, **request: Any) -> None:
        """A JSON-RPC frame."""
        self.wire.send(frame(json.dumps({"jsonrpc": "2.0", **request}).encode()))

    def read(self) -> dict[str, Any]:
        """The next JSON-RPC frame; pings are answered. Raises `Ended`."""
        while True:
            opcode, payload = self.read_frame()
            if opcode == TEXT:
                decoded: dict[str, Any] = json.loads(payload)
                return decoded
            if opcode == PING:
                self.wire.send(frame(payload, PONG))

    def read_frame(self) -> tuple[int, bytes]:
        """The next frame, of whatever kind but CLOSE, which raises `Ended`."""
        first, second = self.wire.read(2)
        assert first & 0x70 == 0 and second & 0x80 == 0, "RFC 6455: a server's frame"
        size = second
        if size == 126:
            (size,) = struct.unpack(">H", self.wire.read(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self.wire.read(8))
        payload = self.wire.read(size)
        if first & 0xF == CLOSE:
            raise Ended(int.from_bytes(payload[:2], "big") if payload else None, payload[2:].decode())
        return first & 0xF, payload

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a command; events that come meanwhile are kept. Raises `Refused` and `Ended`."""
        number = next(self._numbers)
        self.send(id=number, method=method, params=params)
        while True:
            answer = self.read()
            if answer.get("id") != number:
                self.events.append(answer)
            elif "error" in answer:
                raise Refused(answer["error"])
            else:
                result: dict[str, Any] = answer["result"]
                return result

    def event(self, method: str) -> dict[str, Any]:
        """The parameters of the next event of this kind; others before it are dropped."""
        while True:
            event = self.events.popleft() if self.events else self.read()
            if event.get("method") == method:
                params: dict[str, Any] = event["params"]
                return params
