"""What accounts ask of their money, over their own sessions."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.words.money_words import amount, invoice_csv
from safeum_home.ids import AccountId
from safeum_home.jobs import AGAIN
from safeum_home.ports.money import Leg, Over
from safeum_home.protocol.commands.money import Invoice, InvoiceItem
from safeum_home.safenum.money.months import parse_day
from safeum_home.safenum.money.rate_table import RateTable
from safeum_home.safenum.money.sweep import EVERY, SOON
from tests.money_case import LANDLINE, PREMIUM, RATES, SAFENUM, UNIT
from tests.world import Client, Refused, World

DAY = 86_400


class CommandCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.money = self.world.domain.money
        self.money.tables.table = RateTable(RATES)
        self.world.clock.advance(parse_day("2026-11-29") * DAY - self.world.clock.seconds())
        self.ann = self.world.register("ann")

    def do(self, coroutine: Any) -> Any:
        found: list[Any] = []
        Deferred.fromCoroutine(coroutine).addCallback(found.append)
        return found[0]

    def who(self, client: Client) -> AccountId:
        return AccountId(client.account)

    def pay_in(self, units: int = 1, reference: str = "1") -> None:
        self.do(self.money.credits.credit(self.who(self.ann), units * UNIT, "EUR", "bank", reference))

    def speak(self, seconds: float, number: str = LANDLINE) -> None:
        calls, who = self.money.charging, self.who(self.ann)
        self.do(calls.outgoing(who, "1", Leg(SAFENUM, number)))
        self.do(calls.answered(who, "1", self.now()))
        self.world.clock.advance(seconds)
        self.do(calls.settle(who, "1", Over(self.now())))

    def now(self) -> int:
        return int(self.world.clock.seconds() * 1000)

    def refused(self, method: str, **params: Any) -> str:
        return str(self.assertRaises(Refused, self.ann.call, method, **params)).strip()


class BalanceTests(CommandCase):
    def test_balance(self) -> None:
        nothing = {"currency": "EUR", "balance": 0, "held": 0, "country": None}
        self.assertEqual(self.ann.call("balance.get"), nothing)
        self.pay_in()
        self.ann.call("account.country", country="FI")
        told = {"currency": "EUR", "balance": UNIT, "held": 0, "country": "FI"}
        self.assertEqual(self.ann.call("balance.get"), told)
        bob = self.world.register("bob")
        self.assertEqual(bob.call("balance.get"), nothing)

    def test_told(self) -> None:
        """All devices that are connected learn of each change, of one's own money alone."""
        other, bob = self.world.login("ann"), self.world.register("bob")
        self.ann.call("account.country", country="DE")
        for client in (self.ann, other, bob):
            client.take()
        self.pay_in()
        self.speak(60)
        told = [event["params"] for event in self.ann.take("balance.changed")]
        self.assertEqual(
            told,
            [
                {"currency": "EUR", "balance": UNIT, "held": 0},
                {"currency": "EUR", "balance": UNIT - 14_280, "held": 14_280},
                {"currency": "EUR", "balance": UNIT - 14_280, "held": 0},
            ],
        )
        self.assertEqual(len(other.take("balance.changed")), 3)
        self.assertEqual(bob.take("balance.changed"), [])

    def test_told_late(self) -> None:
        """Changes that come while a balance is read are told, and the last is the last."""
        self.world.database.hold_reads = True
        for reference in "123":
            self.pay_in(1, reference)
        self.world.database.hold_reads = False
        self.world.database.answer_reads()
        told = [event["params"]["balance"] for event in self.ann.take("balance.changed")]
        self.assertEqual(told[-1], 3 * UNIT)

    def test_told_when_it_can_be_read(self) -> None:
        """Where the database goes away behind a change devices learn of it once that is back."""
        bob = self.world.register("bob")
        self.world.database.reading_fails = True
        self.pay_in()
        self.do(self.money.credits.credit(self.who(bob), 2 * UNIT, "EUR", "bank", "2"))
        self.world.settle(60)
        self.assertEqual(self.ann.take("balance.changed"), [])
        self.world.database.reading_fails = False
        self.world.settle(AGAIN)
        told = [client.take("balance.changed")[0]["params"]["balance"] for client in (self.ann, bob)]
        self.assertEqual(told, [UNIT, 2 * UNIT])

    def test_country(self) -> None:
        """It decides on the tax; what is no country is refused."""
        self.assertEqual(self.refused("balance.price", number=LANDLINE), "country_needed")
        for country, minute in (("FI", 15_060), ("DE", 14_280), ("US", 12_000), ("HU", 15_240)):
            self.ann.call("account.country", country=country)
            price = self.ann.call("balance.price", number=LANDLINE)
            self.assertEqual((price["per_minute"], price["country"]), (minute, country))
        self.assertIn("invalid_params", self.refused("account.country", country="ZZ"))
        self.assertIn("invalid_params", self.refused("account.country", country="de"))

    def test_price(self) -> None:
        self.ann.call("account.country", country="DE")
        self.assertEqual(
            self.ann.call("balance.price", number="+491701234567"),
            {
                "currency": "EUR",
                "destination": "Germany mobile",
                "kind": "mobile",
                "connection_fee": 59_500,
                "per_minute": 142_800,
                "first_increment": 60,
                "increment": 60,
                "vat_rate": 1900,
                "country": "DE",
            },
        )
        self.assertEqual(self.refused("balance.price", number=PREMIUM), "destination_refused premium")
        self.assertEqual(self.refused("balance.price", number="112"), "no_rate")
        self.assertIn("invalid_params", self.refused("balance.price", number="sip:a@b"))

    def test_statement(self) -> None:
        """In pages, the newest first, of one's own account alone."""
        self.ann.call("account.country", country="DE")
        for number in range(5):
            self.pay_in(1, str(number))
        self.speak(30)
        page = self.ann.call("balance.statement", limit=2)
        self.assertEqual([line["line"] for line in page["lines"]], [6, 5])
        self.assertTrue(page["more"])
        self.assertEqual(page["lines"][0]["amount"], -7_140)
        self.assertEqual((page["lines"][0]["kind"], page["lines"][0]["number"]), ("call", LANDLINE))
        rest = self.ann.call("balance.statement", before=5, limit=100)
        self.assertEqual([line["balance"] for line in rest["lines"]], [4 * UNIT, 3 * UNIT, 2 * UNIT, UNIT])
        self.assertFalse(rest["more"])
        self.assertEqual(self.world.register("bob").call("balance.statement")["lines"], [])


