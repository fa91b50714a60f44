"""A push service and its subscribers, written from RFC 8030, 8188, 8291 and 8292."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from twisted.web.resource import Resource
from twisted.web.server import Request

from safeum_home.ports.push import PushAddress

DAY = 24 * 3600
URGENCIES = ("very-low", "low", "normal", "high")


def base64url(octets: bytes) -> str:
    """Without padding."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _mac(key: bytes, data: bytes) -> bytes:
    mac = hmac.HMAC(key, SHA256())
    mac.update(data)
    return mac.finalize()


class Subscriber:
    """A user agent: it has the keys that messages are encrypted for."""

    def __init__(self, private: int | None = None, secret: bytes = b"sixteen octets s") -> None:
        self._key = (
            ec.generate_private_key(ec.SECP256R1())
            if private is None
            else ec.derive_private_key(private, ec.SECP256R1())
        )
        self.secret = secret
        public = self._key.public_key()
        self.public = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def at(self, endpoint: str) -> PushAddress:
        """What its client registers."""
        return PushAddress(endpoint, key=self.public, secret=self.secret)

    def open(self, message: bytes) -> bytes:
        """The plaintext of a message for it: step by step as RFC 8291, section 3.4 has it."""
        salt, size, length = message[:16], int.from_bytes(message[16:20], "big"), message[20]
        sender, record = message[21 : 21 + length], message[21 + length :]
        assert length == 65 and 18 <= len(record) <= size, "not one record of a message"
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        combined = _mac(self.secret, self._key.exchange(ec.ECDH(), point))
        keying = _mac(combined, b"WebPush: info\x00" + self.public + sender + b"\x01")
        extracted = _mac(salt, keying)
        key = _mac(extracted, b"Content-Encoding: aes128gcm\x00\x01")[:16]
        nonce = _mac(extracted, b"Content-Encoding: nonce\x00\x01")[:12]
        plaintext = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\x00")
        assert plaintext.endswith(b"\x02"), "not the last record"
        return plaintext[:-1]


class PushService(Resource):
    """Takes messages at any path; what it says of them is by the path's last part, where that is a number."""

    isLeaf = True

    def __init__(self, origin: str, application_key: str | None, now: Any) -> None:
        """`now` is asked for the seconds since 1970."""
        super().__init__()
        self._origin = origin
        self.application_key = application_key
        self._now = now
        self.headers: dict[str, str] = {}
        """Header fields of all answers."""
        self.taken: list[tuple[dict[str, str], bytes]] = []
        """Header fields, with small letters, and bodies."""
        self.asked: list[str] = []
        self.tokens: set[str] = set()

    def render_POST(self, request: Request) -> bytes:
        self.asked.append(request.uri.decode())
        for name, value in self.headers.items():
            request.setHeader(name, value)
        last = request.path.rpartition(b"/")[2]
        request.setResponseCode(int(last) if last.isdigit() else self._taken(request))
        return b'{"what":"it says is not read"}'

    def _taken(self, request: Request) -> int:
        fields = request.requestHeaders.getAllRawHeaders()
        head = {name.decode().lower(): b",".join(values).decode() for name, values in fields}
        assert request.content is not None
        body: bytes = request.content.read()
        if not (head.get("ttl", "").isdigit() and head.get("content-encoding") == "aes128gcm" and body):
            return 400
        if len(head.get("topic", "")) > 32 or head.get("urgency") not in URGENCIES:
            return 400
        if len(body) > 4096:
            return 413
        if not self._knows(head.get("authorization", "")):
            return 403
        self.taken.append((head, body))
        return 201

    def _knows(self, authorization: str) -> bool:
        """Whether it is of the application that the subscriptions are for (RFC 8292, section 4)."""
        scheme, _, rest = authorization.partition(" ")
        parameters = dict(part.strip().split("=", 1) for part in rest.split(","))
        if scheme != "vapid" or set(parameters) != {"t", "k"} or parameters["k"] != self.application_key:
            return False
        self.tokens.add(parameters["t"])
        head, claims, signature = parameters["t"].split(".")
        if json.loads(from_base64url(head)) != {"typ": "JWT", "alg": "ES256"}:
            return False
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), from_base64url(parameters["k"]))
        octets = from_base64url(signature)
        pair = int.from_bytes(octets[:32], "big"), int.from_bytes(octets[32:], "big")
        try:
            point.verify(encode_dss_signature(*pair), f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        said = json.loads(from_base64url(claims))
        on_time = self._now() < said["exp"] <= self._now() + DAY
        return set(said) == {"aud", "exp", "sub"} and said["aud"] == self._origin and on_time
