"""FCM, for Android: one wake is one data message to the HTTP v1 API.

See https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send.
"""

import re
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from twisted.internet.defer import Deferred, gatherResults

from bridges.answers import retry_after
from bridges.push.bearer import BearerProvider
from bridges.push.fcm_account import grant, read_account
from bridges.push.fcm_errors import is_token_refused, outcome_of_error
from bridges.push.oauth import Access, AccessTokens
from bridges.push.template import PAYLOADS
from bridges.settings import SecretName, WebSettings, checked_url, missing, read_web, secret, web
from safeum_home.errors import Code, Problem
from safeum_home.outgoing.http import Answer, HttpLimits, ProviderHttp
from safeum_home.ports.push import Accepted, Outcome, PushAddress, PushContext, PushProvider, Temporary, Wake

LONGEST_LIFE = 2_419_200
"""Seconds that FCM keeps a message at the most: four weeks."""
WAITING = 4096
"""Wakes that wait for a connection."""
KEPT_SECONDS = 60
_TOKEN = re.compile(r"[0-9A-Za-z_:%.=-]{20,2048}\Z")


class FcmSettings(WebSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`url` is where messages are sent, `login_url` where access tokens are given out."""

    url: str = "https://fcm.googleapis.com"
    login_url: str = "https://oauth2.googleapis.com"
    account: SecretName
    """The JSON key of a service account."""
    connections: Annotated[int, Meta(ge=1, le=512)] = 64
    """Wakes that are under way at once: over HTTP/1.1 each needs a connection, which is kept."""


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


class _Sent(msgspec.Struct):
    name: Annotated[str, Meta(min_length=1, max_length=512)]


class Fcm(BearerProvider):
    """Hands wakes to FCM."""

    def __init__(
        self, context: PushContext, settings: FcmSettings, http: ProviderHttp, login: ProviderHttp
    ) -> None:
        self._context = context
        self._settings = settings
        self._http = http
        self._login = login
        tokens = AccessTokens(
            context.reactor, login, partial(grant, context, settings.account, settings.login_url)
        )
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

    def check(self, address: PushAddress) -> None:
        others = (address.call_token, address.key, address.secret)
        if _TOKEN.match(address.token) is None or any(each is not None for each in others):
            raise Problem(Code.PUSH_ADDRESS_REFUSED)

    def ask(self, access: Access, address: PushAddress, wake: Wake, seconds: int) -> "Deferred[Answer]":
        headers = {"Authorization": access.header, "Content-Type": "application/json"}
        path = f"/v1/projects/{access.whose}/messages:send"
        return self._http.request("POST", path, headers, body_of(address.token, wake, seconds))

    def outcome(self, answer: Answer, address: PushAddress) -> Outcome:
        if not 200 <= answer.status < 300:
            wait = retry_after(answer.retry_after, float(self._context.reactor.seconds()))
            return outcome_of_error(answer.status, answer.body, wait)
        try:
            msgspec.json.decode(answer.body, type=_Sent)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return Temporary("FCM's answer is not understood")
        return Accepted()

    def is_token_refused(self, answer: Answer) -> bool:
        return is_token_refused(answer.status, answer.body)

    def stop(self) -> "Deferred[None]":
        closed = gatherResults([self._http.close(), self._login.close()], consumeErrors=True)
        return closed.addCallback(lambda _: None)


def fcm(context: PushContext, settings: Mapping[str, Any]) -> PushProvider:
    """The bridge; raises `ConfigError`. Blocks while it reads `ca`."""
    found = _read(context.name, settings)
    many = found.connections
    limits = HttpLimits(found.seconds, 16 * 1024, many, WAITING, many, KEPT_SECONDS)
    whose = _whose(context.name)
    login = msgspec.structs.replace(found, url=found.login_url)
    return Fcm(context, found, web(whose, context.reactor, found, limits), web(whose, context.reactor, login))


def _read(name: str, settings: Mapping[str, Any]) -> FcmSettings:
    found = read_web(_whose(name), settings, FcmSettings)
    login_url = checked_url(_whose(name), "login_url", found.login_url, found.plain_http)
    return msgspec.structs.replace(found, login_url=login_url)


def _whose(name: str) -> str:
    return f"push provider {name}"


fcm.check = _read  # type: ignore[attr-defined]
