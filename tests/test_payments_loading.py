"""Bridges to providers are entry points: ours, and a third party's, as docs/payments.md shows it."""

import hmac
import json
import re
from pathlib import Path
from typing import Any

from msgspec.structs import fields
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bridges.payments.loading import GROUP, load
from bridges.payments.stripe import StripeSettings
from safeum_home.config import Config, ConfigError, parse
from safeum_home.errors import Code, Problem
from safeum_home.node import startup
from safeum_home.node.payments import make_payments
from safeum_home.node.startup import StartError
from safeum_home.ports.payments import Notice, Order, Paid
from safeum_home.protocol.references import creditor_reference
from tests.entry_points import install

DOCUMENT = Path(__file__).parent.parent / "docs" / "payments.md"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
NODE = '[node]\nname = "home.example"\nstate_dir = "/nowhere"\n'


def blocks(language: str) -> list[str]:
    return [body for found, body in FENCE.findall(DOCUMENT.read_text()) if found == language]


def configurations() -> list[Config]:
    """Those that the document shows."""
    return [parse(NODE + body) for body in blocks("toml")]


class LoadingTests(SynchronousTestCase):
    def test_none(self) -> None:
        told = str(self.assertRaises(ConfigError, load, "paypal"))
        self.assertIn("payments.providers: there is no kind paypal", told)
        self.assertIn("stripe", told)

    def test_before_the_start(self) -> None:
        """What is wrong with a provider keeps the node from starting, and from opening, in one line."""
        text = NODE + '[[payments.providers]]\nname = "card"\nkind = "stripe"\n'
        for wrong, why in (
            ("", "key"),
            ('settings = { key = "secret:a", signature = "secret:b", x = 1 }', "x"),
            ('settings = { key = "secret:a", signature = "secret:b", ca = "/nowhere" }', "ca"),
        ):
            config = parse(text + wrong)
            self.assertIn(why, str(self.assertRaises(StartError, make_payments, config, Clock(), dict)))
        state = Path(self.mktemp())
        state.mkdir(mode=0o700)
        config = parse(text.replace("/nowhere", str(state)))
        self.assertIn("card", str(self.assertRaises(StartError, startup.check, config)))

    def test_no_inline_secret(self) -> None:
        text = NODE + '[[payments.providers]]\nname = "card"\nkind = "stripe"\n'
        for key in ("key", "signature"):
            refused = self.assertRaises(ConfigError, parse, text + f'settings = {{ {key} = "whsec_1" }}')
            self.assertIn("must not stand in the configuration", str(refused))
            self.assertNotIn("whsec_1", str(refused))

    def test_configuration(self) -> None:
        """What no type says of the section."""
        for text, why in (
            ('[payments]\nsmallest = "0"', "smallest"),
            ('[payments]\nsmallest = "300"', "smallest"),
            ('[payments]\nlargest = "x"', "largest"),
            ('[payments.bank]\niban = "DE75512108001245126198"\nholder = "A"', "iban"),
            ('[payments.bank]\niban = "DE75512108001245126199"', "holder"),
            ('[payments.bank]\niban = "DE75512108001245126199"\nholder = "A"\nbic = "X"', "bic"),
            ('[[payments.providers]]\nname = "bank"\nkind = "x"', "something else"),
            ('[[payments.providers]]\nname = "payback"\nkind = "x"', "something else"),
            ('[[payments.providers]]\nname = "a"\nkind = "x"\n' * 2, "two of one name"),
            ('[premium]\nprice = "0"', "premium.price"),
        ):
            self.assertIn(why, str(self.assertRaises(ConfigError, parse, NODE + text)))


class ThirdPartyTests(SynchronousTestCase):
    """What docs/payments.md shows in full, installed and used."""

    def setUp(self) -> None:
        [code] = blocks("python")
        install(self, GROUP, "till", code, {"till": "till:till"})
        [config] = [
            each
            for each in configurations()
            if each.payments.providers[:1] and each.payments.providers[0].kind == "till"
        ]
        self.payments = make_payments(config, Clock(), self.secret)

    def secret(self, name: str) -> bytes:
        if name != "till":
            raise Problem(Code.NOT_FOUND)
        return b"open sesame\n"

    def meaning(self, document: object, signature: str | None = None) -> Any:
        body = json.dumps(document).encode()
        right = hmac.digest(b"open sesame", body, "sha256").hex()
        return self.payments.desk.meaning(
            "cash", Notice({"x-till": right if signature is None else signature}, body)
        )

    def test_begun(self) -> None:
        work = self.payments.desk.begin("cash", Order("ABC", 20_000_000, "EUR", 0))
        with self.assertRaises(StopIteration) as done:
            work.send(None)
        self.assertEqual(done.exception.value, "https://shop.example/pay#ABC")

    def test_paid(self) -> None:
        receipt = {"reference": "ABC", "number": "17", "cents": 2000, "currency": "EUR"}
        self.assertEqual(list(self.meaning(receipt)), [Paid("ABC", "17", 20_000_000, "EUR")])
        for document, signature, code in (
            (receipt, "", Code.BAD_SIGNATURE),
            (receipt, "0" * 64, Code.BAD_SIGNATURE),
            ({**receipt, "cents": -1}, None, Code.BAD_REQUEST),
            ([], None, Code.BAD_REQUEST),
        ):
            with self.assertRaises(Problem) as caught:
                self.meaning(document, signature)
            self.assertEqual(caught.exception.code, code)


class DocumentTests(SynchronousTestCase):
    def test_settings(self) -> None:
        """Every setting of `stripe` is in its table, with its default."""
        table = DOCUMENT.read_text().partition("### stripe")[2].partition("## ")[0]
        for field in fields(StripeSettings):
            self.assertIn(f"`{field.name}`", table)
            if not field.required:
                self.assertIn(f"| `{field.name}` | `{json.dumps(field.default)}` |", table)

    def test_reference(self) -> None:
        """The reference that is shown is one."""
        [shown] = re.findall(r"`(RF[0-9A-Z ]+)`", DOCUMENT.read_text())
        self.assertEqual(creditor_reference(shown), shown.replace(" ", ""))

    def test_events(self) -> None:
        """Each event that the bridge looks at is named, so that it is sent."""
        page = DOCUMENT.read_text()
        source = Path("bridges/payments/stripe_events.py")
        text = (DOCUMENT.parent.parent / source).read_text()
        named = set(re.findall(r'"((?:checkout|charge)\.[a-z_.]+)"', text))
        self.assertEqual({event for event in named if f"`{event}`" not in page}, set())
        self.assertEqual(len(named), 6)