class InvoiceTests(CommandCase):
    def test_invoice(self) -> None:
        """Of months that are over, by what is taxed alike; the same each time."""
        self.pay_in()
        self.assertEqual(self.ann.call("invoice.list"), {"months": []})
        self.ann.call("account.country", country="DE")
        self.speak(30)
        self.speak(60)
        self.ann.call("account.country", country="FI")
        self.speak(60)
        self.assertEqual(self.ann.call("invoice.list"), {"months": []})
        self.assertIn("not_found", self.refused("invoice.get", month="2026-11"))
        self.world.clock.advance(3 * DAY)
        self.pay_in(1, "2")
        self.assertEqual(self.ann.call("invoice.list"), {"months": ["2026-11"]})
        invoice = self.ann.call("invoice.get", month="2026-11")
        self.assertRegex(invoice["number"], "^[A-Z2-7]{8}-2026-11$")
        self.assertEqual(
            [(each["country"], each["count"], each["seconds"], each["gross"]) for each in invoice["items"]],
            [("DE", 2, 90, 21_420), ("FI", 1, 60, 15_060)],
        )
        for item in invoice["items"]:
            self.assertEqual(item["net"] + item["vat"], item["gross"])
        self.speak(60)
        self.assertEqual(self.ann.call("invoice.get", month="2026-11"), invoice)
        self.assertIn("not_found", self.refused("invoice.get", month="2026-10"))
        self.assertIn("invalid_params", self.refused("invoice.get", month="2026-13"))

    def test_settled_later(self) -> None:
        """A call of a month that is over is booked when it is settled: no invoice changes."""
        self.pay_in()
        self.ann.call("account.country", country="DE")
        calls, who = self.money.charging, self.who(self.ann)
        self.do(calls.outgoing(who, "1", Leg(SAFENUM, LANDLINE)))
        ended = self.now() + 10_000
        self.world.clock.advance(3 * DAY)
        self.do(calls.settle(who, "1", Over(ended, ended - 5_000)))
        self.assertEqual(self.ann.call("invoice.list"), {"months": []})

    def test_csv(self) -> None:
        item = InvoiceItem("call", "EUR", "FI", 2550, 3, 90, 6_000, 1_530, 7_530)
        text = invoice_csv(Invoice("ABC-2026-11", "2026-11", "home.example", [item]))
        self.assertEqual(
            text.splitlines()[1],
            "ABC-2026-11,2026-11,home.example,call,3,90,FI,25.5,0.006,0.00153,0.00753,EUR",
        )
        self.assertEqual(amount(-1_500_000), "-1.50")


