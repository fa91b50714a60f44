"""What Stripe's webhooks say (https://docs.stripe.com/api/events/types), and whether Stripe says it.

The field `Stripe-Signature` has a time `t` and signatures `v1`: HMAC-SHA256 of "t.body", in hexadecimal.
There are several where the secret is being replaced (https://docs.stripe.com/webhooks/signature).
"""

import hmac
import re
from collections.abc import Sequence
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from safeum_home.ports.payments import Forged, Malformed, Noted, Notice, Paid, PaidBack, Told
from safeum_home.protocol.minor_units import from_minor

TOLERANCE = 300
"""Seconds between Stripe's time and the node's, in either direction."""
MOST_SIGNATURES = 16
REFUND_FAILED = "a refund has failed: what was taken from the balance for it is the customer's"
_TIME = re.compile(r"[0-9]{1,12}\Z")
_HEX = re.compile(r"[0-9a-f]{64}\Z")
_CURRENCY = r"^[a-z]{3}\Z"

Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_]{1,255}\Z")]
Minor = Annotated[int, Meta(ge=0, le=10**9)]
"""An amount in the currency's smallest unit; Stripe takes up to eight digits."""
Currency = Annotated[str, Meta(pattern=_CURRENCY)]
E = TypeVar("E", bound=Struct)


class _Event(Struct):
    type: Annotated[str, Meta(max_length=128)]
    created: Annotated[int, Meta(ge=0, le=2**40)]
    data: "_Data"


class _Data(Struct):
    object: msgspec.Raw


class _Session(Struct):
    id: Id
    mode: str
    payment_status: str
    client_reference_id: Annotated[str, Meta(max_length=200)] | None = None
    payment_intent: Id | None = None
    amount_total: Minor | None = None
    currency: Currency | None = None


class _Charge(Struct):
    id: Id
    amount_refunded: Minor
    currency: Currency
    payment_intent: Id | None = None


class _Refund(Struct):
    id: Id
    charge: Id | None = None
    payment_intent: Id | None = None


class _Dispute(Struct):
    id: Id
    amount: Minor
    currency: Currency
    charge: Id | None = None
    payment_intent: Id | None = None


def meaning(notice: Notice, secret: str, now: float) -> Sequence[Told]:
    """What a webhook says; `now` is in seconds. Raises `Forged` and `Malformed`."""
    verify(notice.headers.get("stripe-signature", ""), notice.body, secret, now)
    event = _decoded(notice.body, _Event)
    match event.type:
        case "checkout.session.completed" | "checkout.session.async_payment_succeeded":
            return _session(_decoded(event.data.object, _Session))
        case "charge.refunded":
            charge = _decoded(event.data.object, _Charge)
            payment = charge.payment_intent or charge.id
            return [_back(payment, "refunds", charge.amount_refunded, charge, event)]
        case "charge.dispute.funds_withdrawn" | "charge.dispute.funds_reinstated":
            dispute = _decoded(event.data.object, _Dispute)
            total = dispute.amount if event.type.endswith("withdrawn") else 0
            return [_back(_of(dispute), dispute.id, total, dispute, event)]
        case "refund.failed":
            # How much of the payment is with the customer now is not in it.
            refund = _decoded(event.data.object, _Refund)
            return [Noted(refund.payment_intent or refund.charge or refund.id, REFUND_FAILED, refund.id)]
        case "charge.dispute.created":
            dispute = _decoded(event.data.object, _Dispute)
            return [Noted(_of(dispute), "disputed by the customer", dispute.id)]
    return []


def verify(header: str, body: bytes, secret: str, now: float) -> None:
    """Raises `Forged`."""
    fields = [item.partition("=")[::2] for item in header.split(",")]
    times = [value for name, value in fields if name.strip() == "t"]
    given = [value for name, value in fields if name.strip() == "v1"][:MOST_SIGNATURES]
    if len(times) != 1 or not _TIME.match(times[0]):
        raise Forged
    expected = signature(secret, times[0], body)
    # All are compared, so that it takes the same time whichever is right.
    right = [hmac.compare_digest(expected, each) for each in given if _HEX.match(each)]
    if not any(right) or abs(now - int(times[0])) > TOLERANCE:
        raise Forged


def signature(secret: str, time: str, body: bytes) -> str:
    """The `v1` of a body at a time."""
    return hmac.digest(secret.encode(), time.encode() + b"." + body, "sha256").hex()


def _session(session: _Session) -> Sequence[Told]:
    """A session is complete before a payment that takes days is good: then it is told of again."""
    if session.mode != "payment" or session.payment_status != "paid" or not session.client_reference_id:
        # Of another use that the account is put to: of links that are paid under, for instance.
        return []
    if session.payment_intent is None or session.currency is None or not session.amount_total:
        raise Malformed
    currency = session.currency.upper()
    amount = from_minor(session.amount_total, currency)
    return [Paid(session.client_reference_id, session.payment_intent, amount, currency)]


def _back(payment: str, part: str, total: int, of: "_Charge | _Dispute", event: _Event) -> PaidBack:
    currency = of.currency.upper()
    return PaidBack(payment, part, from_minor(total, currency), currency, event.created)


def _of(dispute: _Dispute) -> str:
    return dispute.payment_intent or dispute.charge or dispute.id


def _decoded(octets: bytes | msgspec.Raw, kind: type[E]) -> E:
    try:
        return msgspec.json.decode(octets, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Malformed from None
