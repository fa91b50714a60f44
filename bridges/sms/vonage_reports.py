"""What Vonage reports of a message: JSON, with a signed token that has the body's hash.

See https://developer.vonage.com/en/getting-started/concepts/webhooks (signed webhooks) and
https://developer.vonage.com/en/messages/concepts/messages-status-callbacks.
"""

import hashlib
import hmac
from typing import Annotated

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from msgspec import Meta, Struct
from twisted.web.server import Request

from bridges.callback import Callback, Forged, Malformed, PostCallback, header
from bridges.settings import secret
from safeum_home.ports.sms import SmsContext, SmsState

STATES = {
    "submitted": SmsState.ACCEPTED,
    "delivered": SmsState.DELIVERED,
    "read": SmsState.DELIVERED,
    "rejected": SmsState.FAILED,
    "undeliverable": SmsState.FAILED,
}
OLDEST = 25 * 3600
"""Seconds since a token was signed: Vonage tries for 24 hours. One that comes twice does no harm."""
AHEAD = 300
"""Seconds that Vonage's clock may be before this one."""


class _Claims(Struct):
    iat: int
    iss: str
    payload_hash: str
    api_key: str | None = None
    application_id: str | None = None


class _Status(Struct):
    message_uuid: Annotated[str, Meta(min_length=1, max_length=64)]
    status: str


def vonage_callback(context: SmsContext, key: str, account: str | None, application: str | None) -> Callback:
    """The resource that Vonage calls; `key` is `secret:NAME`, and what is not None must be in the token."""

    def take(request: Request, body: bytes) -> None:
        claims = _verified(header(request, "Authorization"), secret(context, key))
        hashed = hashlib.sha256(body).hexdigest().encode()
        now = context.reactor.seconds()
        if (
            claims.iss != "Vonage"
            or not hmac.compare_digest(claims.payload_hash.lower().encode(), hashed)
            or not now - OLDEST <= claims.iat <= now + AHEAD
            or (account is not None and claims.api_key != account)
            or (application is not None and claims.application_id != application)
        ):
            raise Forged
        try:
            status = msgspec.json.decode(body, type=_Status)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Malformed from None
        state = STATES.get(status.status)
        if state is not None:
            context.reports.report(context.name, status.message_uuid, state)

    return PostCallback(take)


def _verified(authorization: str, key: bytes) -> _Claims:
    """The claims of a bearer token (RFC 6750) signed with HS256 (RFC 7515); raises `Forged`."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise Forged
    try:
        found = jws.deserialize_compact(token.strip(), OctKey.import_key(key), ["HS256"])
        return msgspec.json.decode(found.payload, type=_Claims)
    except (JoseError, ValueError, TypeError):
        # msgspec's errors are ValueErrors.
        raise Forged from None
