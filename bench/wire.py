"""WebSocket over TLS as a load generator wants it: non-blocking, few calls, no parsing beyond lengths."""

import os
import socket
import ssl
import types
from collections import deque
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from bench.failure import Failure
from bench.framing import CLOSE, PING, PONG, Spans, frame, split

if TYPE_CHECKING:
    from bench.loop import Loop, Task

OnFrames = Callable[[bytes, Spans], None]

READ = 1 << 18
GOODBYE = b"\x03\xe8"  # close code 1000

_UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Protocol: {subprotocol}\r\n\r\n"
)


class Line:
    """One connection. Whole text frames go to `on_frames`, all that came together in one call."""

    def __init__(self, loop: "Loop", port: int, tls: ssl.SSLContext) -> None:
        self._loop = loop
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = tls.wrap_bio(self._incoming, self._outgoing, server_hostname="localhost")
        self._partial = b""
        self._unsent = b""
        self._ended = False
        self.inbox: deque[bytes] = deque()
        self.on_frames: OnFrames = self._keep
        self.waiter: Task | None = None
        loop.add(self._socket.fileno(), self)

    # --- coroutines: set-up, where speed matters less than being readable -------------------------------

    async def open(self, path: str, subprotocol: str) -> None:
        """Shake hands: TLS, then WebSocket. Raises `Failure` where either is refused."""
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
                if self._ended:
                    raise Failure("the connection ended in the TLS handshake") from None
                await self._readable()
        self.send(_UPGRADE.format(path=path, subprotocol=subprotocol).encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._decrypted()
            if b"\r\n\r\n" not in answer:
                if self._ended:
                    raise Failure(f"no WebSocket at {path}: {answer[:200]!r}")
                await self._readable()
        head, _, self._partial = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            raise Failure(f"no WebSocket at {path}: {head[:200]!r}")
        self._take(b"")

    async def message(self) -> bytes:
        """The next text message; raises `Failure` when the connection ends instead."""
        while not self.inbox:
            if self._ended:
                raise Failure("the connection ended while an answer was awaited")
            await self._readable()
            self._take(self._decrypted())
        return self.inbox.popleft()

    async def close(self) -> None:
        """The closing handshake, whole."""
        self.send(frame(GOODBYE, CLOSE))
        while not self._ended:
            await self._readable()
            self._decrypted()
        self.drop()

    @types.coroutine
    def _readable(self) -> Generator["Line", None, None]:
        yield self

    # --- the hot path ---------------------------------------------------------------------------------

    def ready(self, writable: bool) -> None:
        """The socket can be read (or written, where that had been waited for)."""
        if writable:
            self._write(b"")
        if self.waiter is not None:
            waiter, self.waiter = self.waiter, None
            self._fill()
            waiter.step()
        else:
            self._fill()
            self._take(self._decrypted())
            if self._ended:
                raise Failure("the connection ended in the middle of a measurement")

    def send(self, data: bytes) -> None:
        """Encrypt and send whole frames."""
        self._tls.write(data)
        self._write(self._outgoing.read())

    def drop(self) -> None:
        """Let go of the socket."""
        self._loop.remove(self._socket.fileno())
        self._socket.close()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._write(self._outgoing.read())

    def _write(self, data: bytes) -> None:
        if self._unsent:
            data = self._unsent + data
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise Failure(f"cannot send: {os.strerror(error.errno or 0)}") from None
        had, self._unsent = bool(self._unsent), data[sent:]
        if had != bool(self._unsent):
            self._loop.watch(self._socket.fileno(), writable=bool(self._unsent))

    def _fill(self) -> None:
        try:
            data = self._socket.recv(READ)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if data:
            self._incoming.write(data)
        else:
            self._ended = True

    def _decrypted(self) -> bytes:
        parts = []
        try:
            # Reading once more than there is would cost an exception each time.
            while self._incoming.pending or self._tls.pending():
                part = self._tls.read(READ)
                if not part:
                    self._ended = True
                    break
                parts.append(part)
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError) as end:
            self._ended |= isinstance(end, ssl.SSLZeroReturnError)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _take(self, data: bytes) -> None:
        if self._partial:
            data = self._partial + data
        spans, others, end = split(data)
        self._partial = data[end:]
        if others:
            for first, payload in others:
                self._control(first, payload)
        if spans:
            self.on_frames(data, spans)

    def _control(self, first: int, payload: bytes) -> None:
        if first == PING:
            self.send(frame(payload, PONG))
        elif first == CLOSE:
            raise Failure(f"closed by the peer: {int.from_bytes(payload[:2], 'big')} {payload[2:].decode()}")
        elif first != PONG:
            raise Failure(f"a frame that begins with {first:#x}")

    def _keep(self, data: bytes, spans: Spans) -> None:
        self.inbox.extend(data[start:end] for start, end in spans)
