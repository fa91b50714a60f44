"""Frames and requests that no client should send: each gets a coded error or a close with a reason.

All of them go to one node, whose memory stays bounded, and on which a well-behaved pair chats meanwhile.
"""

import json
import struct
from collections.abc import Iterable
from typing import Any

from tests.e2e.abuse import AbuseTestCase
from tests.e2e.people import connect, resume
from tests.e2e.wire import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    UPGRADE,
    Ended,
    RawClient,
    frame,
)

FRAME = 65_536


def request(method: str = "device.list", **members: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, **members}).encode()


def call(method: str, params: str) -> bytes:
    """A request whose parameters are written out, so that they may be no JSON at all."""
    return b'{"jsonrpc":"2.0","id":1,"method":"%b","params":%b}' % (method.encode(), params.encode())


def sending(**members: Any) -> bytes:
    good = {"chat": "!" + "a" * 26, "client_id": "1", "body": {"kind": "text", "text": "hi"}}
    return request("chat.send", params={**good, **members})


PAYLOADS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "parse_error"),
    "white space": (b"   ", "parse_error"),
    "no JSON": (b"{'jsonrpc': '2.0'}", "parse_error"),
    "half of it": (request()[:-1], "parse_error"),
    "two of it": (request() * 2, "parse_error"),
    "a byte order mark": (b"\xef\xbb\xbf" + request(), "parse_error"),
    "a NUL": (b"\0" + request(), "parse_error"),
    "NaN": (call("chat.history", '{"limit": NaN}'), "parse_error"),
    "Infinity": (call("chat.history", '{"limit": -Infinity}'), "parse_error"),
    "1e400": (call("chat.history", '{"limit": 1e400}'), "invalid_params"),
    "a huge integer": (call("chat.history", '{"limit":' + "9" * 5000 + "}"), "invalid_params"),
    "a huge id": (b'{"jsonrpc":"2.0","id":%b,"method":"device.list"}' % (b"9" * 5000), "invalid_request"),
    "a number of 60,000 digits": (b"1" * 60_000, "invalid_request"),
    "half a surrogate": (sending(body={"kind": "text", "text": "\ud800"}), "parse_error"),
    "nested arrays": (b"[" * 30_000 + b"]" * 30_000, "invalid_request"),
    "nested parameters": (call("chat.send", '{"a":' * 10_000 + "1" + "}" * 10_000), "parse_error"),
    "nested in a field": (sending(body=json.loads("[" * 900 + "]" * 900)), "invalid_params"),
    "an array": (b"[]", "invalid_request"),
    "a batch": (b"[" + request() + b"]", "invalid_request"),
    "a number": (b"1", "invalid_request"),
    "null": (b"null", "invalid_request"),
    "no method": (b'{"jsonrpc":"2.0","id":1}', "invalid_request"),
    "no version": (b'{"id":1,"method":"device.list"}', "invalid_request"),
    "another version": (request(jsonrpc="1.0"), "invalid_request"),
    "a fraction for an id": (request(id=1.5), "invalid_request"),
    "an object for an id": (request(id={}), "invalid_request"),
    "true for an id": (request(id=True), "invalid_request"),
    "a long text for an id": (request(id="x" * 65), "invalid_request"),
    "a number for a method": (b'{"jsonrpc":"2.0","id":1,"method":1}', "invalid_request"),
    "an unknown member": (request(extra=1), "invalid_request"),
    "an unknown method": (request("no.such.method"), "method_not_found"),
    "an event for a method": (request("chat.message"), "method_not_found"),
    "a method in capitals": (request("Device.List"), "method_not_found"),
    "an array of parameters": (request("chat.send", params=[1, 2]), "invalid_params"),
    "no parameters": (request("chat.send"), "invalid_request"),
    "an unknown parameter": (sending(extra=1), "invalid_params"),
    "a number for a text": (sending(client_id=1), "invalid_params"),
    "a text for a body": (sending(body="hi"), "invalid_params"),
    "a body of another kind": (sending(body={"kind": "picture", "text": "hi"}), "invalid_params"),
    "a body of the node's": (
        sending(body={"kind": "login_alert", "device": "D" + "a" * 16, "name": "x", "system": "x", "at": 1}),
        "invalid_params",
    ),
    "an empty text": (sending(body={"kind": "text", "text": ""}), "invalid_params"),
    "a long text": (sending(body={"kind": "text", "text": "x" * 8193}), "invalid_params"),
    "a chat of no form": (sending(chat="!" + "A" * 26), "invalid_params"),
    "a chat with a line end": (sending(chat="!" + "a" * 26 + "\n"), "invalid_params"),
    "a cursor of no form": (request("session.ack", params={"cursor": "x"}), "invalid_params"),
    "a cursor of one's own": (request("session.ack", params={"cursor": "A" * 22}), "invalid_cursor"),
    "a page of nothing": (
        request("chat.history", params={"chat": "!" + "a" * 26, "limit": 0}),
        "invalid_params",
    ),
    "a chat of others": (sending(), "not_a_contact"),
    "an account of others": (
        request("profile.get", params={"account": "@" + "a" * 26 + ":localhost"}),
        "not_found",
    ),
}
"""What a session sends, in one text frame each, and the code of the error that answers."""

