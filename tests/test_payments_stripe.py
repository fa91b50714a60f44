"""The bridge to Stripe, against a double written from Stripe's documents, and its library's signatures."""

import string
import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from stripe import SignatureVerificationError, WebhookSignature
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import Request

from bridges.payments.loading import load
from bridges.payments.stripe import stripe
from bridges.payments.stripe_events import MOST_SIGNATURES, REFUND_FAILED, TOLERANCE, signature, verify
from safeum_home.config import ConfigError
from safeum_home.errors import Problem
from safeum_home.ports.payments import (
    Begun,
    Forged,
    Malformed,
    Noted,
    Paid,
    PaidBack,
    Permanent,
    Temporary,
    Told,
)
from safeum_home.protocol.minor_units import from_minor, to_minor
from tests.doubles.sms import reply
from tests.doubles.stripe import PRICE, StripeDouble
from tests.payments_case import NOW, ORDER, URL, StripeCase

SECRET = StripeDouble.SECRET
SETTINGS = {"key": "secret:key", "signature": "secret:hook"}


class Answers(Resource):
    """One answer for all."""

    isLeaf = True

    def __init__(self, status: int, document: object, **headers: str) -> None:
        super().__init__()
        self._answer = status, document, headers

    def render_POST(self, request: Request) -> bytes:
        status, document, headers = self._answer
        for name, value in headers.items():
            request.setHeader(name.replace("_", "-"), value)
        return reply(request, status, document)


class BeginTests(StripeCase):
    def test_begun(self) -> None:
        """A reference, an amount and where to go afterwards are all that leaves."""
        self.assertEqual(
            self.begin(), Begun("https://checkout.stripe.com/c/pay/cs_test_0001#fidkdWxOYHwnPyd1blpxYHZxWjA0")
        )
        [taken] = self.double.taken
        self.assertEqual(
            taken,
            {
                "mode": "payment",
                "client_reference_id": ORDER.reference,
                "line_items[0][quantity]": "1",
                f"{PRICE}[currency]": "eur",
                f"{PRICE}[unit_amount]": "2000",
                f"{PRICE}[product_data][name]": "Balance",
                "expires_at": str(NOW + 3600),
                "success_url": URL,
                "cancel_url": URL,
            },
        )
        head = self.double.headers[0]
        self.assertEqual(head["idempotency-key"], ORDER.reference)
        self.assertEqual(head["stripe-version"], "2026-10-28.endive")
        self.assertNotIn("cookie", head)

    def test_again(self) -> None:
        """The same order again is the same session."""
        self.assertEqual(self.begin(), self.begin())
        self.assertEqual(len(self.double.sessions), 1)
        self.assertEqual(
            self.begin(ORDER._replace(amount=5_000_000)), Permanent("the provider refuses the payment")
        )

    def test_refused(self) -> None:
        """What is of the account, what may be tried again, and what not."""
        for status, outcome in {
            400: Permanent("the provider refuses the payment"),
            402: Permanent("the provider refuses the payment"),
            403: Permanent("the provider refuses the credentials", account_refused=True),
            409: Temporary("the provider asks to be asked later"),
            429: Temporary("the provider asks to be asked later"),
            500: Temporary("the provider has a failure"),
            503: Temporary("the provider has a failure"),
        }.items():
            self.double.failing = status, "api_error"
            self.assertEqual(self.begin(), outcome)
        self.secrets["key"] = b"sk_test_wrong"
        self.assertEqual(
            self.begin(), Permanent("the provider refuses the credentials", account_refused=True)
        )
        self.secrets.clear()
        self.assertIn("not in the sealed store", str(self.begin()))
        self.assertEqual(self.provider.trouble, "no secret key in the store")

    def test_answers(self) -> None:
        """What is no session, and a page that nobody should be sent to, are not shown to anybody."""
        for document in (
            "<html>",
            {},
            {"id": "cs_1"},
            {"id": 5, "url": "https://x"},
            {"id": "../", "url": "https://x"},
        ):
            self.provider = self.made(Answers(200, document))
            self.assertEqual(self.begin(), Temporary("the answer is not understood"))
        for url in ("http://x", "javascript:alert(1)", "https://x\n", "https://", "https://ä", "data:,"):
            self.provider = self.made(Answers(200, {"id": "cs_1", "url": url}))
            self.assertEqual(self.begin(), Permanent("the answer names no page to pay on"))
        self.provider = self.made(Answers(302, "", location="https://elsewhere.example"))
        self.assertIn("its URL is wrong", str(self.begin()))
        self.provider = self.made(Answers(429, {}, retry_after="7"))
        self.assertEqual(self.begin(), Temporary("the provider asks to be asked later", 7.0))

    def test_no_secret_is_told(self) -> None:
        """Neither in outcomes nor in what the provider is, as text."""
        self.double.failing = 400, "card_error"
        for each in (self.begin(), self.provider, self.provider.trouble):
            self.assertNotIn(StripeDouble.KEY, repr(each))


