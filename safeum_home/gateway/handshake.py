"""The opening handshake of RFC 6455, section 4.2, for requests with nothing unusual about them."""

import re
from base64 import b64encode
from hashlib import sha1

from safeum_home.protocol import SUBPROTOCOL, WEBSOCKET_PATH

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_REQUEST_LINE = b"GET " + WEBSOCKET_PATH.encode() + b" HTTP/1.1"
_ODD = re.compile(rb"[^\x20-\x7e\t\r\n]|\r(?!\n)|(?<!\r)\n")
_KEY = re.compile(rb"[A-Za-z0-9+/]{22}==")


def _tokens(value: bytes) -> list[bytes]:
    return [token.strip(b" \t") for token in value.split(b",")]


def accept(head: bytes, origins: frozenset[bytes]) -> bytes | None:
    """The answer (101) to a request head that ends with an empty line.

    None for whatever is not plainly right: autobahn looks at that again and finds the words for it.
    Extensions are optional to both sides (section 9.1), and none is taken.
    """
    lines = head[:-4].split(b"\r\n")
    if lines[0] != _REQUEST_LINE or _ODD.search(head):
        return None
    fields: dict[bytes, bytes] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        name = name.lower()
        if not colon or not name or b" " in name or b"\t" in name or name in fields:
            return None
        fields[name] = value.strip(b" \t")
    field = fields.get
    key = field(b"sec-websocket-key", b"")
    protocols = _tokens(field(b"sec-websocket-protocol", b""))
    origin = field(b"origin")
    plain = (
        field(b"upgrade", b"").lower() == b"websocket"
        and b"upgrade" in _tokens(field(b"connection", b"").lower())
        and field(b"sec-websocket-version") == b"13"
        and SUBPROTOCOL.encode() in protocols
        and len(set(protocols)) == len(protocols)
        and (origin is None or origin in origins)
        and _plain_host(field(b"host", b""))
        and _KEY.fullmatch(key)
    )
    return _switching(key) if plain else None


def _plain_host(host: bytes) -> bool:
    name, colon, port = host.rpartition(b":")
    return bool(name and port.isdigit()) if colon and not host.endswith(b"]") else bool(host)


def _switching(key: bytes) -> bytes:
    # SHA-1 as RFC 6455 prescribes it: it guards against confusion, not against forgery.
    digest = b64encode(sha1(key + _GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Protocol: %b\r\nSec-WebSocket-Accept: %b\r\n\r\n" % (SUBPROTOCOL.encode(), digest)
    )
