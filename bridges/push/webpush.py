"""Web Push (RFC 8030): one POST to the endpoint of a subscription, of a browser or of UnifiedPush.

The message is encrypted for the subscriber (RFC 8291), and the node says who it is (VAPID, RFC 8292).
Endpoints are what clients say they are: they are asked through the guarded way out, and no push service is
trusted to speak for another.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, Protocol

from msgspec import Meta
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IResolver

from bridges.push.endpoints import Endpoint, Endpoints, EndpointSettings, read_endpoints, way
from bridges.push.origins import AT_ONE, Origins, Turn
from bridges.push.template import PAYLOADS
from bridges.push.vapid import Vapid
from bridges.push.webpush_answers import KEY_REFUSED, outcome_of
from bridges.push.webpush_encryption import SECRET, encrypt, point_of
from bridges.settings import SecretName, missing
from safeum_home.config import ConfigError
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.outgoing.answers import TOO_LONG, NoAnswer
from safeum_home.outgoing.http import Answer, HttpLimits
from safeum_home.outgoing.places import Place
from safeum_home.outgoing.resolving import NOT_ALLOWED
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

LONGEST_ANSWER = 16 * 1024
"""Octets. What is in it is not read."""
AT_ONCE, KEPT = 32, 16
"""Requests to one origin, others than which wait, and connections to it that are kept."""
REQUESTS, PLACES = 1024, 128
"""Requests to all origins together, and origins whose connections are kept."""

TOPICS: Mapping[Wake, str] = {Wake.MESSAGE: "msg", Wake.CALL: "call"}
"""A push service keeps one message of a topic for a subscription: the last one (RFC 8030, section 5.4)."""

NO_KEY = Refused("the key is not in the sealed store", account_refused=True)
NO_SUBSCRIPTION = "there is no key of the subscription"
ONE_ENDPOINT = "there is no `call_token` with Web Push: calls come to the same endpoint"
NO_KEYS = "`keys` are missing, or are none of a subscription"

_MAIL = r"mailto:[^\s@<>\"]{1,64}@[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)+"
_PAGE = r"https://[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)+(:[0-9]{1,5})?(/[!#-;=?-~]*)?"

_CONTACT = re.compile(rf"({_MAIL}|{_PAGE})\Z")


class WebPushSettings(EndpointSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Hosts are any public ones, unless `hosts` says which."""

    contact: Annotated[str, Meta(max_length=254)]
    """`mailto:` or `https:`: where whoever runs a push service reaches the operator."""
    key: SecretName | None = None
    """The private key of P-256 (PEM) that clients' subscriptions are for, in place of the node's own."""
    urgency: Literal["high", "normal"] = "high"
    """Of messages; calls are `high`. `normal` waits until a telephone in deep sleep wakes anyway."""


class Asks(Protocol):
    """The guarded client."""

    def request(
        self, place: Place, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> "Deferred[Answer]": ...

    def close(self) -> "Deferred[None]": ...


class WebPush:
    """Hands wakes to push services."""

    def __init__(self, context: PushContext, settings: WebPushSettings, http: Asks) -> None:
        self._context = context
        self._settings = settings
        self._http = http
        self._now = context.reactor.seconds
        self._endpoints = Endpoints(settings.hosts, high_ports=True)
        self.services = Origins(self._now, self._endpoints)
        self._vapid = Vapid(context, settings.contact, settings.key)

    @property
    def application_key(self) -> str | None:
        try:
            return self._vapid.key.public
        except (Problem, Tampered):
            return None

    @property
    def trouble(self) -> str | None:
        """As `ports.push.PushProvider` has it."""
        return missing(self._context, self._settings.key) if self._settings.key else None

    def check(self, address: PushAddress) -> PushAddress:
        url = self._endpoints.read(address.token).url
        if address.call_token is not None:
            raise Problem(Code.PUSH_ADDRESS_REFUSED, ONE_ENDPOINT)
        try:
            point_of(address.key or b"")
        except ValueError:
            raise Problem(Code.PUSH_ADDRESS_REFUSED, NO_KEYS) from None
        if len(address.secret or b"") != SECRET:
            raise Problem(Code.PUSH_ADDRESS_REFUSED, NO_KEYS)
        return replace(address, token=url)

    def wake(self, address: PushAddress, wake: Wake, seconds: int) -> "Deferred[Outcome]":
        return Deferred.fromCoroutine(self._wake(address, wake, seconds))

    def stop(self) -> "Deferred[None]":
        return self._http.close()

    async def _wake(self, address: PushAddress, wake: Wake, seconds: int) -> Outcome:
        try:
            endpoint = self._endpoints.read(address.token)
        except Problem:
            # It was allowed when it was registered: the operator has other settings now.
            return Refused(NOT_ALLOWED)
        turn = self.services.begin(endpoint.place)
        if isinstance(turn, Temporary):
            return turn
        try:
            return await self._at_its_turn(turn, endpoint, address, wake, seconds)
        finally:
            turn.over()

    async def _at_its_turn(
        self, turn: Turn, endpoint: Endpoint, address: PushAddress, wake: Wake, seconds: int
    ) -> Outcome:
        origin = f"https://{endpoint.place.authority}"
        try:
            headers = self._headers(origin, wake, seconds)
        except (Problem, Tampered):
            return NO_KEY
        try:
            body = encrypt(PAYLOADS[wake], address.key or b"", address.secret or b"")
        except ValueError:
            return Refused(NO_SUBSCRIPTION)
        try:
            answer = await self._http.request(endpoint.place, "POST", endpoint.target, headers, body)
        except NoAnswer as error:
            return _unanswered(turn, error.reason)
        outcome = outcome_of(answer, float(self._now()))
        turn.answered(well=isinstance(outcome, Accepted))
        if answer.status in KEY_REFUSED:
            self._vapid.forget(origin)
        return outcome

    def _headers(self, origin: str, wake: Wake, seconds: int) -> dict[str, str]:
        return {
            "Authorization": self._vapid.authorization(origin),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(max(0, seconds)),
            "Topic": TOPICS[wake],
            "Urgency": "high" if wake is Wake.CALL else self._settings.urgency,
        }


def _unanswered(turn: Turn, reason: str) -> Outcome:
    """What it means that there is no answer: it is told of the one address."""
    if reason == TOO_LONG:
        # That is for one endpoint alone, which its client may have found for this.
        turn.answered(well=False)
        return Refused(reason)
    turn.unanswered(reason)
    return Refused(reason) if reason == NOT_ALLOWED else Temporary(reason, address_alone=True)


def webpush(context: PushContext, settings: Mapping[str, Any], dns: IResolver | None = None) -> PushProvider:
    """The bridge; raises `ConfigError`. Blocks while it reads `ca`. `dns` is by default the machine's."""
    found = _read(context.name, settings)
    limits = HttpLimits(
        seconds=found.seconds, answer=LONGEST_ANSWER, at_once=AT_ONCE, waiting=AT_ONE - AT_ONCE, kept=KEPT
    )
    http = way(_whose(context.name), context.reactor, found, limits, REQUESTS, PLACES, dns)
    return WebPush(context, found, http)


def _read(name: str, settings: Mapping[str, Any]) -> WebPushSettings:
    found = read_endpoints(_whose(name), settings, WebPushSettings)
    if _CONTACT.match(found.contact) is None:
        raise ConfigError(f"{_whose(name)}: contact: mailto:NAME@DOMAIN or https://DOMAIN is wanted")
    return found


def _whose(name: str) -> str:
    return f"push provider {name}"


webpush.check = _read  # type: ignore[attr-defined]
