"""Apple's push service, APNs: one POST over HTTP/2 for each wake, many at once on one connection.

See https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from bridges.answers import retry_after
from bridges.push.apns_answers import OF_NO_USE, TOKEN_REFUSED, outcome_of, reason_of
from bridges.push.apns_jwt import ProviderTokens, is_key
from bridges.push.apns_requests import Kinds, Post, random_id
from bridges.push.http2 import Way, checked_origin, way
from bridges.settings import SecretName, check_roots, missing, read_table, secret
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.outgoing.answers import NoAnswer
from safeum_home.outgoing.http import Answer
from safeum_home.ports.push import (
    Accepted,
    Outcome,
    PushAddress,
    PushContext,
    PushProvider,
    Refused,
    Temporary,
    Wake,
)

HOSTS = {"production": "https://api.push.apple.com", "sandbox": "https://api.sandbox.push.apple.com"}
LONGEST_ANSWER = 4096
NO_KEY = Refused("the key is not in the sealed store, or none that can sign", account_refused=True)
ACCEPTED = Accepted()
PERHAPS_SETTINGS = Refused("APNs knows no such token; `environment` or `topic` may be another one")

_TOKEN = re.compile(r"(?:[0-9a-fA-F]{2}){32,100}\Z")
_Id = Annotated[str, Meta(pattern=r"^[0-9A-Z]{10}\Z")]


class ApnsSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The table of a provider."""

    key: SecretName
    """The .p8 file."""
    key_id: _Id
    team_id: _Id
    topic: Annotated[str, Meta(pattern=r"^[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*\Z", max_length=155)]
    """The application's bundle ID."""
    environment: Literal["production", "sandbox"] = "production"
    message: Literal["alert", "background"] = "alert"
    """How devices are woken for messages: with something to see, or in silence, when it suits iOS."""
    text: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    """What is shown where the application shows nothing better; without it a text of the application's."""
    url: str | None = None
    """In place of Apple's own."""
    ca: str | None = None
    """A PEM file with the roots to trust in place of the platform's."""
    seconds: Annotated[float, Meta(ge=1, le=60)] = 8.0
    """The most that a wake may take, from asking to the end of the answer, with connecting."""


class Apns:
    """Hands wakes to APNs."""

    application_key: str | None = None

    def __init__(self, context: PushContext, settings: ApnsSettings, way: Way) -> None:
        self._context = context
        self._key = settings.key
        self._way = way
        self._kinds = Kinds(settings.topic, settings.message == "alert", settings.text)
        self._tokens = ProviderTokens(context, settings.key, settings.key_id, settings.team_id)
        self._taken = False
        """Whether APNs ever took a wake: then topic and environment are right, and a bad token is bad."""

    @property
    def trouble(self) -> str | None:
        """As `ports.push.PushProvider` has it."""
        if (words := missing(self._context, self._key)) is not None:
            return words
        if not is_key(secret(self._context, self._key)):
            return f"secret {self._key.removeprefix('secret:')} is no .p8 file of Apple's"
        return None

    def check(self, address: PushAddress) -> PushAddress:
        call_token = address.call_token
        tokens = (address.token, address.token if call_token is None else call_token)
        if address.key is not None or address.secret is not None:
            raise Problem(Code.PUSH_ADDRESS_REFUSED, "`keys` are for Web Push")
        if not all(map(_TOKEN.match, tokens)):
            raise Problem(Code.PUSH_ADDRESS_REFUSED, "tokens are 32 to 100 octets in hexadecimal")
        return PushAddress(address.token.lower(), None if call_token is None else call_token.lower())

    def wake(self, address: PushAddress, wake: Wake, seconds: int) -> "Deferred[Outcome]":
        if wake is Wake.MESSAGE:
            kind, device = self._kinds.message, address.token
        elif address.call_token is not None:
            kind, device = self._kinds.call, address.call_token
        else:
            kind, device = self._kinds.call_shown, address.token
        until = int(self._context.reactor.seconds()) + seconds
        post = Post(b"/3/device/" + device.lower().encode("ascii"), kind, b"%d" % until)
        try:
            return self._try(post, self._tokens.current(), again=True)
        except (Problem, Tampered):
            return succeed(NO_KEY)

    def stop(self) -> "Deferred[None]":
        return self._way.close()

    def _try(self, post: Post, token: bytes, again: bool) -> "Deferred[Outcome]":
        kind = post.kind
        own = ((b"apns-expiration", post.until), (b"apns-id", random_id()))
        fields = ((b"authorization", token), *kind.fields)
        asked: Deferred[Any] = self._way.request(b"POST", post.path, fields, own, kind.body)
        return asked.addCallbacks(self._answered, _unanswered, callbackArgs=(post, token, again))

    def _answered(
        self, answer: Answer, post: Post, token: bytes, again: bool
    ) -> "Outcome | Deferred[Outcome]":
        if answer.status == 200:
            self._taken = True
            return ACCEPTED
        reason = reason_of(answer.body)
        if again and reason in TOKEN_REFUSED and (another := self._another(token)) is not None:
            return self._try(post, another, again=False)
        if reason in OF_NO_USE and not self._taken:
            # Held against each device's address, a wrong setting would have all of them forgotten.
            return PERHAPS_SETTINGS
        wait = retry_after(answer.retry_after, float(self._context.reactor.seconds()))
        return outcome_of(answer.status, reason, wait)

    def _another(self, token: bytes) -> bytes | None:
        try:
            return self._tokens.another(token)
        except (Problem, Tampered):
            return None


def _unanswered(failure: Failure) -> Outcome:
    failure.trap(NoAnswer)
    error: Any = failure.value
    return Temporary(error.reason)


def _proves(answer: Answer) -> bool:
    """APNs takes one request at a time on a connection until it has seen a provider token that is good."""
    return answer.status < 500 and answer.status not in (403, 429)


def apns(context: PushContext, settings: Mapping[str, Any]) -> PushProvider:
    """The bridge; raises `ConfigError`. Blocks while it reads `ca`."""
    found = _read(context.name, settings)
    whose = _whose(context.name)
    origin = HOSTS[found.environment] if found.url is None else found.url
    client = way(whose, context.reactor, origin, found.ca, found.seconds, LONGEST_ANSWER, _proves)
    return Apns(context, found, client)


def _read(name: str, settings: Mapping[str, Any]) -> ApnsSettings:
    whose = _whose(name)
    found = read_table(whose, settings, ApnsSettings)
    check_roots(whose, found.ca)
    url = None if found.url is None else checked_origin(whose, found.url)
    return msgspec.structs.replace(found, url=url)


def _whose(name: str) -> str:
    return f"push provider {name}"


apns.check = _read  # type: ignore[attr-defined]
