"""How a node proves to push services who it is (VAPID, RFC 8292): a key of P-256, and tokens signed with it.

The key is what clients subscribe with: another key is another node to a push service, which then refuses
what is sent to subscriptions that were made before.
"""

from base64 import urlsafe_b64encode
from collections import OrderedDict
from contextlib import suppress
from functools import cached_property

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from joserfc import jws
from joserfc.jwk import ECKey

from bridges.push.webpush_encryption import CURVE, octets_of
from bridges.settings import secret
from safeum_home.errors import Code, Problem
from safeum_home.ports.push import PushContext

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256's group (SP 800-186, section 3.2.1.3)."""
LIFE = 12 * 3600
"""Seconds; RFC 8292, section 2 allows 24 hours: clocks may be apart by the other half."""
USED_FOR = 6 * 3600
"""Seconds for which a token is used: what is sent with it has the rest of its life to arrive."""
MOST_ORIGINS = 1024
"""Tokens that are kept; beyond it those go first that were not used for longest."""


def derived_key(octets: bytes) -> EllipticCurvePrivateKey:
    """The key that belongs to 32 secret octets, always the same.

    48 octets are made of them (HKDF, RFC 5869) and reduced modulo the group's order less one, plus one
    (FIPS 186-5, appendix A.2.1): no scalar is likelier than another by more than 2^-128.
    """
    wide = HKDF(SHA256(), 48, None, b"safeum vapid p-256").derive(octets)
    return derive_private_key(int.from_bytes(wide, "big") % (ORDER - 1) + 1, CURVE)


def key_in(pem: bytes) -> EllipticCurvePrivateKey:
    """The private key of P-256 in a PEM document; else raises ValueError, which quotes nothing."""
    with suppress(ValueError, TypeError):
        key = load_pem_private_key(pem, None)
        if isinstance(key, EllipticCurvePrivateKey) and key.curve.name == CURVE.name:
            return key
    raise ValueError("not a private key of P-256")


class VapidKey:
    """Signs tokens; `public` is what clients subscribe with."""

    def __init__(self, key: EllipticCurvePrivateKey) -> None:
        self._key = key
        self.public = _base64url(octets_of(key.public_key()))
        """The uncompressed point (RFC 8292, section 3.2) in base64url, without padding."""

    def token(self, origin: str, expires: int, contact: str) -> str:
        """A token for a push service's origin (RFC 8292, section 2), until `expires` (since 1970)."""
        claims = msgspec.json.encode({"aud": origin, "exp": expires, "sub": contact})
        return jws.serialize_compact({"typ": "JWT", "alg": "ES256"}, claims, self._signing, ["ES256"])

    @cached_property
    def _signing(self) -> ECKey:
        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return ECKey.import_key(pem)


class Vapid:
    """The key of a provider, and its tokens: one for each origin, for a while."""

    def __init__(self, context: PushContext, contact: str, key: str | None) -> None:
        """`contact` is for who runs push services; `key` is `secret:NAME`, or None for the node's own."""
        self._context = context
        self._contact = contact
        self._name = key
        self._key: VapidKey | None = None
        self._tokens: OrderedDict[str, tuple[str, float]] = OrderedDict()

    @property
    def key(self) -> VapidKey:
        """The key; raises `Problem(not_found)` where it is not in the store, or is none, and `Tampered`."""
        if self._key is None:
            self._key = VapidKey(self._opened())
        return self._key

    def authorization(self, origin: str) -> str:
        """The field `Authorization` (RFC 8292, section 3) for an origin; raises as `key` does."""
        now = float(self._context.reactor.seconds())
        token, until = self._tokens.get(origin, ("", 0.0))
        # A clock that was set back would make it last for ever.
        if not now <= until <= now + USED_FOR:
            token, until = self.key.token(origin, int(now) + LIFE, self._contact), now + USED_FOR
            self._tokens[origin] = token, until
            if len(self._tokens) > MOST_ORIGINS:
                self._tokens.popitem(last=False)
        self._tokens.move_to_end(origin)
        return f"vapid t={token},k={self.key.public}"

    def forget(self, origin: str) -> None:
        """The token was refused there: the next one is new."""
        self._tokens.pop(origin, None)

    def _opened(self) -> EllipticCurvePrivateKey:
        if self._name is None:
            return derived_key(self._context.derived())
        pem = secret(self._context, self._name)
        with suppress(ValueError):
            return key_in(pem)
        raise Problem(Code.NOT_FOUND)


def _base64url(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