class EventTests(StripeCase):
    def setUp(self) -> None:
        super().setUp()
        self.begin()
        self.session = "cs_test_0001"

    def told(self, body: bytes, signature: str | None = None) -> list[Told]:
        return list(self.provider.meaning(self.notice(body, signature)))

    def test_paid(self) -> None:
        """A payment is told when it is good: at once, or by a second event days later."""
        paid = Paid(ORDER.reference, "pi_test_0001", 20_000_000, "EUR")
        self.assertEqual(self.told(self.double.complete(self.session, paid=False)), [])
        self.assertEqual(self.told(self.double.succeed(self.session)), [paid])
        self.assertEqual(self.told(self.double.complete(self.session)), [paid])

    def test_paid_back(self) -> None:
        """Refunds are told as what is refunded in all; a dispute by itself, and what becomes of it."""
        self.double.complete(self.session)
        back = PaidBack("pi_test_0001", "refunds", 5_000_000, "EUR", NOW + 2)
        self.assertEqual(self.told(self.double.refund(self.session, 500)), [back])
        withdrawn = PaidBack("pi_test_0001", "du_1", 20_000_000, "EUR", NOW + 3)
        self.assertEqual(self.told(self.double.dispute(self.session, "funds_withdrawn")), [withdrawn])
        reinstated = PaidBack("pi_test_0001", "du_1", 0, "EUR", NOW + 4)
        self.assertEqual(self.told(self.double.dispute(self.session, "funds_reinstated")), [reinstated])
        [noted] = self.told(self.double.dispute(self.session, "created"))
        self.assertEqual(noted, Noted("pi_test_0001", "disputed by the customer", "du_1"))
        [noted] = self.told(self.double.refund_failed(self.session))
        self.assertEqual(noted, Noted("pi_test_0001", REFUND_FAILED, "re_1"))

    def test_others(self) -> None:
        """Events of other things, and sessions that the node has not begun, are nothing."""
        self.assertEqual(self.told(self.double.event("customer.created", {"id": "cus_1"})), [])
        self.assertEqual(self.told(self.double.complete(self.session, mode="subscription")), [])
        self.assertEqual(
            self.told(self.double.complete(self.session, mode="payment", client_reference_id=None)), []
        )

    def test_malformed(self) -> None:
        """What is signed, and not what the documents describe."""
        for changes in (
            {"payment_intent": None},
            {"amount_total": None},
            {"amount_total": -5},
            {"amount_total": 10**12},
            {"currency": "EURO"},
            {"payment_intent": "pi 1"},
        ):
            fields: dict[str, Any] = {"currency": "eur", "amount_total": 5} | changes
            body = self.double.complete(self.session, **fields)
            self.assertRaises(Malformed, self.told, body)
        for body in (b"", b"{}", b"[]", b'{"type":5}', b"\xff", b'{"type":"x","created":1,"data":5}'):
            given = f"t={NOW},v1={signature(SECRET, str(NOW), body)}"
            self.assertRaises(Malformed, self.told, body, given)

    def test_no_secret(self) -> None:
        """Without the secret nothing is believed."""
        body = self.double.complete(self.session)
        self.secrets["hook"] = b"\n"
        self.assertRaises(Problem, self.told, body)
        del self.secrets["hook"]
        self.assertRaises(Problem, self.told, body)


