"""WNS, for Windows: one wake is one raw notification, sent to the URI of the device's channel.

See https://learn.microsoft.com/windows/apps/develop/notifications/push-notifications/push-request-response-headers.
A channel's URI is what a client says: only hosts of WNS are asked, over the guarded client (`endpoints`).
"""

from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any

from msgspec import Meta
from msgspec.structs import replace
from twisted.internet.defer import Deferred, fail, gatherResults
from twisted.python.failure import Failure

from bridges.answers import retry_after
from bridges.push.bearer import NO_OTHERS, BearerProvider
from bridges.push.endpoints import Endpoints, EndpointSettings, Short, read_endpoints, way
from bridges.push.oauth import Access, AccessTokens, Grant, NotNow
from bridges.push.origins import AT_ONE, Origins, Turn
from bridges.push.template import PAYLOADS
from bridges.push.wns_answers import outcome_of
from bridges.settings import SecretName, WebSettings, checked_url, missing, secret, secret_text, web
from safeum_home.errors import Code, Problem
from safeum_home.outgoing.answers import GIVEN_UP, NoAnswer
from safeum_home.outgoing.client import Client
from safeum_home.outgoing.http import Answer, HttpLimits, ProviderHttp
from safeum_home.outgoing.places import Place
from safeum_home.outgoing.resolving import NOT_ALLOWED
from safeum_home.ports.push import Outcome, PushAddress, PushContext, PushProvider, Refused, Temporary, Wake

HOSTS = ("*.notify.windows.com",)
SCOPE = "https://wns.windows.com/.default"
REQUESTS = 8192
"""Wakes under way and waiting, to all hosts together."""
PLACES = 64
"""Hosts whose connections are kept: each data centre of WNS's has its own."""
KEPT_SECONDS = 60
ONE_REQUEST = 0.75
"""Of the time that a wake may take, so that it is seen which host does not answer."""

Guid = Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")]


