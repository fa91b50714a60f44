"""FCM, for Android: one wake is one data message to the HTTP v1 API, many at once on one connection (HTTP/2).

See https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send.
"""

import re
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from twisted.internet.defer import Deferred, gatherResults

from bridges.answers import retry_after
from bridges.push.bearer import NO_OTHERS, BearerProvider
from bridges.push.fcm_account import grant, read_account
from bridges.push.fcm_errors import is_token_refused, outcome_of_error
from bridges.push.http2 import Way, checked_origin, way
from bridges.push.oauth import Access, AccessTokens
from bridges.push.template import PAYLOADS
from bridges.settings import (
    SecretName,
    WebSettings,
    check_roots,
    checked_url,
    missing,
    read_table,
    secret,
    web,
)
from safeum_home.errors import Code, Problem
from safeum_home.outgoing.http import Answer, ProviderHttp
from safeum_home.ports.push import Accepted, Outcome, PushAddress, PushContext, PushProvider, Temporary, Wake

LONGEST_LIFE = 2_419_200
"""Seconds that FCM keeps a message at the most: four weeks."""
LONGEST_ANSWER = 16 * 1024
_TOKEN = re.compile(r"[0-9A-Za-z_:%.=-]{20,2048}\Z")


class FcmSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The table of a provider."""

    account: SecretName
    """The JSON key of a service account."""
    url: str = "https://fcm.googleapis.com"
    """Where messages are sent."""
    login_url: str = "https://oauth2.googleapis.com"
    """Where access tokens are given out."""
    ca: str | None = None
    """A PEM file with the roots to trust in place of the platform's."""
    seconds: Annotated[float, Meta(ge=1, le=60)] = 8.0
    """The most that a wake may take, with fetching a token and a second try."""


def _android(wake: Wake) -> bytes:
    """All of a message but token and life: the same for every device."""
    # High, or it would wait for a sleeping device to wake up by itself. No collapse key: FCM takes 20 such
    # messages of a device, and then one every three minutes; one wake is outstanding at the most anyway.
    data = PAYLOADS[wake].decode()
    return f',"data":{data},"android":{{"priority":"high","ttl":"'.encode()


_MIDDLE: Mapping[Wake, bytes] = MappingProxyType({wake: _android(wake) for wake in Wake})
SIZE = 192
"""Octets of a request's body besides the token; it is filled up with spaces."""


def body_of(token: str, wake: Wake, seconds: int) -> bytes:
    """The request for a wake of a token that `check` has taken."""
    life = max(0, min(seconds, LONGEST_LIFE))
    body = b'{"message":{"token":"%s"%s%ds"}}}' % (token.encode("ascii"), _MIDDLE[wake], life)
    return body.ljust(SIZE + len(token))


class _Sent(Struct):
    name: Annotated[str, Meta(min_length=1, max_length=512)]


_FIELDS = ((b"content-type", b"application/json"), (b"user-agent", b"SafeUM-Home"))


class Fcm(BearerProvider):
    """Hands wakes to FCM."""

    def __init__(self, context: PushContext, settings: FcmSettings, way: Way, login: ProviderHttp) -> None:
        self._context = context
        self._settings = settings
        self._way = way
        self._login = login
        self._proven = False
        granted = partial(grant, context, settings.account, settings.login_url)
        tokens = AccessTokens(context.reactor, login, granted, partial(secret, context, settings.account))
        super().__init__(context.reactor, tokens, settings.seconds)

    @property
    def trouble(self) -> str | None:
        """As `ports.push.PushProvider` has it."""
        name = self._settings.account
        if (words := missing(self._context, name)) is not None:
            return words
        try:
            read_account(secret(self._context, name), self._settings.login_url)
        except Problem:
            return f"secret {name.removeprefix('secret:')} is no service account's key for login_url"
        return None

    def check(self, address: PushAddress) -> PushAddress:
        others = (address.call_token, address.key, address.secret)
        if any(each is not None for each in others):
            raise Problem(Code.PUSH_ADDRESS_REFUSED, NO_OTHERS)
        if _TOKEN.match(address.token) is None:
            raise Problem(Code.PUSH_ADDRESS_REFUSED, "`token` is no registration token")
        return address

    def ask(self, access: Access, address: PushAddress, wake: Wake, seconds: int) -> "Deferred[Answer]":
        path = f"/v1/projects/{access.whose}/messages:send"
        fields = ((b"authorization", access.header.encode("ascii")), *_FIELDS)
        body = body_of(address.token, wake, seconds)
        return self._way.request(b"POST", path.encode("ascii"), fields, (), body)

    def outcome(self, answer: Answer, address: PushAddress) -> Outcome:
        if not 200 <= answer.status < 300:
            wait = retry_after(answer.retry_after, float(self._context.reactor.seconds()))
            return outcome_of_error(answer.status, answer.body, wait, self._proven)
        try:
            msgspec.json.decode(answer.body, type=_Sent)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return Temporary("FCM's answer is not understood")
        self._proven = True
        return Accepted()

    def is_token_refused(self, answer: Answer) -> bool:
        return is_token_refused(answer.status, answer.body)

    def stop(self) -> "Deferred[None]":
        closed = gatherResults([self._way.close(), self._login.close()], consumeErrors=True)
        return closed.addCallback(lambda _: None)


def fcm(context: PushContext, settings: Mapping[str, Any]) -> PushProvider:
    """The bridge; raises `ConfigError`. Blocks while it reads `ca`."""
    found = _read(context.name, settings)
    whose, reactor, seconds = _whose(context.name), context.reactor, found.seconds
    client = way(whose, reactor, found.url, found.ca, seconds, LONGEST_ANSWER)
    login = WebSettings(url=found.login_url, ca=found.ca, seconds=seconds)
    return Fcm(context, found, client, web(whose, reactor, login))


def _read(name: str, settings: Mapping[str, Any]) -> FcmSettings:
    whose = _whose(name)
    found = read_table(whose, settings, FcmSettings)
    check_roots(whose, found.ca)
    login = checked_url(whose, "login_url", found.login_url)
    return msgspec.structs.replace(found, url=checked_origin(whose, found.url), login_url=login)


def _whose(name: str) -> str:
    return f"push provider {name}"


fcm.check = _read  # type: ignore[attr-defined]