class LifeTests(CommandCase):
    def test_kept_for_months(self) -> None:
        """Records and lines go when they were kept for long enough; what is younger stays."""
        self.ann.call("account.country", country="DE")
        self.pay_in()
        self.speak(60)
        self.money.sweep.start()
        self.addCleanup(self.money.sweep.stop)
        self.world.clock.advance(SOON)
        count = self.world.database.count
        self.assertEqual((count("cdrs"), count("statements")), (1, 2))
        for _ in range(8 * 31):
            self.world.clock.advance(EVERY)
        self.assertEqual((count("cdrs"), count("statements")), (0, 2))
        for _ in range(18 * 31):
            self.world.clock.advance(EVERY)
        self.assertEqual((count("cdrs"), count("statements")), (0, 0))
        self.assertEqual(self.ann.call("balance.get")["balance"], UNIT - 14_280)

    def test_database_away(self) -> None:
        """Old copies of what has gone open no more, though it could not be read at first that this is due."""
        self.ann.call("account.country", country="DE")
        self.pay_in()
        self.speak(60)
        self.world.clock.advance(240 * DAY)
        self.money.sweep.start()
        self.addCleanup(self.money.sweep.stop)
        epoch = self.world.vault.keyring.epoch
        self.world.database.reading_fails = True
        self.world.clock.advance(SOON)
        self.assertEqual((self.world.database.count("cdrs"), self.world.vault.keyring.epoch), (0, epoch))
        self.world.database.reading_fails = False
        self.world.settle(AGAIN)
        self.assertEqual(self.world.vault.keyring.epoch, epoch + 1)

    def test_closed(self) -> None:
        """With the account its money is forfeited, and a call that goes on is settled."""
        self.ann.call("account.country", country="DE")
        self.pay_in()
        self.do(self.money.charging.outgoing(self.who(self.ann), "1", Leg(SAFENUM, LANDLINE)))
        self.ann.call("account.pin.set", pin="736451", password="correct horse battery")
        self.ann.ask("session.block", pin="736451")
        self.world.settle()
        count = self.world.database.count
        for table in ("wallets", "statements", "holds"):
            self.assertEqual(count(table), 0, table)
        totals: list[Any] = []
        self.world.database.read(self.money.ledger.totals).addCallback(totals.append)
        self.assertEqual(
            {total.account: total.amount for total in totals[0] if total.amount},
            {"clearing:bank": UNIT, "forfeited": -UNIT},
        )

    def test_started_anew(self) -> None:
        """The next node settles what was open, and reads the rates."""
        self.ann.call("account.country", country="DE")
        self.pay_in()
        self.do(self.money.tables.replace(RATES, RateTable(RATES)))
        who = self.who(self.ann)
        self.do(self.money.charging.outgoing(who, "1", Leg(SAFENUM, LANDLINE)))
        self.do(self.money.charging.answered(who, "1", self.now()))
        world = World(self.world.database, self.world.vault, clock=self.world.clock)
        world.domain.money.start()
        self.addCleanup(world.domain.money.stop)
        client = world.login("ann")
        told = client.call("balance.get")
        self.assertEqual((told["balance"], told["held"]), (UNIT - 238, 0))
        self.assertEqual(client.call("balance.price", number=LANDLINE)["per_minute"], 14_280)