class WnsSettings(EndpointSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`hosts` are those of channels, `login_url` is where access tokens are given out."""

    hosts: Annotated[tuple[Short, ...], Meta(min_length=1, max_length=64)] = HOSTS
    login_url: str = "https://login.microsoftonline.com"
    tenant: Guid
    """The directory that the application is registered in."""
    client: Guid
    """The application."""
    key: SecretName
    """A client secret of the application."""
    connections: Annotated[int, Meta(ge=1, le=AT_ONE)] = 64
    """Wakes that are under way at once to one host: each needs a connection, which is kept."""


_CACHED: Mapping[Wake, str] = MappingProxyType({Wake.MESSAGE: "cache", Wake.CALL: "no-cache"})
"""For a device that is away WNS keeps one notification: a call that is over must not push a message out."""


def fields_of(access: Access, wake: Wake, seconds: int) -> dict[str, str]:
    """The header fields of a notification."""
    return {
        "Authorization": access.header,
        "Content-Type": "application/octet-stream",
        "X-WNS-Type": "wns/raw",
        # High: what is of a lower one waits for the screen, or for the mains.
        "X-WNS-PRIORITY": "1",
        "X-WNS-Cache-Policy": _CACHED[wake],
        "X-WNS-TTL": str(max(0, seconds)),
        "X-WNS-RequestForStatus": "true",
    }


class Wns(BearerProvider):
    """Hands wakes to WNS."""

    def __init__(
        self, context: PushContext, settings: WnsSettings, client: Client, login: ProviderHttp
    ) -> None:
        self._context = context
        self._settings = settings
        self._client = client
        self._login = login
        self._endpoints = Endpoints(settings.hosts)
        self.services = Origins(context.reactor.seconds, self._endpoints)
        self._proven: OrderedDict[Place, None] = OrderedDict()
        tokens = AccessTokens(context.reactor, login, self._grant, partial(secret, context, settings.key))
        super().__init__(context.reactor, tokens, settings.seconds)

    @property
    def trouble(self) -> str | None:
        """As `ports.push.PushProvider` has it."""
        return missing(self._context, self._settings.key)

    def check(self, address: PushAddress) -> PushAddress:
        if any(each is not None for each in (address.call_token, address.key, address.secret)):
            raise Problem(Code.PUSH_ADDRESS_REFUSED, NO_OTHERS)
        return PushAddress(self._endpoints.read(address.token).url)

    def ask(self, access: Access, address: PushAddress, wake: Wake, seconds: int) -> "Deferred[Answer]":
        place, target = self._endpoints.read(address.token)
        turn = self.services.begin(place)
        if isinstance(turn, Temporary):
            return fail(NotNow(turn))
        fields = fields_of(access, wake, seconds)
        asked = self._client.request(place, "POST", target, fields, PAYLOADS[wake])
        return asked.addBoth(_ended, turn)

    def outcome(self, answer: Answer, address: PushAddress) -> Outcome:
        place = self._endpoints.read(address.token).place
        if answer.status == 200:
            self._prove(place)
        wait = retry_after(answer.retry_after, float(self._context.reactor.seconds()))
        return self._of_host(outcome_of(answer, wait), place)

    def unanswered(self, error: NoAnswer, address: PushAddress) -> Outcome:
        if error.reason == NOT_ALLOWED:
            return Refused(error.reason)
        return Temporary(error.reason, address_alone=True)

    def stop(self) -> "Deferred[None]":
        closed = gatherResults([self._client.close(), self._login.close()], consumeErrors=True)
        return closed.addCallback(lambda _: None)

    def _grant(self) -> Grant:
        settings = self._settings
        form = {
            "grant_type": "client_credentials",
            "client_id": settings.client,
            "client_secret": secret_text(self._context, settings.key),
            "scope": SCOPE,
        }
        return Grant(f"/{settings.tenant}/oauth2/v2.0/token", form)

    def _prove(self, place: Place) -> None:
        self._proven[place] = None
        self._proven.move_to_end(place)
        if len(self._proven) > PLACES:
            self._proven.popitem(last=False)

    def _of_host(self, outcome: Outcome, place: Place) -> Outcome:
        """Clients name hosts: what one says that never took a wake, where others did, is not of WNS."""
        if place in self._proven or not self._proven:
            return outcome
        if isinstance(outcome, Temporary):
            return Temporary(outcome.reason, outcome.retry_after, address_alone=True)
        return Refused(outcome.reason) if isinstance(outcome, Refused) else outcome


def _ended(result: Answer | Failure, turn: Turn) -> Answer | Failure:
    """A host that is in trouble is left alone, with its own wakes alone."""
    if isinstance(result, Failure):
        turn.unanswered(getattr(result.value, "reason", GIVEN_UP))
    elif result.status < 500:
        turn.answered(well=result.status == 200)
    else:
        turn.failed()
    turn.over()
    return result


def wns(context: PushContext, settings: Mapping[str, Any]) -> PushProvider:
    """The bridge; raises `ConfigError`. Blocks while it reads `ca`."""
    found = _read(context.name, settings)
    whose, many = _whose(context.name), found.connections
    limits = HttpLimits(ONE_REQUEST * found.seconds, 16 * 1024, many, AT_ONE, many, KEPT_SECONDS)
    client = way(whose, context.reactor, found, limits, REQUESTS, PLACES)
    login = WebSettings(url=found.login_url, ca=found.ca, seconds=found.seconds)
    return Wns(context, found, client, web(whose, context.reactor, login))


def _read(name: str, settings: Mapping[str, Any]) -> WnsSettings:
    found = read_endpoints(_whose(name), settings, WnsSettings)
    return replace(found, login_url=checked_url(_whose(name), "login_url", found.login_url))


def _whose(name: str) -> str:
    return f"push provider {name}"


wns.check = _read  # type: ignore[attr-defined]
