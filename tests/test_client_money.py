"""Money in the terminal client: as people read it, and nothing of a node's that the terminal would obey."""

from functools import partial
from pathlib import Path
from typing import Any

from safeum_home.client.methods.voucher_tokens import Token
from safeum_home.client.slash import money as slash_money
from tests.client_desk import DeskTestCase

MINUTE = 60_000
BALANCE = {"currency": "EUR", "balance": 12_345_000, "held": 0, "country": "DE"}
CALL = {
    "line": 2,
    "at": MINUTE,
    "kind": "call",
    "currency": "EUR",
    "amount": -14_280,
    "balance": 12_345_000,
    "number": "+4930123456",
    "seconds": 65,
}
PAID = {"line": 1, "at": 0, "kind": "bank", "currency": "EUR", "amount": 12_359_280, "balance": 12_359_280}
PRICE = {
    "currency": "EUR",
    "destination": "Germany",
    "kind": "fixed",
    "connection_fee": 0,
    "per_minute": 15_060,
    "first_increment": 1,
    "increment": 1,
    "vat_rate": 2550,
    "country": "FI",
}
ITEM = {
    "kind": "call",
    "currency": "EUR",
    "country": "DE",
    "vat_rate": 1900,
    "count": 1,
    "seconds": 60,
    "net": 12_000,
    "vat": 2_280,
    "gross": 14_280,
}


def _given(result: Any, _params: Any) -> Any:
    return result


