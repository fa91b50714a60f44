"""What no client should send to a session, and what it is answered with."""

import json
import struct
from typing import Any

from tests.e2e.wire import BINARY, CLOSE, CONTINUATION, PING, frame

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
    "a body without a kind": (sending(body={"text": "hi"}), "invalid_params"),
    "a kind in capitals": (sending(body={"kind": "Picture", "text": "hi"}), "invalid_params"),
    "a kind of the node's to come": (sending(body={"kind": "node.notice"}), "invalid_params"),
    "a carried body that is too large": (sending(body={"kind": "a", "b": "x" * 16384}), "invalid_params"),
    "a carried body that is too deep": (
        sending(body={"kind": "a", "b": [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}),
        "invalid_params",
    ),
    "a carried number beyond 2^53": (sending(body={"kind": "a", "b": 2**53}), "invalid_params"),
    "a carried fraction": (sending(body={"kind": "a", "b": 0.5}), "invalid_params"),
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
