"""Stripe as its documents describe it: Checkout Sessions, and events that its own library has signed.

https://docs.stripe.com/api/checkout/sessions/create, https://docs.stripe.com/api/idempotent_requests,
https://docs.stripe.com/api/errors, https://docs.stripe.com/api/events/object
"""

import json
from typing import Any
from urllib.parse import parse_qsl

from stripe import WebhookSignature
from twisted.web.server import Request

from tests.doubles.sms import Double, reply

PRICE = "line_items[0][price_data]"
NEEDED = (
    "mode",
    "success_url",
    "line_items[0][quantity]",
    f"{PRICE}[currency]",
    f"{PRICE}[unit_amount]",
    f"{PRICE}[product_data][name]",
)


class StripeDouble(Double):
    """`POST /v1/checkout/sessions`; `complete` and so on are what happens at Stripe, and what it tells."""

    KEY = "sk_test_an_example_of_a_key"
    SECRET = "whsec_an_example_of_a_secret"

    def __init__(self, now: float) -> None:
        super().__init__()
        self.now = int(now)
        self.sessions: dict[str, dict[str, Any]] = {}
        self._by_key: dict[str, tuple[dict[str, str], str]] = {}
        self.failing: tuple[int, str] | None = None
        """A status and a type of error to refuse all with."""

    # --- the API

    def render_POST(self, request: Request) -> bytes:
        fields = dict(parse_qsl(self.note(request).decode(), strict_parsing=True))
        head = self.headers[-1]
        if head.get("authorization") != f"Bearer {self.KEY}":
            return self.error(request, 401, "invalid_request_error", "Invalid API Key provided: sk_test_****")
        if request.path != b"/v1/checkout/sessions":
            return self.error(request, 404, "invalid_request_error", "Unrecognized request URL")
        if self.failing is not None:
            return self.error(request, *self.failing, "It failed.")
        if missing := [each for each in NEEDED if each not in fields]:
            return self.error(request, 400, "invalid_request_error", f"Missing required param: {missing[0]}.")
        if not self.now + 1800 <= int(fields["expires_at"]) <= self.now + 86400:
            return self.error(request, 400, "invalid_request_error", "`expires_at` is out of bounds.")
        key = head.get("idempotency-key", "")
        if key in self._by_key:
            before, session = self._by_key[key]
            if before != fields:
                return self.error(
                    request, 400, "idempotency_error", "Keys can only be used with the same parameters."
                )
            return reply(request, 200, self.sessions[session])
        self.taken.append(fields)
        session = f"cs_test_{len(self.sessions) + 1:04}"
        self.sessions[session] = self._session(session, fields)
        if key:
            self._by_key[key] = fields, session
        return reply(request, 200, self.sessions[session])

    def error(self, request: Request, status: int, kind: str, message: str) -> bytes:
        return reply(request, status, {"error": {"type": kind, "message": message}})

    def _session(self, session: str, fields: dict[str, str]) -> dict[str, Any]:
        return {
            "id": session,
            "object": "checkout.session",
            "amount_total": int(fields[f"{PRICE}[unit_amount]"]),
            "cancel_url": fields.get("cancel_url"),
            "client_reference_id": fields.get("client_reference_id"),
            "currency": fields[f"{PRICE}[currency]"],
            "customer_details": None,
            "expires_at": int(fields["expires_at"]),
            "livemode": False,
            "metadata": {},
            "mode": fields["mode"],
            "payment_intent": None,
            "payment_status": "unpaid",
            "status": "open",
            "success_url": fields["success_url"],
            "url": f"https://checkout.stripe.com/c/pay/{session}#fidkdWxOYHwnPyd1blpxYHZxWjA0",
        }

    # --- what happens there, as events

    def complete(self, session: str, paid: bool = True, **changes: Any) -> bytes:
        """The customer has gone through the page; `paid` is False where the payment takes days."""
        status = "paid" if paid else "unpaid"
        payment = "pi_" + session.removeprefix("cs_")
        after = {"status": "complete", "payment_status": status, "payment_intent": payment}
        self.sessions[session] |= after | changes
        return self.event("checkout.session.completed", self.sessions[session])

    def succeed(self, session: str) -> bytes:
        self.sessions[session]["payment_status"] = "paid"
        return self.event("checkout.session.async_payment_succeeded", self.sessions[session])

    def refund(self, session: str, refunded: int) -> bytes:
        """So much in all is refunded."""
        found = self.sessions[session]
        charge = {
            "id": "ch_1",
            "object": "charge",
            "amount": found["amount_total"],
            "amount_refunded": refunded,
            "currency": found["currency"],
            "payment_intent": found["payment_intent"],
            "refunded": refunded == found["amount_total"],
        }
        return self.event("charge.refunded", charge)

    def refund_failed(self, session: str) -> bytes:
        """The customer's bank did not take it: it is with the merchant again."""
        refund = {
            "id": "re_1",
            "object": "refund",
            "amount": 500,
            "charge": "ch_1",
            "currency": self.sessions[session]["currency"],
            "failure_reason": "expired_or_canceled_card",
            "payment_intent": self.sessions[session]["payment_intent"],
            "status": "failed",
        }
        return self.event("refund.failed", refund)

    def dispute(self, session: str, what: str) -> bytes:
        """`created`, `funds_withdrawn` or `funds_reinstated`."""
        found = self.sessions[session]
        dispute = {
            "id": "du_1",
            "object": "dispute",
            "amount": found["amount_total"],
            "charge": "ch_1",
            "currency": found["currency"],
            "payment_intent": found["payment_intent"],
            "status": "needs_response",
        }
        return self.event(f"charge.dispute.{what}", dispute)

    def event(self, kind: str, about: dict[str, Any]) -> bytes:
        self.now += 1
        document = {
            "id": f"evt_{self.now}",
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": self.now,
            "data": {"object": about},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }
        return json.dumps(document, indent=2).encode()

    def signed(self, body: bytes, secret: str = SECRET, at: float | None = None) -> str:
        """`Stripe-Signature`, as Stripe's own library makes it."""
        time = self.now if at is None else int(at)
        return str(WebhookSignature.generate_signature_header(body.decode(), secret, time))
