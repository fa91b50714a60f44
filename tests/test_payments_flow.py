"""Paying in from end to end, in memory: a client's command, Stripe's double, its webhook, and the balance."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

from bridges.payments.desk import AT_ONCE, Desk
from safeum_home.config_payments import BankSection, PaymentSection
from safeum_home.config_safenum import SafenumSection
from safeum_home.errors import Code, Problem
from safeum_home.gateway import notifications
from safeum_home.gateway.resources import place
from safeum_home.node.payments import NodePayments
from safeum_home.ports.payments import Order, Paid
from safeum_home.protocol.http import PAYMENTS_PATH
from safeum_home.protocol.references import creditor_reference
from tests.file_case import Answer, Web, request
from tests.payments_case import NOW, StripeCase
from tests.statements import IBAN
from tests.world import Client, Refused, World

UNIT = 1_000_000
PATH = f"{PAYMENTS_PATH}card"
MANY, EACH = notifications.AT_ONCE, notifications.OF_AN_ADDRESS


class FlowCase(StripeCase):
    section = PaymentSection(bank=BankSection(IBAN, "Example Ltd", "SOGEDEFFXXX"), breaker_failures=3)

    def setUp(self) -> None:
        super().setUp()
        self.desk = Desk(self.clock, self.section, [("card", "stripe", self.provider)])
        self.payments = NodePayments(self.desk)
        self.world = World(payments=self.desk, payment_section=self.section, clock=self.clock)
        self.money = self.world.domain.money
        self.payments.takings = self.money.takings
        self.web = Web(self.world)
        for path, resource in self.payments.resources.items():
            place(self.web.root, path, resource)
        self.web.site.streams = self.payments.stream
        self.ann = self.world.register("ann")

    def balance(self, client: Client | None = None) -> int:
        return int((client or self.ann).call("balance.get")["balance"])

    def top_up(self, amount: int = 20 * UNIT, **params: Any) -> dict[str, Any]:
        return self.ann.call("balance.topup", amount=amount, **params)

    def refused(self, method: str, **params: Any) -> str:
        return str(self.assertRaises(Refused, self.ann.call, method, **params).code)

    def hook(
        self, body: bytes, signature: str | None = None, path: str = PATH, method: str = "POST"
    ) -> Answer:
        given = self.double.signed(body) if signature is None else signature
        return self.web.ask(method, path, body, Stripe_Signature=given, Content_Type="application/json")


class TopUpTests(FlowCase):
    def test_whole(self) -> None:
        """From the command to the balance, which all devices are told of; however often the webhook comes."""
        self.assertEqual(
            self.ann.call("balance.ways"),
            {
                "pages": ["card"],
                "transfer": True,
                "currency": "EUR",
                "smallest": 5 * UNIT,
                "largest": 200 * UNIT,
            },
        )
        begun = self.top_up()
        self.assertTrue(begun["url"].startswith("https://checkout.stripe.com/"))
        self.assertEqual((begun["way"], begun["until"]), ("card", (NOW + 3600) * 1000))
        body = self.double.complete("cs_test_0001")
        for _ in range(3):
            answer = self.hook(body)
            self.assertEqual((answer.status, answer.body), (200, b"kept\n"))
        self.assertEqual(self.balance(), 20 * UNIT)
        [event] = [each for each in self.ann.events if each["method"] == "balance.changed"][-1:]
        self.assertEqual(event["params"]["balance"], 20 * UNIT)
        self.hook(self.double.refund("cs_test_0001", 500))
        self.assertEqual(self.balance(), 15 * UNIT)
        self.assertEqual(self.money.takings.told["card", "paid"], 3)
        self.assertEqual(self.payments.report(), ["card: taking payments; begun 1, notified 4"])

    def test_what_the_provider_learns(self) -> None:
        """No account, name, device, number or address: a reference, an amount, and where to go afterwards."""
        self.top_up()
        [sent] = self.double.taken
        told = f"{sent}{self.double.headers}"
        for canary in ("ann", self.ann.account, self.ann.account[1:27], self.ann.device, "127.0.0.1"):
            self.assertNotIn(canary, told)
        second = self.world.register("bob")
        second.call("balance.topup", amount=20 * UNIT)
        references = {each["client_reference_id"] for each in self.double.taken}
        self.assertEqual(len(references), 2)

    def test_refused(self) -> None:
        """Amounts, ways, and more than may be begun; nothing is left behind of what was refused."""
        for amount in (0, -5, 4_990_000, 200_010_000, 20 * UNIT + 1):
            self.assertEqual(self.refused("balance.topup", amount=amount), "bad_amount")
        self.assertEqual(self.refused("balance.topup", amount=20 * UNIT, way="other"), "not_found")
        self.double.failing = 400, "invalid_request_error"
        self.assertEqual(self.refused("balance.topup", amount=20 * UNIT), "payments_unavailable")
        self.assertEqual(self.world.database.count("payments"), 0)
        self.assertEqual(self.money.counts.refused["topup", "bad_amount"], 5)

    def test_limited(self) -> None:
        """One account does not have the node ask its provider without end."""
        codes = set()
        for _ in range(12):
            try:
                self.top_up()
            except Refused as refused:
                codes.add(refused.code)
        self.assertEqual(codes, {"rate_limited"})
        self.assertEqual(len(self.double.taken), 10)

    def test_in_trouble(self) -> None:
        """It is tried twice; a provider that stays down is left alone, and the client told for how long."""
        self.double.failing = 500, "api_error"
        asked = self.ann.ask("balance.topup", amount=20 * UNIT)
        self.assertIsNone(self.ann.answer(asked))
        self.clock.advance(1)
        self.assertRaises(Refused, self.ann.answer, asked)
        self.assertEqual(len(self.double.headers), 2)
        asked = self.ann.ask("balance.topup", amount=20 * UNIT)
        self.clock.advance(1)
        refused = self.assertRaises(Refused, self.ann.answer, asked)
        self.assertEqual(refused.code, "payments_unavailable")
        self.assertGreater(refused.error["data"]["retry_after"], 20)
        self.assertEqual(len(self.double.headers), 3)
        self.assertEqual(self.desk.standings()[0].state, "left alone for a while")
        self.double.failing = None
        self.clock.advance(31)
        self.top_up()
        self.assertEqual(self.desk.standings()[0].state, "taking payments")

    def test_refused_orders(self) -> None:
        """An order that a provider will not take is no trouble of its own; refused credentials are."""
        self.double.failing = 400, "invalid_request_error"
        for _ in range(4):
            self.assertEqual(self.refused("balance.topup", amount=20 * UNIT), "payments_unavailable")
        self.assertEqual(self.desk.standings()[0].state, "taking payments")
        self.double.failing = 403, "invalid_request_error"
        self.assertEqual(self.refused("balance.topup", amount=20 * UNIT), "payments_unavailable")
        self.assertEqual(self.desk.standings()[0].state, "left alone for a while")

    def test_yen(self) -> None:
        """Amounts are whole numbers of the currency's smallest unit."""
        section = PaymentSection(smallest="500", largest="20000")
        world = World(payments=self.desk, payment_section=section, safenum=SafenumSection(currency="JPY"))
        bob = world.register("bob")
        refused = self.assertRaises(Refused, bob.call, "balance.topup", amount=500 * UNIT + UNIT // 2)
        self.assertEqual(refused.code, "bad_amount")
        self.assertIn("steps of 1.00", refused.error["data"]["detail"])

    def test_bounded(self) -> None:
        """So many are under way with providers, and no more."""
        order = Order("R", 1, "EUR", 0)
        self.patch(self.provider, "begin", lambda order: Deferred())
        waiting = [self.start(order) for _ in range(AT_ONCE)]
        with self.assertRaises(Problem) as caught:
            self.start(order).send(None)
        self.assertEqual(caught.exception.code, Code.BUSY)
        for each in waiting:
            each.close()

    def start(self, order: Order) -> Any:
        work = self.desk.begin("card", order)
        try:
            work.send(None)
        except StopIteration:
            self.fail("it ended")
        return work

    def test_no_providers(self) -> None:
        world = World(payment_section=PaymentSection())
        bob = world.register("bob")
        told = bob.call("balance.ways")
        self.assertEqual((told["pages"], told["transfer"]), ([], False))
        refused = self.assertRaises(Refused, bob.call, "balance.topup", amount=20 * UNIT)
        self.assertEqual(refused.code, "payments_unavailable")
        self.assertEqual(self.assertRaises(Refused, bob.call, "balance.transfer").code, "not_found")


class TransferTests(FlowCase):
    def test_reference(self) -> None:
        """Each time another one, good by ISO 11649, which leads to the account on the node alone."""
        told = [self.ann.call("balance.transfer") for _ in range(2)]
        self.assertEqual(
            (told[0]["iban"], told[0]["holder"], told[0]["bic"]), (IBAN, "Example Ltd", "SOGEDEFFXXX")
        )
        references = {creditor_reference(each["reference"]) for each in told}
        self.assertEqual(len(references), 2)
        for number, reference in enumerate(references):
            assert reference is not None
            paid = Paid(reference, f"BANK-{number}", 5 * UNIT, "EUR")
            done = self.money.takings.book(paid)
            with self.assertRaises(StopIteration) as stopped:
                done.send(None)
            self.assertEqual(stopped.exception.value, (True, ""))
        self.assertEqual(self.balance(), 10 * UNIT)


class HookTests(FlowCase):
    def setUp(self) -> None:
        super().setUp()
        self.top_up()
        self.body = self.double.complete("cs_test_0001")

    def test_forged(self) -> None:
        """Who has no secret adds nothing; what is not signed is not even looked at."""
        for signature in (
            "",
            "t=1,v1=0",
            self.double.signed(self.body, "whsec_other"),
            self.double.signed(b"{}"),
        ):
            self.assertEqual(self.hook(self.body, signature).status, 401)
        old = self.double.signed(self.body, at=NOW - 301)
        self.assertEqual(self.hook(self.body, old).status, 401)
        self.assertEqual(self.balance(), 0)
        self.assertEqual(self.desk.standings()[0].counts["forged"], 5)

    def test_twice_in_the_head(self) -> None:
        """Of two signatures in two fields it is not for us to choose."""
        head = request("POST", PATH, self.body, Stripe_Signature=self.double.signed(self.body))
        head = head.replace(b"\r\nStripe-Signature:", b"\r\nStripe-Signature: t=1\r\nStripe-Signature:")
        connection = self.web.connect()
        connection.send(head)
        self.assertEqual(Answer(connection.sent()).status, 401)

    def test_long(self) -> None:
        """As long as Stripe's are, and no longer; in pieces, too."""
        long = self.double.complete("cs_test_0001", metadata={"x": "y" * 100_000})
        self.assertEqual(self.hook(long).status, 200)
        self.assertEqual(self.balance(), 20 * UNIT)
        self.assertEqual(self.hook(b"x" * (notifications.LARGEST + 1)).status, 413)
        connection = self.web.connect()
        connection.send(request("POST", PATH, None, Transfer_Encoding="chunked"))
        for _ in range(5):
            connection.send(b"%x\r\n%b\r\n" % (65536, b"x" * 65536))
        self.assertEqual(Answer(connection.sent()).status, 413)

    def test_at_once(self) -> None:
        """So many are held in memory, and those that are one too many come again."""
        open_ones = []
        for _ in range(EACH):
            connection = self.web.connect()
            connection.send(request("POST", PATH, None, Content_Length="100"))
            open_ones.append(connection)
        self.assertEqual(self.hook(self.body).status, 503)
        open_ones[0].lose()
        self.assertEqual(self.hook(self.body).status, 200)
        self.patch(notifications, "AT_ONCE", EACH - 1)
        self.assertEqual(self.hook(self.body).status, 503)
        self.assertGreater(MANY, EACH)

    def test_not_kept(self) -> None:
        """While the storage is away the provider is told to come again, and nothing is lost."""
        self.world.database.failing = True
        self.assertEqual(self.hook(self.body).status, 503)
        self.world.database.failing = False
        self.assertEqual(self.hook(self.body).status, 200)
        self.assertEqual(self.balance(), 20 * UNIT)

    def test_kept_first(self) -> None:
        """Nothing is answered before it is on disk."""
        self.world.database.hold = True
        connection = self.web.connect()
        connection.send(request("POST", PATH, self.body, Stripe_Signature=self.double.signed(self.body)))
        self.assertEqual(connection.sent(), b"")
        self.world.database.release()
        self.assertEqual(Answer(connection.sent()).status, 200)

    def test_no_secret(self) -> None:
        """Without the secret it cannot be checked: it comes again when the operator has set it."""
        del self.secrets["hook"]
        signed = self.double.signed(self.body)
        self.assertEqual(self.hook(self.body, signed).status, 503)

    def test_a_bridge_that_fails(self) -> None:
        """Nothing of what it says goes to the log, which may be a secret; the provider comes again."""

        def fails(notice: object) -> None:
            raise KeyError("whsec_canary")

        self.patch(self.provider, "meaning", fails)
        with capturedLogs() as told:
            self.assertEqual(self.hook(self.body).status, 503)
        self.assertIn("KeyError", repr(told))
        self.assertNotIn("whsec_canary", repr(told))

    def test_places(self) -> None:
        """A customer's browser is told that it may be closed; there is nothing else."""
        page = self.web.ask("GET", PATH)
        self.assertEqual(
            (page.status, page.body), (200, b"The payment is under way: you may close this page.\n")
        )
        for path in (f"{PAYMENTS_PATH}other", PAYMENTS_PATH, f"{PATH}/x", PAYMENTS_PATH.rstrip("/")):
            self.assertEqual(self.hook(self.body, path=path).status, 404, path)
        self.assertEqual(self.hook(self.body, method="PUT").status, 405)