class MoneyTests(DeskTestCase):
    def answer(self, **answers: Any) -> None:
        for method, result in answers.items():
            self.wire.answers[method.replace("_", ".")] = partial(_given, result)

    def text(self) -> str:
        """What is shown, wherever its lines break."""
        return " ".join(self.body().split())

    def test_balance(self) -> None:
        self.answer(balance_get=BALANCE, balance_statement={"lines": [CALL, PAID], "more": False})
        self.enter("/balance")
        body = self.text()
        self.assertIn("12.345 EUR. You live in DE.", body)
        self.assertRegex(body, r"-0\.01428 EUR, then 12\.345 +call \+4930123456, 1:05")
        self.assertRegex(body, r"12\.35928 EUR, then 12\.35928 +bank")
        self.answer(balance_get={**BALANCE, "held": 5_000, "country": None})
        self.answer(balance_statement={"lines": [{**CALL, "kind": "x\x1b[2J"}], "more": True})
        self.enter("/balance")
        self.assertIn("0.005 held for calls. Say where you live: /country CODE.", self.text())
        self.assertNotIn("\x1b", self.text())
        self.assertIn("/invoice", self.text())

    def test_price(self) -> None:
        self.answer(balance_price=PRICE)
        self.enter("/price +49 (30) 123-456")
        self.assertEqual(self.params("balance.price"), [{"number": "+4930123456"}])
        self.assertIn("Germany: 0.01506 EUR a minute, billed 1 s, then every 1 s", self.text())
        self.assertIn("with 25.5 % tax (FI)", self.text())
        self.answer(balance_price={**PRICE, "per_minute": 0})
        self.enter("/price +4980012345")
        self.assertIn("Germany: free", self.text())
        self.answer(balance_price={**PRICE, "connection_fee": 50_000})
        self.enter("/price +49170")
        self.assertIn("0.05 for the connection", self.text())
        for wrong in ("/price", "/price bob"):
            self.enter(wrong)
            self.assertIn("Which number?", self.text())

    def test_country(self) -> None:
        self.answer(account_country={})
        self.enter("/country fi")
        self.assertEqual(self.params("account.country"), [{"country": "FI"}])
        for wrong in ("/country", "/country Finland", "/country 12"):
            self.enter(wrong)
            self.assertIn("Two letters", self.text())

    def test_invoices(self) -> None:
        self.answer(invoice_list={"months": []})
        self.enter("/invoice")
        self.assertIn("There are no invoices.", self.text())
        self.answer(invoice_list={"months": ["2026-11", "2026-10"]})
        self.enter("/invoice")
        self.assertIn("Invoices: 2026-11, 2026-10.", self.text())
        self.enter("/invoice 2026-11")
        self.assertIn("Into which file?", self.text())
        self.answer(
            invoice_get={"number": "ABC-2026-11", "month": "2026-11", "node": "home.test", "items": [ITEM]}
        )
        path = Path(self.mktemp())
        self.enter(f"/invoice 2026-11 {path}")
        row = "ABC-2026-11,2026-11,home.test,call,1,60,DE,19,0.012,0.00228,0.01428,EUR"
        self.assertEqual(path.read_text().splitlines()[1], row)
        for there in (path, path / "below"):
            self.enter(f"/invoice 2026-11 {there}")
        self.assertIn("is there already.", self.text())
        self.assertIn("cannot be written", self.text())

    def test_premium(self) -> None:
        """What it costs is shown and asked about before it is paid, at that price."""
        state = {"free": False, "until": 0, "price": 2_500_000, "currency": "EUR"}
        self.answer(premium_get=state, premium_buy={**state, "until": 2**45})
        self.enter("/premium")
        self.assertIn("You have no premium. A month costs 2.50 EUR: /premium MONTHS.", self.text())
        for wrong in ("/premium 0", "/premium 13", "/premium x"):
            self.enter(wrong)
            self.assertIn("For how many months?", self.text())
        self.enter("/premium 2")
        self.assertIn("Pay 5.00 EUR", self.desk.questions.prompt)
        self.enter("")
        self.assertIn("Nothing was paid.", self.text())
        self.assertEqual(self.params("premium.buy"), [])
        self.enter("/premium 2")
        self.enter("yes")
        [asked] = self.params("premium.buy")
        self.assertEqual((asked["months"], asked["price"]), (2, 2_500_000))
        self.assertIn("You have premium until", self.text())
        self.answer(premium_get={**state, "free": True})
        self.enter("/premium 2")
        self.assertIn("Everybody has premium", self.text())

    def test_topup(self) -> None:
        """Where to pay is shown, and no page that is not over TLS; ways and amounts as people write them."""
        ways = {"pages": ["card"], "transfer": True, "currency": "EUR", "smallest": 5_000_000}
        begun = {
            "way": "card",
            "url": "https://checkout.stripe.com/c/pay/cs_1#x",
            "amount": 12_500_000,
            "currency": "EUR",
            "until": MINUTE,
        }
        self.answer(balance_ways={**ways, "largest": 200_000_000}, balance_topup=begun)
        self.enter("/topup")
        self.assertIn("/topup AMOUNT for 5.00 to 200.00 EUR, through card; /transfer", self.text())
        for wrong in ("/topup x", "/topup 0", "/topup -5", "/topup 1.2.3"):
            self.enter(wrong)
            self.assertIn("How much? As 20, or 12.50.", self.text())
        self.enter("/topup 12,5 card")
        self.assertEqual(self.params("balance.topup"), [{"amount": 12_500_000, "way": "card"}])
        self.assertIn("pay 12.50 EUR: https://checkout.stripe.com/c/pay/cs_1#x .", self.text())
        for url in ("http://x", "javascript:x", "https\x1b[2J://x"):
            self.answer(balance_topup={**begun, "url": url})
            self.enter("/topup 12.50")
            self.assertIn("do not pay", self.text())
            self.assertNotIn("\x1b", self.text())

    def test_transfer(self) -> None:
        told = {"reference": "RF09 AAAQ EAYE AUDA OCAJ", "iban": "DE75 5121", "bic": "", "holder": "A\x1bB"}
        self.answer(balance_transfer={**told, "currency": "EUR", "until": MINUTE})
        self.enter("/transfer")
        self.assertIn("Reference: RF09 AAAQ EAYE AUDA OCAJ", self.text())
        self.assertNotIn("BIC", self.text())
        self.assertNotIn("\x1b", self.text())

    def test_redeemed(self) -> None:
        """A token is kept until it was redeemed: the code is exchanged once."""
        exchanged: list[str] = []

        async def exchange(code: str) -> Token:
            exchanged.append(code)
            return Token("EUR", 10_000_000, "i" * 43, "o" * 86)

        self.patch(self.desk.client, "exchange_voucher", exchange)
        self.enter("/redeem")
        self.assertIn("Which one?", self.text())
        self.enter("/redeem abc")
        self.answer(balance_redeem=BALANCE)
        self.enter("/redeem abc")
        self.assertEqual(exchanged, ["abc"])
        self.assertIn("10.00 EUR were added: 12.345 now.", self.text())
        self.assertEqual(self.desk.tokens, {})
        self.assertEqual(slash_money.SHOWN, 50)
