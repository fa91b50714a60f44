"""What tests of payment providers share: a context, and the way to a double."""

from typing import Any

from treq.testing import RequestTraversalAgent
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from bridges.payments.stripe import Stripe, StripeSettings
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.outgoing.http import HttpLimits
from safeum_home.ports.payments import Notice, Order, Outcome, PaymentContext
from tests.doubles.stripe import StripeDouble
from tests.sms_case import Way

NOW = 1_800_000_000
URL = "https://home.example/v1/payments/card"
HOUR = 3_600_000
ORDER = Order("ABCDEFGH23456777", 20_000_000, "EUR", NOW * 1000 + HOUR)


class StripeCase(SynchronousTestCase):
    """A provider with its double behind it."""

    tampered = False

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(NOW)
        self.double = StripeDouble(NOW)
        self.secrets = {"key": StripeDouble.KEY.encode(), "hook": f"{StripeDouble.SECRET}\n".encode()}
        self.provider = self.made()

    def open_secret(self, name: str) -> bytes:
        if name not in self.secrets:
            raise Problem(Code.NOT_FOUND)
        if self.tampered:
            raise Tampered
        return self.secrets[name]

    def made(self, root: Resource | None = None, **settings: Any) -> Stripe:
        context = PaymentContext("card", "home.example", self.clock, self.open_secret, URL)
        found = StripeSettings(key="secret:key", signature="secret:hook", **settings)
        way = Way(self.clock, found.url, RequestTraversalAgent(root or self.double), HttpLimits())
        return Stripe(context, found, way)

    def begin(self, order: Order = ORDER) -> Outcome:
        done: Deferred[Outcome] = self.provider.begin(order)
        return self.successResultOf(done)

    def notice(self, body: bytes, signature: str | None = None) -> Notice:
        given = self.double.signed(body) if signature is None else signature
        return Notice({"stripe-signature": given, "content-type": "application/json"}, body)
