"""Requests that are no proper ones, on the port that is for both WebSocket and HTTP."""

import json

from tests.e2e.abuse import AbuseTestCase
from tests.e2e.malformed import request
from tests.e2e.wire import UPGRADE, frame

REQUESTS: dict[str, tuple[str, int]] = {
    "no Host": (UPGRADE.replace("Host: localhost\r\n", ""), 400),
    "a Host of no form": (UPGRADE.replace("Host: localhost", "Host: a:b:c"), 400),
    "two Hosts": (UPGRADE.replace("Host: localhost", "Host: localhost\r\nHost: localhost"), 400),
    "no Upgrade": (UPGRADE.replace("Upgrade: websocket\r\n", ""), 426),
    "another Upgrade": (UPGRADE.replace("Upgrade: websocket", "Upgrade: h2c"), 400),
    "no Connection": (UPGRADE.replace("Connection: Upgrade\r\n", ""), 400),
    "another Connection": (UPGRADE.replace("Connection: Upgrade", "Connection: keep-alive"), 400),
    "no key": (UPGRADE.replace("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""), 400),
    "a short key": (UPGRADE.replace("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ="), 400),
    "version 8": (UPGRADE.replace("Version: 13", "Version: 8"), 400),
    "no version": (UPGRADE.replace("Sec-WebSocket-Version: 13\r\n", ""), 400),
    "another subprotocol": (UPGRADE.replace("safeum.v1.json", "chat"), 400),
    "no subprotocol": (UPGRADE.replace("Sec-WebSocket-Protocol: safeum.v1.json\r\n", ""), 400),
    "POST": (UPGRADE.replace("GET", "POST"), 404),
    "HTTP/1.0": (UPGRADE.replace("HTTP/1.1", "HTTP/1.0"), 505),
    "another origin": (UPGRADE[:-2] + "Origin: https://evil.example\r\n\r\n", 403),
    "another path": (UPGRADE.replace("/v1/ws", "/v1/wsx"), 404),
    "another case": (UPGRADE.replace("/v1/ws", "/V1/WS"), 404),
    "HTTP/2's preface": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "no HTTP": ("what is this\r\n\r\n", 400),
    "a method of no form": ("G(T /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    "a method that is not there": ("BREW /health HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
    "two lengths": (
        "POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        400,
    ),
    "a length and chunks": (
        "POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "a negative length": ("POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
    "a huge length": (
        f"POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: {10**30}\r\n\r\n",
        413,
    ),
    "a path upwards": ("GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    "a path in codes": ("GET /%2e%2e/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    "a long path": (f"GET /{'x' * 20_000} HTTP/1.1\r\nHost: localhost\r\n\r\n", 431),
    "a long field": (f"GET /health HTTP/1.1\r\nHost: localhost\r\nX: {'x' * 20_000}\r\n\r\n", 431),
    "many fields": ("GET /health HTTP/1.1\r\nHost: localhost\r\n" + "X: x\r\n" * 3000 + "\r\n", 431),
}
"""What is sent over TLS, and the status of the answer."""


class MalformedRequestTests(AbuseTestCase):
    """Each is answered with a problem document, or in its turn."""

    def test_requests(self) -> None:
        """A problem document, with none of the server's names."""
        for name, (octets, status) in REQUESTS.items():
            with self.node.connect() as wire:
                wire.send(octets.encode())
                answered, head, body = wire.read_response()
                self.assertEqual(answered, status, f"{name}: {head}")
                self.assertIn("application/problem+json", head, name)
                self.assertTrue(json.loads(body)["code"], name)
                self.assertNotIn("server:", head.lower(), name)

    def test_pipelining(self) -> None:
        """Answers come in the order of the requests, also where the last one is no request."""
        ask = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
        with self.node.connect() as wire:
            wire.send(ask * 200 + ask.replace(b"health", b"nothing") + b"what is this\r\n\r\n")
            answers = [wire.read_response()[0] for _ in range(202)]
            self.assertEqual(answers, [200] * 200 + [404, 400])
            self.assertEqual(wire.drained(), b"")

    def test_pipelined_upgrade(self) -> None:
        """The port changes its protocol for the first request only; behind another there is no WebSocket."""
        with self.node.connect() as wire:
            wire.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" + UPGRADE.encode())
            self.assertEqual(wire.read_response()[0], 200)
            self.assertEqual(wire.read_response()[0], 404)

    def test_frames_behind_the_handshake(self) -> None:
        """What a client sends without waiting for the answer is taken."""
        with self.node.connect() as wire:
            wire.send(UPGRADE.encode() + frame(request()))
            self.assertIn("101", wire.read_head())
            first, size = wire.read(2)
            self.assertEqual(first, 0x81)
            self.assertEqual(size, 126)
            answer = json.loads(wire.read(int.from_bytes(wire.read(2), "big")))
            self.assertEqual(answer["error"]["data"]["code"], "not_authenticated")
