"""All that may go to a push provider: what does not fit is refused, and with it whatever somebody adds.

A type for each provider's requests: method, target, every header field, the body, and what is inside of
tokens and of what is encrypted. `Known` is what clients and the operator gave, which goes there as it is.
"""

from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs

import msgspec
from msgspec import Meta, Struct, ValidationError, field

from tests.blind_wire import Sent


@dataclass(frozen=True)
class Known:
    """Addresses of devices, what opens what is encrypted for them, and the operator's settings."""

    addresses: frozenset[str]
    """Tokens and endpoints."""
    opens: Callable[[bytes], bytes]
    """Decrypts a Web Push message."""
    settings: frozenset[str]
    """Whatever else is allowed where a text of the operator's stands."""


class Strict(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Nothing more, and nothing less."""


def _like(pattern: str) -> Meta:
    return Meta(pattern=rf"^(?:{pattern})\Z")


Seconds = Annotated[str, _like(r"0|[1-9][0-9]{0,6}")]
Moment = Annotated[str, _like(r"[1-9][0-9]{9}")]
Since1970 = Annotated[int, Meta(ge=10**9, lt=10**10)]
Size = Annotated[str, _like(r"[1-9][0-9]{1,3}")]
Uuid = Annotated[str, _like(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")]
Signed = r"[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+"
Class = Literal["msg", "call"]


class Payload(Strict, frozen=True, kw_only=True):
    """`bridges.push.template`: the class, and as many noughts as fill it up."""

    wake: Class
    pad: Annotated[str, _like("0+")]


class Http(Strict, frozen=True, kw_only=True):
    """What every request over HTTP/1.1 has."""

    host: str
    user_agent: Literal["SafeUM-Home"] = field(name="user-agent")
    accept_encoding: Literal["identity"] = field(name="accept-encoding")
    content_length: Size = field(name="content-length")
    connection: Literal["close"] = "close"


class WebPush(Http, frozen=True, kw_only=True):
    authorization: Annotated[str, _like(rf"vapid t={Signed},k=B[0-9A-Za-z_-]{{86}}")]
    content_encoding: Literal["aes128gcm"] = field(name="content-encoding")
    content_type: Literal["application/octet-stream"] = field(name="content-type")
    ttl: Seconds
    topic: Class
    urgency: Literal["high", "normal"]


class Vapid(Strict, frozen=True, kw_only=True):
    aud: str
    exp: Since1970
    sub: str


class Es256(Strict, frozen=True, kw_only=True):
    alg: Literal["ES256"]
    typ: Literal["JWT"]


class Wns(Http, frozen=True, kw_only=True):
    authorization: Annotated[str, _like(r"Bearer [!-~]+")]
    content_type: Literal["application/octet-stream"] = field(name="content-type")
    type: Literal["wns/raw"] = field(name="x-wns-type")
    priority: Literal["1"] = field(name="x-wns-priority")
    cache_policy: Literal["cache", "no-cache"] = field(name="x-wns-cache-policy")
    ttl: Seconds = field(name="x-wns-ttl")
    request_for_status: Literal["true"] = field(name="x-wns-requestforstatus")


class Login(Http, frozen=True, kw_only=True):
    accept: Literal["application/json"]
    content_type: Literal["application/x-www-form-urlencoded"] = field(name="content-type")


class ClientCredentials(Strict, frozen=True, kw_only=True):
    grant_type: Literal["client_credentials"]
    client_id: str
    client_secret: str
    scope: Literal["https://wns.windows.com/.default"]


class JwtBearer(Strict, frozen=True, kw_only=True):
    grant_type: Literal["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assertion: Annotated[str, _like(Signed)]


class Assertion(Strict, frozen=True, kw_only=True):
    iss: str
    scope: Literal["https://www.googleapis.com/auth/firebase.messaging"]
    aud: Literal["https://oauth2.googleapis.com/token"]
    iat: Since1970
    exp: Since1970


class Rs256(Strict, frozen=True, kw_only=True):
    alg: Literal["RS256"]
    typ: Literal["JWT"]
    kid: str


class Fcm(Strict, frozen=True, kw_only=True):
    host: str
    user_agent: Literal["SafeUM-Home"] = field(name="user-agent")
    authorization: Annotated[str, _like(r"Bearer [!-~]+")]
    content_type: Literal["application/json"] = field(name="content-type")


class Android(Strict, frozen=True, kw_only=True):
    priority: Literal["high"]
    ttl: Annotated[str, _like(r"(?:0|[1-9][0-9]{0,6})s")]


class FcmMessage(Strict, frozen=True, kw_only=True):
    token: str
    data: Payload
    android: Android


class FcmBody(Strict, frozen=True, kw_only=True):
    message: FcmMessage


class Apns(Strict, frozen=True, kw_only=True):
    host: str
    user_agent: Literal["SafeUM-Home"] = field(name="user-agent")
    authorization: Annotated[str, _like(rf"bearer {Signed}")]
    topic: str = field(name="apns-topic")
    push_type: Literal["alert", "background", "voip"] = field(name="apns-push-type")
    priority: Literal["5", "10"] = field(name="apns-priority")
    collapse_id: Class = field(name="apns-collapse-id")
    expiration: Moment = field(name="apns-expiration")
    id: Uuid = field(name="apns-id")


class ProviderClaims(Strict, frozen=True, kw_only=True):
    iss: str
    iat: Since1970


class ProviderHead(Strict, frozen=True, kw_only=True):
    alg: Literal["ES256"]
    kid: str


class Alert(Strict, frozen=True, kw_only=True):
    loc_key: Literal["SAFEUM_WAKE"] = field(name="loc-key")


class Aps(Strict, frozen=True, kw_only=True):
    alert: Alert | None = None
    sound: Literal["default"] | None = None
    mutable_content: Literal[1] | None = field(name="mutable-content", default=None)
    content_available: Literal[1] | None = field(name="content-available", default=None)


class ApnsBody(Payload, frozen=True, kw_only=True):
    aps: Aps


def check(sent: Sent, known: Known) -> tuple[str, int]:
    """The class that a request is for ("" for a login), and the size of its body besides an address.

    Raises `ValidationError` for what may not go to its provider.
    """
    if sent.method != "POST":
        raise ValidationError("the method")
    found: tuple[str, int] = _CHECKS[sent.provider](sent, known)
    return found


def _webpush(sent: Sent, known: Known) -> tuple[str, int]:
    head = msgspec.convert(sent.fields, WebPush)
    origin = f"https://{head.host}"
    _among(f"{origin}{sent.target}", known.addresses)
    claims = _jwt(head.authorization.partition("t=")[2].partition(",")[0], Es256, Vapid)
    _among(claims.aud, {origin})
    _among(claims.sub, known.settings)
    payload = msgspec.json.decode(known.opens(sent.body), type=Payload)
    _among(payload.wake, {head.topic})
    return payload.wake, len(sent.body)


def _wns(sent: Sent, known: Known) -> tuple[str, int]:
    head = msgspec.convert(sent.fields, Wns)
    _among(f"https://{head.host}{sent.target}", known.addresses)
    return msgspec.json.decode(sent.body, type=Payload).wake, len(sent.body)


def _entra(sent: Sent, known: Known) -> tuple[str, int]:
    _among(msgspec.convert(sent.fields, Login).host, known.settings)
    _among(sent.target, known.settings)
    form = msgspec.convert(_form(sent.body), ClientCredentials)
    _among(form.client_id, known.settings)
    _among(form.client_secret, known.settings)
    return "", len(sent.body)


def _fcm(sent: Sent, known: Known) -> tuple[str, int]:
    _among(msgspec.convert(sent.fields, Fcm).host, known.settings)
    _among(sent.target, known.settings)
    message = msgspec.json.decode(sent.body, type=FcmBody).message
    _among(message.token, known.addresses)
    return message.data.wake, len(sent.body) - len(message.token)


def _google(sent: Sent, known: Known) -> tuple[str, int]:
    _among(msgspec.convert(sent.fields, Login).host, known.settings)
    _among(sent.target, known.settings)
    claims = _jwt(msgspec.convert(_form(sent.body), JwtBearer).assertion, Rs256, Assertion)
    _among(claims.iss, known.settings)
    return "", len(sent.body)


def _apns(sent: Sent, known: Known) -> tuple[str, int]:
    head = msgspec.convert(sent.fields, Apns)
    _among(head.host, known.settings)
    _among(head.topic.removesuffix(".voip"), known.settings)
    _among(sent.target.removeprefix("/3/device/"), known.addresses)
    claims = _jwt(head.authorization.removeprefix("bearer "), ProviderHead, ProviderClaims)
    _among(claims.iss, known.settings)
    wake = msgspec.json.decode(sent.body, type=ApnsBody).wake
    _among(wake, {head.collapse_id})
    return wake, len(sent.body)


_CHECKS: Mapping[str, Any] = {
    "webpush": _webpush,
    "wns": _wns,
    "entra": _entra,
    "fcm": _fcm,
    "google": _google,
    "apns": _apns,
}


def _among(value: str, allowed: Any) -> None:
    if value not in allowed:
        raise ValidationError(f"{value} is none of those that are known")


def _form(body: bytes) -> dict[str, str]:
    fields = parse_qs(body.decode(), strict_parsing=True)
    if any(len(values) > 1 for values in fields.values()):
        raise ValidationError("a field that is there twice")
    return {name: values[0] for name, values in fields.items()}


def _jwt(token: str, head: type[Any], claims: type[Any]) -> Any:
    """The claims of a token (RFC 7519); its signature is octets that nobody chooses."""
    parts = [urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")]
    msgspec.json.decode(parts[0], type=head)
    return msgspec.json.decode(parts[1], type=claims)