WRONG_STATE: dict[str, tuple[bool, bytes, str]] = {
    "writing before a login": (False, sending(), "not_authenticated"),
    "listing before a login": (False, request(), "not_authenticated"),
    "acknowledging before a login": (
        False,
        request("session.ack", params={"cursor": "A" * 22}),
        "not_authenticated",
    ),
    "a token of one's own": (
        False,
        request("session.resume", params={"token": "D" + "a" * 16 + "." + "A" * 43}),
        "bad_token",
    ),
    "a token of no form": (False, request("session.resume", params={"token": "x" * 30}), "bad_token"),
    "logging in again": (
        True,
        request(
            "session.login", params={"username": "x", "password": "x", "device": {"name": "x", "system": "x"}}
        ),
        "wrong_state",
    ),
    "signing up again": (
        True,
        request(
            "account.register",
            params={"username": "x", "password": "x", "device": {"name": "x", "system": "x"}},
        ),
        "wrong_state",
    ),
    "resuming again": (True, request("session.resume", params={"token": "x" * 30}), "wrong_state"),
}
"""Whether there is a session, what is sent, and the code of the error that answers."""


def _close(code: int, reason: bytes = b"") -> bytes:
    return frame(struct.pack(">H", code) + reason, CLOSE)


FRAMES: dict[str, tuple[bytes, int]] = {
    "64 KiB + 1": (frame(b" " * (FRAME + 1)), 1009),
    "the header of 2^63 - 1 octets": (frame(b"", length=2**63 - 1), 1009),
    "the header of 2^63 octets": (frame(b"", length=2**63), 1002),
    "64 KiB + 1 in fragments": (
        frame(b" " * FRAME, final=False) + frame(b" ", CONTINUATION),
        1009,
    ),
    "300 empty fragments": (
        frame(b"", final=False) + frame(b"", CONTINUATION, final=False) * 300,
        1009,
    ),
    "binary": (frame(request(), BINARY), 1003),
    "a continuation of nothing": (frame(request(), CONTINUATION), 1002),
    "a text within a text": (frame(b"{", final=False) + frame(request()), 1002),
    "unmasked": (frame(request(), masked=False), 1002),
    "unmasked ping": (frame(b"", PING, masked=False), 1002),
    "reserved bit 1": (frame(request(), reserved=4), 1002),
    "reserved bit 2": (frame(request(), reserved=2), 1002),
    "reserved bit 3": (frame(request(), reserved=1), 1002),
    **{f"opcode {opcode}": (frame(b"", opcode), 1002) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "a ping in fragments": (frame(b"", PING, final=False), 1002),
    "a ping of 126 octets": (frame(b"x" * 126, PING), 1002),
    "a length written too long": (b"\x81\xfe\x00\x05" + b"\0\0\0\0" + b"12345", 1002),
    "a length written much too long": (b"\x81\xff" + bytes(7) + b"\x05" + b"\0\0\0\0" + b"12345", 1002),
    "invalid UTF-8": (frame(b'"\xff"'), 1007),
    "an overlong UTF-8 form": (frame(b'"\xc0\xaf"'), 1007),
    "a surrogate in UTF-8": (frame(b'"\xed\xa0\x80"'), 1007),
    "invalid UTF-8 across fragments": (frame(b'"\xe2\x82', final=False) + frame(b'"', CONTINUATION), 1007),
    "UTF-8 that ends too early": (frame(b'"\xe2\x82'), 1007),
    "a close of one octet": (frame(b"\x03", CLOSE), 1002),
    "a close with invalid UTF-8": (_close(1000, b"\xff"), 1007),
    "a close of 126 octets": (_close(1000, b"x" * 124), 1002),
    **{
        f"a close with code {code}": (_close(code), 1002)
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    },
    **{f"a close with code {code}": (_close(code), code) for code in (1000, 1001, 3000, 4999)},
}
"""What is sent after the handshake, and the code that the node closes the connection with."""


class MalformedFrameTests(AbuseTestCase):
    """Every frame is sent to a session and, where that makes sense, before there is one."""

    def test_payloads(self) -> None:
        """A coded error, with the id of the request as far as it could be read; the session goes on."""
        for name, (payload, code) in PAYLOADS.items():
            with resume(self.node, self.person) as client:
                self._refused(client, frame(payload), code, name)
                # In three fragments, with a ping between them: the same.
                third = len(payload) // 3
                self._refused(
                    client,
                    frame(payload[:third], final=False)
                    + frame(b"here?", PING)
                    + frame(payload[third : 2 * third], CONTINUATION, final=False)
                    + frame(payload[2 * third :], CONTINUATION),
                    code,
                    f"{name}, in fragments",
                )
                self.assertTrue(client.call("device.list")["devices"], name)

    def _refused(self, client: RawClient, octets: bytes, code: str, name: str) -> None:
        client.wire.send(octets)
        answer = client.read()
        self.assertIn("error", answer, name)
        problem = answer["error"]["data"]
        self.assertTrue(problem["title"] and problem["type"] and problem["status"], name)
        self.assertIsInstance(answer["error"]["code"], int)
        self.assertEqual(problem["code"], code, name)

    def test_wrong_state(self) -> None:
        """A coded error, and the session goes on."""
        for name, (opened, payload, code) in WRONG_STATE.items():
            with resume(self.node, self.person) if opened else connect(self.node) as client:
                self._refused(client, frame(payload), code, name)
                if opened:
                    self.assertTrue(client.call("device.list")["devices"], name)

    def test_two_at_once(self) -> None:
        """A second login while the first is under way is refused; the first is not."""
        with connect(self.node) as client:
            token = {"token": self.person.token}
            both = frame(request("session.resume", params=token, id=1))
            client.wire.send(both + frame(request("session.resume", params=token, id=2)))
            answers = {answer["id"]: answer for answer in (client.read(), client.read())}
            self.assertEqual(answers[2]["error"]["data"]["code"], "wrong_state")
            self.assertEqual(answers[1]["result"]["account"], self.person.account)

    def test_frames(self) -> None:
        """A close with the code that RFC 6455 has for it; and a reason, where it was the node's decision."""
        for opened in (True, False):
            for name, (octets, code) in FRAMES.items():
                with resume(self.node, self.person) if opened else connect(self.node) as client:
                    ended = self._ended(client, octets, name)
                    self.assertEqual(ended.code, code, f"{name}: {ended}")
                    if not name.startswith("a close with code"):
                        self.assertTrue(ended.reason, name)

    def test_in_pieces(self) -> None:
        """Octet by octet it is all the same."""
        for name in ("invalid UTF-8", "unmasked", "opcode 3", "a close of one octet", "binary"):
            octets, code = FRAMES[name]
            with resume(self.node, self.person) as client:
                ended = self._ended(client, (octets[at : at + 1] for at in range(len(octets))), name)
                self.assertEqual(ended.code, code, name)

    def _ended(self, client: RawClient, octets: bytes | Iterable[bytes], name: str) -> Ended:
        try:
            for piece in [octets] if isinstance(octets, bytes) else octets:
                client.wire.send(piece)
            while True:
                answer = client.read()
                self.assertNotIn("result", answer, name)
        except Ended as ended:
            return ended
        except ConnectionError:
            raise AssertionError(f"{name}: cut off without a word") from None

    def test_many(self) -> None:
        """Whoever sends nothing but malformed frames is closed before long."""
        with resume(self.node, self.person) as client:
            ended = self._ended(client, frame(b"{") * 50, "50 times")
            self.assertEqual((ended.code, ended.reason), (1008, "too many malformed frames"))

    def test_allowed(self) -> None:
        """What is unusual, and right: fragments, control frames between them, a text of exactly 64 KiB."""
        with resume(self.node, self.person) as client:
            whole = request(params={})
            pieces = [frame(whole[:1], TEXT, final=False)]
            pieces += [
                frame(whole[at : at + 1], CONTINUATION, final=False) + frame(b"", PONG)
                for at in range(1, len(whole))
            ]
            client.wire.send(b"".join([*pieces, frame(b"", CONTINUATION)]))
            self.assertIn("result", client.read())
            client.wire.send(frame(whole.ljust(FRAME)))
            self.assertIn("result", client.read())
            client.wire.send(frame(b"echo", PING))
            self.assertEqual(client.read_frame(), (PONG, b"echo"))


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
    """Requests that are no proper ones, on the port that is for both WebSocket and HTTP."""

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
