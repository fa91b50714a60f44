"""Paying in on a node that is killed: the commands of docs/payments.md, and a provider that notifies it."""

import json
import signal
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qsl
from urllib.request import Request, urlopen

from tests.doubles.stripe import StripeDouble
from tests.e2e.wire import RawClient, Wire
from tests.node_case import PATIENCE, NodeCase
from tests.statements import IBAN, Line, Part, paid, statement
from tests.test_docs import ROOT, commands

PAGE = ROOT / "docs" / "payments.md"
BANK = f'[payments.bank]\niban = "{IBAN}"\nholder = "Example Ltd"\n'


CARD = """
[[payments.providers]]
name = "card"
kind = "stripe"
[payments.providers.settings]
url = "http://127.0.0.1:{port}"
key = "secret:stripe-key"
signature = "secret:stripe-webhook"
"""


class Provider:
    """Answers each order with the same session, on a port of loopback, in a thread of its own."""

    def __init__(self) -> None:
        self.taken: list[dict[str, str]] = []
        taken = self.taken

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                taken.append(dict(parse_qsl(self.rfile.read(length).decode())))
                answer = json.dumps({"id": "cs_1", "url": "https://checkout.stripe.com/c/pay/cs_1"}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_arguments: object) -> None:
                """Nothing is written."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class OperatorTests(NodeCase):
    def tell(self, *arguments: str, code: int = 0) -> str:
        return self.operate(*arguments, "--config", str(self.config), code=code)

    def reference(self) -> str:
        """One of Ada's for a transfer."""
        return str(self.ask("balance.transfer")["reference"].replace(" ", ""))

    def balance(self) -> int:
        return int(self.ask("balance.get")["balance"])

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """A command of Ada's."""
        with RawClient(Wire(self.port, self.alpn)) as client:
            device = {"name": "a device", "system": "a system"}
            client.call("session.login", username="ada", password="correct horse battery", device=device)
            answer: dict[str, Any] = client.call(method, **params)
            return answer

    def test_by_the_book(self) -> None:
        """Every command of the page: what a statement has is added once, whatever is killed and repeated."""
        self.config.write_text(self.config.read_text() + BANK)
        node = self.serve()
        self.sign_up("ada")
        path, reference = self.folder / "statement.xml", self.reference()
        lines = (
            paid(structured=reference),
            paid("5.00", "BANK-REFERENCE", structured=""),
            paid("3.00", "B3", structured=reference, status="PDNG"),
            paid("3.00", "B4", structured=reference, reversal=True),
            Line("9.00", "B5", (Part("4.00", reference), Part("5.00", text=(reference,)))),
        )
        path.write_bytes(statement(lines))
        said = [self._line(command.text) for command in commands(PAGE)]
        self.assertEqual(len(said), 6)
        summary = (
            "camt.053.001.08, 5 entries: 3 {}, 1 unmatched, 1 reversals, 1 not booked yet; 29.00 together"
        )
        self.assertEqual(said[0], summary.format("to be added"))
        self.assertEqual(said[1], summary.format("added"))
        self.assertEqual(said[2], "20.00 EUR were added.")
        self.assertIn("DE75 5121 0800 1245 1261 99", said[3])
        self.assertEqual(said[4], "")
        self.assertEqual(self.balance(), 49_000_000)

        node.send_signal(signal.SIGKILL)
        node.wait(PATIENCE)
        self.serve()
        again = "camt.053.001.08, 5 entries: 4 were added before, 1 reversals, 1 not booked yet"
        self.assertEqual(self.tell("payments", "import", str(path)), again)
        self.assertEqual(self.balance(), 49_000_000)
        rows = json.loads(self.tell("payments", "import", str(path), "--json"))["items"]
        self.assertEqual([row["outcome"] for row in rows].count("before"), 4)
        self.tell("ledger", "check")
        self._refusals()
        for found in (self.folder / "state").rglob("*"):
            if found.is_file():
                self.assertNotIn(reference.encode(), found.read_bytes(), found.name)
        self.assertNotIn(reference, self.log.read_text())

    def test_provider(self) -> None:
        """A provider is asked over HTTP, and notifies the node over HTTPS; what it told outlives a kill."""
        provider = Provider()
        self.addCleanup(provider.stop)
        self.config.write_text(self.config.read_text() + CARD.format(port=provider.port))
        node = self.serve()
        for name, secret in (("stripe-key", StripeDouble.KEY), ("stripe-webhook", StripeDouble.SECRET)):
            self.operate("secret", "set", name, "--config", str(self.config), text=secret.encode())
        self.sign_up("ada")
        begun = self.ask("balance.topup", amount=20_000_000)
        self.assertEqual(begun["url"], "https://checkout.stripe.com/c/pay/cs_1")
        [form] = provider.taken
        double = StripeDouble(time.time())
        session = {
            "id": "cs_1",
            "mode": "payment",
            "payment_status": "paid",
            "payment_intent": "pi_1",
            "amount_total": 2000,
            "currency": "eur",
            "client_reference_id": form["client_reference_id"],
        }
        body = double.event("checkout.session.completed", session)
        self.assertEqual(self.notify(body, "t=1,v1=0"), 401)
        self.assertEqual(self.balance(), 0)
        self.assertEqual(self.notify(body, double.signed(body)), 200)
        self.assertEqual(self.balance(), 20_000_000)
        node.send_signal(signal.SIGKILL)
        node.wait(PATIENCE)
        self.serve()
        self.assertEqual(self.notify(body, double.signed(body)), 200)
        self.assertEqual(self.balance(), 20_000_000)
        state = json.loads(self.tell("payments", "--json"))
        self.assertEqual(state["providers"][0]["counts"], {"notified": 1})
        metrics = self.tell("ledger", "metrics")
        self.assertIn('safeum_money_payments_total{provider="card",what="paid"} 1', metrics)
        for secret in (StripeDouble.KEY, StripeDouble.SECRET, form["client_reference_id"]):
            self.assertNotIn(secret, self.log.read_text())

    def notify(self, body: bytes, signature: str) -> int:
        url = f"https://localhost:{self.port}/v1/payments/card"
        request = Request(url, body, {"Stripe-Signature": signature, "Content-Type": "application/json"})
        try:
            with urlopen(request, context=self.tls, timeout=PATIENCE) as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code

    def _refusals(self) -> None:
        path = self.folder / "wrong.xml"
        for octets in (
            b"<a/>",
            b"",
            statement([paid()], iban="GB82WEST12345698765432"),
            b"x" * (9 * 1024 * 1024),
        ):
            path.write_bytes(octets)
            self.tell("payments", "import", str(path), code=1)
        self.tell("payments", "import", str(self.folder / "nothing.xml"), code=1)

    def _line(self, text: str) -> str:
        words = text.removeprefix("safeum-home ").replace("statement.xml", str(self.folder / "statement.xml"))
        is_done = words.startswith("payments done")
        return self.tell(*words.split(), code=1 if is_done else 0)
