"""The tokens that an application asks Vonage with: signed with its own key, RS256.

See https://developer.vonage.com/en/getting-started/concepts/authentication.
"""

import secrets
from contextlib import suppress
from uuid import UUID

import msgspec
from joserfc import jws
from joserfc.errors import JoseError

from bridges.rsa import rsa_key
from bridges.settings import secret
from safeum_home.errors import Code, Problem
from safeum_home.ports.sms import SmsContext

LIFE = 900
"""Seconds, as Vonage's own clients have it."""
_USED_FOR = 600
"""Seconds: signing takes a millisecond or more, so a token serves several messages."""


class Tokens:
    """Signs a token when it is needed, and keeps it while it is good."""

    def __init__(self, context: SmsContext, application: str, key: str) -> None:
        self._context = context
        self._application = application
        self._key = key
        self._token = ""
        self._until = 0.0

    def current(self) -> str:
        """A token; raises `Problem(not_found)` where there is no key, or none that can sign."""
        now = self._context.reactor.seconds()
        # A clock that was set back would make it last for ever.
        if not self._token or not now <= self._until <= now + _USED_FOR:
            self._token, self._until = self._signed(int(now)), now + _USED_FOR
        return self._token

    def forget(self) -> None:
        """It was refused: the next one is new, and signed with the key that is there by then."""
        self._token = ""

    def _signed(self, now: int) -> str:
        claims = {
            "application_id": self._application,
            "iat": now,
            "exp": now + LIFE,
            "jti": str(UUID(bytes=secrets.token_bytes(16), version=4)),
        }
        key = rsa_key(secret(self._context, self._key))
        # Not `except … raise`: what the library says might quote the key.
        with suppress(JoseError, ValueError, TypeError):
            payload = msgspec.json.encode(claims)
            return jws.serialize_compact({"alg": "RS256", "typ": "JWT"}, payload, key, ["RS256"])
        raise Problem(Code.NOT_FOUND)
