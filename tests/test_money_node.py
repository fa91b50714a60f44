"""Money as an operator and an account meet it: the commands of docs/money.md, on a node that is killed."""

import json
import re
import signal
import time

from tests.e2e.wire import RawClient, Refused, Wire
from tests.node_case import PATIENCE, NodeCase
from tests.test_docs import ROOT, commands

MONEY = ROOT / "docs" / "money.md"
NUMBER = "+4930123456"


class OperatorTests(NodeCase):
    def tell(self, *arguments: str, code: int = 0) -> str:
        return self.operate(*arguments, "--config", str(self.config), code=code)

    def test_by_the_book(self) -> None:
        """Every command of the page; what was put in force and paid in is there after a kill."""
        node = self.serve()
        self.sign_up("ada")
        rates = self.folder / "rates.csv"
        [sample] = re.findall(r"^```text\n(prefix,.*?)^```", MONEY.read_text(), re.M | re.S)
        rates.write_text(sample)
        self.assertEqual(self.tell("rates"), "")
        said = [self._line(command.text) for command in commands(MONEY)]
        self.assertEqual(len(said), 13)
        self.assertEqual(said[0], "4 rates: nothing is wrong with them")
        self.assertEqual(said[1], "4 rates: in force as version 1")
        self.assertRegex(said[2], r"(?m)^rates +4$")
        self.assertRegex(said[3], r"(?m)^minute +0\.012 EUR$")
        self.assertEqual(len(said[4].splitlines()), 4)
        self.assertIn("+49900", said[4])
        self.assertEqual(said[5:7], ["", ""])
        self.assertEqual(said[7], "10.00 EUR were added.")
        self.assertEqual(said[8:10], ["1 entries: nothing is wrong with them", "Totals that were wrong: 0."])
        self.assertIn('safeum_money_ledger{account="clearing:bank",currency="EUR"} 10000000', said[10])
        self.assertRegex(said[11], r"^([a-z2-7]{26}\n){19}[a-z2-7]{26}$")
        self.assertEqual(len(said[12].split(",")), 14)
        again = ["balance", "credit", "ada", "10.00", "receipt-17", "--source", "bank"]
        self.assertIn("nothing was added", self.tell(*again))
        self._refusals()

        node.send_signal(signal.SIGKILL)
        node.wait(PATIENCE)
        self.serve()
        totals = json.loads(self.tell("ledger", "--json"))
        self.assertTrue(totals["balanced"])
        found = {total["account"]: total["amount"] for total in totals["totals"]}
        self.assertEqual(found, {"clearing:bank": 10_000_000, "customers": -10_000_000})
        with RawClient(Wire(self.port, self.alpn)) as client:
            device = {"name": "a device", "system": "a system"}
            client.call("session.login", username="ada", password="correct horse battery", device=device)
            self.assertEqual(client.call("balance.get")["balance"], 10_000_000)
            with self.assertRaises(Refused) as refused:
                client.call("balance.price", number=NUMBER)
            self.assertEqual(refused.exception.code, "country_needed")
            client.call("account.country", country="DE")
            self.assertEqual(client.call("balance.price", number=NUMBER)["per_minute"], 14_280)
        self._unreadable()

    def _refusals(self) -> None:
        """What is wrong with a file is told by its lines, and the table before stays; others are refused."""
        path = self.folder / "wrong.csv"
        path.write_text((self.folder / "rates.csv").read_text().replace(",EUR,0,2,", ",EUR,0,-2,") + "x\n")
        told = self.tell("rates", "import", str(path), code=1)
        self.assertEqual(
            [line.removeprefix(f"{path}:").partition(":")[0] for line in told.splitlines()], ["5", "6"]
        )
        path.write_bytes(b"x" * (16 * 1024 * 1024 + 1))
        self.tell("rates", "import", str(path), code=1)
        path.write_bytes(b"")
        self.assertIn("the first line is not", self.tell("rates", "import", str(path), code=1))
        self.assertRegex(self.tell("rates"), r"(?m)^version +1$")
        self.assertIn("may not be called", self.tell("rates", "show", "+49 900 123456"))
        for wrong in (
            ("rates", "show", "112"),
            ("balance", "credit", "nobody", "1", "x"),
            ("balance", "credit", "ada", "-1", "x"),
            ("balance", "credit", "ada", "0", "x"),
            ("cdr", "export", "--month", "2026-13"),
            ("vouchers", "issue", "1", "7"),
        ):
            self.tell(*wrong, code=1)

    def _line(self, text: str) -> str:
        words = text.removeprefix("safeum-home ").replace("rates.csv", str(self.folder / "rates.csv")).split()
        this = time.strftime("%Y-%m", time.gmtime())
        return self.tell(*(this if word == "2026-11" else word for word in words))

    def _unreadable(self) -> None:
        """No file of the node holds an amount, a rate, or a name of the ledger's accounts."""
        for path in (self.folder / "state").rglob("*"):
            if path.is_file():
                octets = path.read_bytes()
                for canary in (b"clearing", b"customers", b"Germany", b"receipt-17"):
                    self.assertNotIn(canary, octets, path.name)
