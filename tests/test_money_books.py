"""What comes in, what is bought, what is left of a closed account; and that no row can be read."""

from functools import partial
from typing import Any

from safeum_home.errors import Problem
from safeum_home.ids import AccountId
from safeum_home.safenum.money.months import month_of
from safeum_home.storage.erasure import erase_account
from tests.money_calls_case import DAY, CallCase
from tests.money_case import LANDLINE, SAFENUM, UNIT, Bank, faults


class ClosedTests(CallCase):
    def test_closed_in_a_call(self) -> None:
        """It is charged as far as it was seen, the rest is forfeited, and nothing of the account is left."""
        self.bank.dial(self.ann, "1")
        self.answer()
        self.bank.clock.advance(20)
        self.bank.do(self.bank.calls.alive(self.bank.now()))
        blind = self.bank.vault.blinder.account(self.ann)

        def close(c: Any) -> None:
            self.bank.book.forfeit(c, blind)
            erase_account(c, blind, self.bank.vault.keyring.epoch)

        self.bank.write(close)
        self.assertEqual(self.bank.totals()["forfeited"], -(UNIT - 4_760))
        self.assertEqual(self.bank.totals()["customers"], 0)
        self.assertEqual(self.bank.read(lambda c: faults(self.bank, c, [])), [])
        for table in ("wallets", "statements", "holds"):
            self.assertEqual(self.bank.database.count(table), 0)
        self.assertEqual(len(self.cdrs()), 1)
        self.assertIsNone(self.settle())

    def test_damaged(self) -> None:
        """An account whose wallet is damaged is closed all the same, and the books stay balanced."""
        blind = self.bank.vault.blinder.account(self.ann)
        self.bank.database.execute("UPDATE wallets SET sealed = x'00'")

        def close(c: Any) -> None:
            self.bank.book.forfeit(c, blind)
            erase_account(c, blind, self.bank.vault.keyring.epoch)

        self.bank.write(close)
        self.assertEqual(self.bank.totals(), {"clearing:test": UNIT, "customers": -UNIT})
        self.assertEqual(self.bank.database.count("wallets"), 0)

    def test_nothing_to_forfeit(self) -> None:
        bank = Bank()
        ann = bank.account()
        bank.write(lambda c: bank.book.forfeit(c, bank.vault.blinder.account(ann)))
        self.assertEqual(bank.database.count("ledger"), 0)


class CreditTests(CallCase):
    def test_credited_once(self) -> None:
        """A payment that is told again is not added again; the same reference of another source is."""
        credit = self.bank.credits.credit
        self.assertTrue(self.bank.do(credit(self.ann, 5, "EUR", "bank", "1")))
        self.assertFalse(self.bank.do(credit(self.ann, 5, "EUR", "bank", "1")))
        self.assertTrue(self.bank.do(credit(self.ann, 5, "EUR", "stripe", "1")))
        self.assertEqual(self.bank.balance(self.ann), (UNIT + 10, 0))
        self.assertEqual(self.bank.totals()["clearing:bank"], 5)

    def test_bought(self) -> None:
        """The tax is within the price; what cannot be paid changes nothing; once."""
        buy = self.bank.credits.buy
        self.assertTrue(self.bank.do(buy(self.ann, 119_000, "EUR", "premium", "1")))
        self.assertFalse(self.bank.do(buy(self.ann, 119_000, "EUR", "premium", "1")))
        totals = self.bank.totals()
        self.assertEqual((totals["revenue"], totals["vat:DE"]), (-100_000, -19_000))
        with self.assertRaises(Problem):
            self.bank.do(buy(self.ann, UNIT, "EUR", "premium", "2"))
        self.assertEqual(self.lines()[0].kind, "premium")
        self.assertRight()

    def test_nobody(self) -> None:
        """Nothing is added to an account that there is not."""
        with self.assertRaises(Problem):
            self.bank.do(self.bank.credits.credit(AccountId("@x:y"), 5, "EUR", "bank", "1"))
        for amount in (0, -5):
            with self.assertRaises(ValueError):
                self.bank.do(self.bank.credits.credit(self.ann, amount, "EUR", "bank", "2"))


class StoredTests(CallCase):
    def test_nothing_readable(self) -> None:
        """No row holds a number, a name of an account of the ledger, an amount or an id."""
        self.speak(60)
        self.bank.dial(self.ann, "2")
        found = b""
        for table in ("ledger", "ledger_totals", "wallets", "statements", "holds", "cdrs"):
            for row in self.bank.read(partial(_rows, table=table)):
                found += b"".join(value for value in row if isinstance(value, bytes))
        for canary in (SAFENUM, LANDLINE, self.ann, "customers", "revenue", "vat:DE", "ANSWERED", "EUR"):
            self.assertNotIn(canary.lstrip("+@").encode(), found)

    def test_records_go_with_their_month(self) -> None:
        """Rows and key of an old month are destroyed; younger ones stay."""
        self.speak(60)
        self.bank.clock.advance(40 * DAY)
        self.speak(60)
        month, epoch = month_of(self.bank.now()), self.bank.vault.keyring.epoch
        keys = self.bank.database.count("keys")
        self.assertEqual(self.bank.write(lambda c: self.bank.cdrs.drop_before(c, month, epoch)), 1)
        self.assertEqual(len(self.cdrs()), 1)
        self.assertEqual(self.bank.database.count("cdrs"), 1)
        self.assertEqual(self.bank.database.count("keys"), keys - 1)
        self.assertEqual(self.bank.write(lambda c: self.bank.cdrs.drop_before(c, month, epoch)), 0)


def _rows(c: Any, table: str) -> list[Any]:
    return list(c.exec_driver_sql(f"SELECT * FROM {table}"))