class SignatureTests(StripeCase):
    BODY = b'{"type": "x", "created": 1, "data": {"object": {}}}'

    def check(self, header: str, body: bytes = BODY, secret: str = SECRET, now: float = NOW) -> None:
        verify(header, body, secret, now)

    def refused(self, header: str, **more: Any) -> None:
        self.assertRaises(Forged, lambda: self.check(header, **more))

    def good(self, at: float = NOW, secret: str = SECRET) -> str:
        return self.double.signed(self.BODY, secret, at)

    def test_theirs(self) -> None:
        """What Stripe's library signs is taken."""
        self.check(self.good())
        self.check(self.good(), now=NOW + TOLERANCE)
        self.check(self.good(), now=NOW - TOLERANCE)

    @given(st.text().map(str.encode), st.text(string.ascii_letters + string.digits + "_", min_size=1))
    def test_ours(self, body: bytes, secret: str) -> None:
        """What is signed here Stripe's library takes, and so does ours what it signs."""
        now = int(time.time())
        header = f"t={now},v1={signature(secret, str(now), body)}"
        self.assertTrue(WebhookSignature.verify_header(body, header, secret, TOLERANCE))
        verify(WebhookSignature.generate_signature_header(body.decode(), secret, now), body, secret, now)
        with self.assertRaises(SignatureVerificationError):
            WebhookSignature.verify_header(body + b"x", header, secret, TOLERANCE)

    def test_old(self) -> None:
        """What was signed long ago, or will be, was kept by somebody."""
        self.refused(self.good(), now=NOW + TOLERANCE + 1)
        self.refused(self.good(), now=NOW - TOLERANCE - 1)

    def test_several(self) -> None:
        """While the secret is being replaced there are two: one of them has to be right."""
        right = self.good()
        wrong = "0" * 64
        self.check(f"{right},v1={wrong}")
        self.check(right.replace(",v1=", f",v1={wrong},v0={wrong},v1="))
        time, _, rest = right.partition(",")
        self.refused(",".join([time, *[f"v1={wrong}"] * MOST_SIGNATURES, rest]))

    def test_forged(self) -> None:
        """Another secret, body, time or scheme, or none."""
        right = self.good()
        self.refused(right, secret="whsec_other")
        self.refused(right, body=self.BODY + b" ")
        self.refused(right.replace(f"t={NOW}", f"t={NOW + 1}"))
        self.refused(right.replace("v1=", "v0="))
        self.refused(right.replace(f"t={NOW},", ""))
        self.refused(f"t={NOW},{right}")
        for header in (
            "",
            "t=",
            "v1=",
            f"t={NOW}",
            "t=x,v1=y",
            f"t={NOW},v1=ä",
            f"t={NOW},v1={'f' * 63}",
            ",,,",
            "t=-1,v1=0",
        ):
            self.refused(header)
        for at in range(len(right)):
            if right[at] not in "tv1=,":
                self.refused(right[:at] + ("1" if right[at] != "1" else "2") + right[at + 1 :])


class SettingsTests(SynchronousTestCase):
    def test_ours(self) -> None:
        self.assertIs(load("stripe"), stripe)

    def test_checked(self) -> None:
        check = load("stripe").check  # type: ignore[attr-defined]
        check("card", SETTINGS)
        for wrong in (
            {},
            {**SETTINGS, "key": "sk_live_1"},
            {**SETTINGS, "url": "http://api.example"},
            {**SETTINGS, "return_url": "ftp://x"},
            {**SETTINGS, "colour": "red"},
            {**SETTINGS, "ca": "/nowhere"},
        ):
            self.assertIn("card", str(self.assertRaises(ConfigError, check, "card", wrong)))

    def test_minor_units(self) -> None:
        """Hundredths, none and thousandths; what is no whole number of them is none."""
        for currency, minor in (("EUR", 150), ("JPY", None), ("BHD", 1500)):
            if minor is None:
                self.assertRaises(ValueError, to_minor, 1_500_000, currency)
            else:
                self.assertEqual(to_minor(1_500_000, currency), minor)
                self.assertEqual(from_minor(minor, currency), 1_500_000)
        self.assertEqual(to_minor(2_000_000, "JPY"), 2)
