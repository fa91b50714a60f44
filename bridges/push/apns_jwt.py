"""The provider token that APNs is asked with: signed with the team's key, ES256.

See https://developer.apple.com/documentation/usernotifications/establishing-a-token-based-connection-to-apns.
"""

from contextlib import suppress

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from bridges.settings import secret
from safeum_home.errors import Code, Problem
from safeum_home.ports.push import PushContext

USED_FOR = 2400.0
"""Seconds: APNs refuses tokens that are older than an hour."""
LEAST = 1200.0
"""Seconds: APNs refuses tokens that are renewed more often."""


def is_key(pem: bytes) -> bool:
    """Whether it is one that can sign."""
    return _signed(pem, "", b"") is not None


class ProviderTokens:
    """Signs a token when it is needed, and keeps it while it is good."""

    def __init__(self, context: PushContext, key: str, key_id: str, team_id: str) -> None:
        """`key` is `secret:NAME` of the .p8 file."""
        self._context = context
        self._key = key
        self._key_id = key_id
        self._team_id = team_id
        self._signed_with = b""
        self._token = b""
        self._since = 0.0

    def current(self) -> bytes:
        """The header field's value; raises `Problem` and `Tampered` where there is no key that can sign."""
        # A clock that was set back would make it last for ever.
        if not self._token or not 0 <= self._now - self._since <= USED_FOR:
            self._renew(secret(self._context, self._key))
        return self._token

    def another(self, refused: bytes) -> bytes | None:
        """What to ask with in place of one that was refused; None where nothing better is to be had.

        A new one is signed where the key is another by now, or the last is old enough.
        """
        if refused != self._token:
            return self.current()
        pem = secret(self._context, self._key)
        if pem == self._signed_with and self._now - self._since < LEAST:
            return None
        self._renew(pem)
        return self._token

    @property
    def _now(self) -> float:
        now: float = self._context.reactor.seconds()
        return now

    def _renew(self, pem: bytes) -> None:
        now = self._now
        token = _signed(pem, self._key_id, msgspec.json.encode({"iss": self._team_id, "iat": int(now)}))
        if token is None:
            raise Problem(Code.NOT_FOUND)
        self._token, self._since, self._signed_with = b"bearer " + token.encode("ascii"), now, pem


def _signed(pem: bytes, key_id: str, claims: bytes) -> str | None:
    # What the library says might quote the key.
    with suppress(JoseError, ValueError, TypeError):
        key = ECKey.import_key(pem)
        return jws.serialize_compact({"alg": "ES256", "kid": key_id}, claims, key, ["ES256"])
    return None
