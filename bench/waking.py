"""How soon the push provider of a device that sleeps hears of a message: a Web Push service, and when."""

import ssl
import threading
from array import array
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bench import people
from bench.certificate import self_signed
from bench.failure import Failure
from bench.flows import BODY
from bench.loop import Loop
from bench.meter import percentile
from bench.subjects import WIDTH, NodeSubject
from safeum_home.ids import direct_chat_id

SETTLED = 1.0
"""Seconds after which the node has noticed who is gone."""
PATIENCE = 10.0
_SETTINGS = """
[[push.providers]]
name = "web"
kind = "webpush"
[push.providers.settings]
contact = "mailto:bench@node.example"
networks = ["127.0.0.0/8", "::1/128"]
ca = "{ca}"
"""


class PushService:
    """Takes each wake, and keeps when it came; `more` is for a node's configuration."""

    def __init__(self, port: int, more: str) -> None:
        self.port, self.more = port, more
        self.came: dict[str, list[float]] = {}


@contextmanager
def push_service() -> Iterator[PushService]:
    """One over TLS on loopback, on threads of this process: their clock is the generator's."""
    key, certificate = self_signed()
    pem = certificate.public_bytes(Encoding.PEM)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with TemporaryDirectory(prefix="bench-") as name:
        ca, both = Path(name) / "ca.pem", Path(name) / "both.pem"
        ca.write_bytes(pem)
        both.write_bytes(pem + private)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(both)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                # In a connection's own thread: a handshake holds up nobody else.
                self.request = tls.wrap_socket(self.request, server_side=True)
                super().setup()

            def do_POST(self) -> None:
                service.came.setdefault(self.path, []).append(perf_counter())
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(201)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: Any) -> None:
                """Nothing is logged."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        service = PushService(server.server_address[1], _SETTINGS.format(ca=ca))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield service
        finally:
            server.shutdown()
            server.server_close()


def latencies(subject: NodeSubject, service: PushService, rate: float, warm_up: int) -> dict[str, Any]:
    """Person 0 writes once to each of the others, its contacts, who sleep; the first `warm_up` do not count.

    `p50_ms` is from sending the message to the wake at the service's socket: its commit is in between.
    """
    loop = Loop()
    loop.run((_fall_asleep(loop, subject, service, who) for who in range(1, len(subject.people))), WIDTH)
    sleep(SETTLED)
    if service.came:
        raise Failure(f"{len(service.came)} devices were woken before anything was written")
    sent, acknowledged = dict[str, float](), dict[str, float]()

    async def write() -> None:
        first, *others = subject.people
        line = await people.resume(loop, subject.target, first)
        begin = perf_counter()
        for who, other in enumerate(others, 1):
            _sleep_until(begin + who / rate)
            body = {"kind": "text", "text": "x" * BODY}
            about = {"chat": direct_chat_id(first.account, other.account), "client_id": f"wake{who}"}
            sent[_path(who)] = perf_counter()
            await people.call(line, "chat.send", {**about, "body": body})
            acknowledged[_path(who)] = perf_counter()
        await line.close()

    loop.run([write()], 1, patience=PATIENCE + len(subject.people) / rate)
    loop.close()
    _all_came(service, sent)
    counted = list(sent)[warm_up:]
    from_sending = array("d", (service.came[path][0] - sent[path] for path in counted))
    from_ack = array("d", (service.came[path][0] - acknowledged[path] for path in counted))
    return {
        "wakes": len(counted),
        "p50_ms": percentile(from_sending, 0.50),
        "p99_ms": percentile(from_sending, 0.99),
        "after_ack_p50_ms": percentile(from_ack, 0.50),
        "after_ack_p99_ms": percentile(from_ack, 0.99),
    }


def _sleep_until(moment: float) -> None:
    sleep(max(0.0, moment - perf_counter()))


def _path(who: int) -> str:
    return f"/wake/{who}"


async def _fall_asleep(loop: Loop, subject: NodeSubject, service: PushService, who: int) -> None:
    """Register a device, say that it holds all there is, and leave."""
    line = await people.connected(loop, subject.target)
    opened = await people.call(line, "session.resume", {"token": subject.people[who].token})
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    octets = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    keys = {"p256dh": _base64url(octets), "auth": _base64url(bytes(16))}
    token = f"https://localhost:{service.port}{_path(who)}"
    await people.call(line, "push.set", {"provider": "web", "token": token, "keys": keys})
    await people.call(line, "session.ack", {"cursor": opened["cursor"]})
    await line.close()


def _all_came(service: PushService, sent: dict[str, float]) -> None:
    deadline = perf_counter() + PATIENCE
    while len(service.came) < len(sent) and perf_counter() < deadline:
        sleep(0.01)
    if lost := len(sent) - len(service.came):
        raise Failure(f"{lost} of {len(sent)} wakes did not come")
    if twice := sum(len(times) > 1 for times in service.came.values()):
        raise Failure(f"{twice} of {len(sent)} wakes came twice")


def _base64url(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
