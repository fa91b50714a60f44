"""The service account that FCM is asked as: its key, and what it signs for an access token (RFC 7523)."""

from contextlib import suppress
from typing import Annotated, Literal

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from msgspec import Meta, Struct

from bridges.push.oauth import Grant
from bridges.rsa import rsa_key
from bridges.settings import secret
from safeum_home.errors import Code, Problem
from safeum_home.ports.push import PushContext

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCE = "https://oauth2.googleapis.com/token"
"""Whatever the URL that it is sent to, as Google's own clients have it."""
LIFE = 3600
"""Seconds: the most that Google takes."""


class Account(Struct, frozen=True):
    """What of a service account's key is needed; Google writes more into the file."""

    type: Literal["service_account"]
    project_id: Annotated[str, Meta(pattern=r"^([a-z0-9.-]{1,64}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]\Z")]
    client_email: Annotated[str, Meta(pattern=r"^[!-~]{1,256}\Z")]
    private_key_id: Annotated[str, Meta(pattern=r"^[0-9a-f]{1,64}\Z")]
    private_key: Annotated[str, Meta(max_length=16384)]
    token_uri: Annotated[str, Meta(pattern=r"^https?://[!-~]{1,512}\Z")]

    def __repr__(self) -> str:
        return "<a service account>"


def read_account(octets: bytes, login_url: str) -> Account:
    """Raises `Problem(not_found)` for what is no key of a service account that signs in at `login_url`."""
    with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        account = msgspec.json.decode(octets, type=Account)
        if account.token_uri.startswith(f"{login_url}/"):
            return account
    raise Problem(Code.NOT_FOUND)


def grant(context: PushContext, name: str, login_url: str) -> Grant:
    """What an access token is asked for with now; raises `Problem` and `Tampered` where there is no such key.

    The key is read anew each time: one that was replaced is used from the next token on.
    """
    account = read_account(secret(context, name), login_url)
    form = {"grant_type": JWT_BEARER, "assertion": _assertion(account, int(context.reactor.seconds()))}
    return Grant(account.token_uri.removeprefix(login_url), form, account.project_id)


def _assertion(account: Account, now: int) -> str:
    claims = {
        "iss": account.client_email,
        "scope": SCOPE,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + LIFE,
    }
    key = rsa_key(account.private_key.encode())
    head = {"alg": "RS256", "typ": "JWT", "kid": account.private_key_id}
    # Not `except … raise`: what the library says might quote the key.
    with suppress(JoseError, ValueError, TypeError):
        return jws.serialize_compact(head, msgspec.json.encode(claims), key, ["RS256"])
    raise Problem(Code.NOT_FOUND)
