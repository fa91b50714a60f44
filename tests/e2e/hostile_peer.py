"""A node of the tests' own over real sockets: it signs properly, and answers as a test wants it to."""

import http.client
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from federation.signatures import new_nonce, sign_request
from safeum_home.protocol.federation.keys import write_document
from safeum_home.protocol.http import NODE_KEYS_PATH
from tests.certificates import Authority
from tests.federation import signer

MOST_SENT = 64 * 1024 * 1024
"""Octets of an answer without end, after which this is given up: it should have been long before."""


class HostilePeer:
    """`localhost:PORT`. What it does with requests is its `manner`; `asked` counts them, by method."""

    def __init__(self, authority: Authority) -> None:
        self._folder = TemporaryDirectory(prefix="safeum-hostile-")
        certificate = Path(self._folder.name, "certificate.pem")
        certificate.write_bytes(b"".join(authority.issue("localhost")))
        self.manner: Callable[[Handler, int], None] = good
        self.asked: Counter[str] = Counter()
        self.sent = 0
        """Octets of the longest answer that was taken of it."""
        self.ended = threading.Event()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.peer = self  # type: ignore[attr-defined]
        self._server.socket = tls.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.port = int(self._server.server_address[1])
        self.name = f"localhost:{self.port}"
        self.signer = signer(7)
        self._trust = ssl.create_default_context(cadata=authority.pem.decode())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._folder.cleanup()

    def document(self, name: str | None = None) -> bytes:
        """The keys that it publishes, as those of `name`."""
        valid = int(time.time() * 1000) + 86_400_000
        return write_document(name or self.name, valid, {"ed25519:7": self.signer}, {})

    def connect(self, port: int) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("localhost", port, timeout=30, context=self._trust)

    def ask(
        self, connection: http.client.HTTPSConnection, to: str, method: str, path: str, body: bytes
    ) -> tuple[int, bytes]:
        """The status and body that a signed request is answered with."""
        fields = sign_request(
            method,
            path,
            body,
            origin=self.name,
            destination=to,
            key_id="ed25519:7",
            signer=self.signer,
            created=int(time.time()),
            nonce=new_nonce(),
        )
        connection.request(method, path, body, fields)
        answer = connection.getresponse()
        return answer.status, answer.read()


class Handler(BaseHTTPRequestHandler):
    """One request after the other, on a connection."""

    protocol_version = "HTTP/1.1"

    @property
    def peer(self) -> HostilePeer:
        peer: HostilePeer = self.server.peer  # type: ignore[attr-defined]
        return peer

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.peer.asked[self.command] += 1
        try:
            self.peer.manner(self, len(body))
        except OSError:
            self.close_connection = True

    do_GET = do_PUT = do_POST = _any

    def answer(self, body: bytes, status: int = 200, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing is written."""


# --- manners


def good(handler: Handler, _length: int) -> None:
    """As a node should, though it keeps nothing."""
    if handler.path == NODE_KEYS_PATH:
        handler.answer(handler.peer.document())
    elif handler.command == "PUT":
        number = int(handler.path.rpartition("/")[2])
        handler.answer(msgspec.json.encode({"received": number, "refused": []}))
    else:
        handler.answer(b"{}")


def silent(handler: Handler, _length: int) -> None:
    """It takes all, and never answers."""
    handler.peer.ended.wait(60)


def endless(handler: Handler, _length: int) -> None:
    """An answer that does not end."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(1 << 40))
    handler.end_headers()
    sent = 0
    try:
        while sent < MOST_SENT:
            handler.wfile.write(b" " * 65536)
            sent += 65536
    finally:
        handler.peer.sent = max(handler.peer.sent, sent)
    handler.close_connection = True


def dripping(handler: Handler, _length: int) -> None:
    """An octet now and then."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    while not handler.peer.ended.wait(0.1):
        handler.wfile.write(b" ")


def garbage(handler: Handler, _length: int) -> None:
    """All is well, it says, and nothing that anybody could read."""
    handler.answer(b"\xff<html>" * 1000)


def lying(handler: Handler, _length: int) -> None:
    """It has received what it was not sent, and has another's keys."""
    if handler.path == NODE_KEYS_PATH:
        handler.answer(handler.peer.document("localhost:1"))
    else:
        handler.answer(b'{"received":999999,"refused":[{"index":4096,"code":"x"}]}')


def rewinding(handler: Handler, _length: int) -> None:
    """Each number was there before."""
    problem = {"type": "about:blank", "title": "", "status": 409, "code": "stale_stream"}
    handler.answer(msgspec.json.encode(problem), 409)


def hanging_up(handler: Handler, _length: int) -> None:
    """Half an answer."""
    handler.answer(b'{"received"', length=1000)
    handler.close_connection = True
