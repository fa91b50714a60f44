"""Stripe: a payment is one Checkout Session (https://docs.stripe.com/api/checkout/sessions/create).

All that Stripe is told are the reference, the amount, and where the customer goes afterwards. Its errors
(https://docs.stripe.com/api/errors) carry texts that are not read.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Meta, Struct
from twisted.internet.defer import Deferred

from bridges.answers import retry_after
from bridges.payments.stripe_events import meaning
from bridges.settings import SecretName, WebSettings, checked_url, missing, read_web, secret_text, web
from bridges.sms.provider import Http
from safeum_home.errors import Problem, Tampered
from safeum_home.outgoing.answers import NoAnswer
from safeum_home.outgoing.http import Answer
from safeum_home.ports.payments import (
    Begun,
    Notice,
    Order,
    Outcome,
    PaymentContext,
    PaymentProvider,
    Permanent,
    Temporary,
    Told,
)
from safeum_home.protocol.minor_units import to_minor

VERSION = "2026-10-28.endive"
"""Of the API (https://docs.stripe.com/api/versioning)."""
SESSIONS = "/v1/checkout/sessions"
LONGEST_URL = 4096
_ACCOUNT = {401: "the provider refuses the credentials", 403: "the provider refuses the credentials"}


class StripeSettings(WebSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`url` is that of the API."""

    url: str = "https://api.stripe.com"
    key: SecretName
    """A secret key, or a restricted one that may write Checkout Sessions."""
    signature: SecretName
    """The secret of the webhook's endpoint, `whsec_…`."""
    product: Annotated[str, Meta(min_length=1, max_length=250)] = "Balance"
    """What the page says that is paid for."""
    return_url: str | None = None
    """Where the customer goes from the page; without, to one of the node's that says it may be closed."""


class _Session(Struct):
    id: Annotated[str, Meta(pattern=r"^cs_[A-Za-z0-9_]{1,250}\Z")]
    url: Annotated[str, Meta(max_length=LONGEST_URL)]


class Stripe:
    """`ports.payments.PaymentProvider`."""

    def __init__(self, context: PaymentContext, settings: StripeSettings, http: Http) -> None:
        self._context = context
        self._settings = settings
        self._http = http
        self._back = settings.return_url or context.notice_url

    @property
    def trouble(self) -> str | None:
        return missing(self._context, self._settings.key) or missing(self._context, self._settings.signature)

    def begin(self, order: Order) -> "Deferred[Outcome]":
        return Deferred.fromCoroutine(self._begin(order))

    def meaning(self, notice: Notice) -> Sequence[Told]:
        return meaning(
            notice, secret_text(self._context, self._settings.signature), self._context.reactor.seconds()
        )

    def stop(self) -> "Deferred[None]":
        return self._http.close()

    async def _begin(self, order: Order) -> Outcome:
        try:
            key = secret_text(self._context, self._settings.key)
        except (Problem, Tampered):
            return Permanent("the credentials are not in the sealed store", account_refused=True)
        headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/x-www-form-urlencoded",
            # Stripe makes one session of the same order, however often it is asked.
            "Idempotency-Key": order.reference,
            "Stripe-Version": VERSION,
        }
        try:
            answer = await self._http.request("POST", SESSIONS, headers, self._form(order))
        except NoAnswer as error:
            return Temporary(error.reason)
        return self._outcome(answer)

    def _form(self, order: Order) -> bytes:
        price = "line_items[0][price_data]"
        fields = {
            "mode": "payment",
            "client_reference_id": order.reference,
            "line_items[0][quantity]": "1",
            f"{price}[currency]": order.currency.lower(),
            f"{price}[unit_amount]": str(to_minor(order.amount, order.currency)),
            f"{price}[product_data][name]": self._settings.product,
            "expires_at": str(order.until // 1000),
            "success_url": self._back,
            "cancel_url": self._back,
        }
        return urlencode(fields).encode()

    def _outcome(self, answer: Answer) -> Outcome:
        status = answer.status
        if not 200 <= status < 300:
            return self._refused(answer)
        try:
            session = msgspec.json.decode(answer.body, type=_Session)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Temporary("the answer is not understood")
        if not _is_page(session.url):
            return Permanent("the answer names no page to pay on")
        return Begun(session.url)

    def _refused(self, answer: Answer) -> Outcome:
        status = answer.status
        if status in _ACCOUNT:
            return Permanent(_ACCOUNT[status], account_refused=True)
        if status in (409, 429) or status >= 500:
            wait = retry_after(answer.retry_after, float(self._context.reactor.seconds()))
            reason = "the provider asks to be asked later" if status < 500 else "the provider has a failure"
            return Temporary(reason, wait)
        if status < 400:
            return Permanent("the provider is somewhere else: its URL is wrong", account_refused=True)
        return Permanent("the provider refuses the payment")


def stripe(context: PaymentContext, settings: Mapping[str, Any]) -> PaymentProvider:
    """The bridge; raises `ConfigError`. Blocks while it reads `ca`."""
    found = _read(context.name, settings)
    return Stripe(context, found, web(_whose(context.name), context.reactor, found))


def _read(name: str, settings: Mapping[str, Any]) -> StripeSettings:
    found = read_web(_whose(name), settings, StripeSettings)
    if found.return_url is not None:
        checked_url(_whose(name), "return_url", found.return_url)
    return found


def _check(name: str, settings: Mapping[str, Any]) -> None:
    _read(name, settings)


stripe.check = _check  # type: ignore[attr-defined]


def _whose(name: str) -> str:
    return f"payments provider {name}"


def _is_page(url: str) -> bool:
    """Whether a client may show it for people to open."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_plain = url.isascii() and url.isprintable() and " " not in url
    return is_plain and parts.scheme == "https" and bool(parts.hostname)
