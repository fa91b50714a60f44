"""Payments in the books: added once to whose they are, and taken back without a balance below zero."""

from functools import partial
from typing import Any

from sqlalchemy import select

from safeum_home.errors import Problem
from safeum_home.ids import AccountId
from safeum_home.ports.payments import Noted, Paid, PaidBack, Told
from safeum_home.safenum.money.invoices import InvoiceBook
from safeum_home.safenum.money.months import month_of
from safeum_home.safenum.money.notes import MOST, NoteBook
from safeum_home.safenum.money.payment_record import BANK, PaymentNote
from safeum_home.safenum.money.payments import OPEN, PAID, UNPAID
from safeum_home.storage import payments as rows
from safeum_home.storage.erasure import erase_account
from safeum_home.storage.schema import payments
from tests.money_calls_case import DAY, CallCase
from tests.money_case import UNIT, faults

TWENTY = 20 * UNIT


class PaymentCase(CallCase):
    def open(self, reference: str = "R1", provider: str = "card", account: AccountId | None = None) -> None:
        bank, whose = self.bank, account or self.ann
        amount = 0 if provider == BANK else TWENTY
        bank.write(lambda c: bank.payments.open(c, whose, reference, provider, amount, "EUR"))

    def tell(self, *told: Told, provider: str = "card") -> None:
        self.bank.do(self.bank.takings.take(provider, told))

    def pay(self, reference: str = "R1", payment: str = "pi_1", amount: int = TWENTY, **more: Any) -> None:
        self.tell(Paid(reference, payment, amount, more.pop("currency", "EUR")), **more)

    def back(self, total: int, part: str = "refunds", at: int = 1, payment: str = "pi_1") -> None:
        self.tell(PaidBack(payment, part, total, "EUR", at))

    def spend(self, amount: int) -> None:
        self.bank.do(self.bank.credits.buy(self.ann, amount, "EUR", "premium", f"{amount}"))

    def notes(self) -> list[PaymentNote]:
        bank = self.bank
        return [note for _, note in bank.read(lambda c: bank.notes.page(c, 0, 100))[0]]

    def has(self) -> int:
        """What Ann can spend, besides the unit that she began with."""
        return self.bank.balance(self.ann)[0] - UNIT


class PaidTests(PaymentCase):
    def test_added_once(self) -> None:
        """However often it is told, by whatever event: the payment's own id counts. Devices are told."""
        self.open()
        self.pay()
        self.pay()
        self.pay(reference="R2")
        self.assertEqual(self.has(), TWENTY)
        self.assertEqual(self.bank.totals()["clearing:card"], TWENTY)
        self.assertEqual(self.lines()[0].kind, "card")
        self.assertEqual(self.notes(), [])
        self.assertEqual(self.bank.changed.count(self.ann), 2)
        self.assertRight()

    def test_unknown(self) -> None:
        """A reference that nobody has, or that is another provider's, adds nothing and is noted."""
        self.open()
        self.pay(reference="R2")
        self.pay(payment="pi_2", provider="other")
        self.assertEqual(self.has(), 0)
        self.assertEqual([note.provider for note in self.notes()], ["card", "other"])
        self.assertIn("added to no balance", self.notes()[0].what)
        self.assertEqual((self.notes()[0].payment, self.notes()[0].amount), ("pi_1", TWENTY))

    def test_another_amount(self) -> None:
        """What was really paid is added, and noted where it is not what was wanted; not another currency."""
        self.open()
        self.pay(amount=TWENTY - 1)
        self.assertEqual(self.has(), TWENTY - 1)
        self.open("R2")
        self.pay("R2", "pi_2", currency="USD")
        self.assertEqual(self.has(), TWENTY - 1)
        self.assertEqual([note.currency for note in self.notes()], ["EUR", "USD"])
        self.assertRight()

    def test_another_of_the_same_name(self) -> None:
        """Two payments that are called the same are told apart by their amounts: none is lost in silence."""
        self.open("RF1", BANK)
        first, second = (Paid("RF1", "B1", amount, "EUR") for amount in (TWENTY, 5 * UNIT))
        takings, do = self.bank.takings, self.bank.do
        self.assertEqual(do(takings.book(first)), (True, ""))
        self.assertEqual(do(takings.book(first)), (False, ""))
        self.assertEqual(do(takings.look(first)), (True, ""))
        for way in (takings.book, takings.look):
            self.assertIn("another amount", do(way(second))[1])
        self.assertEqual((self.has(), self.notes()), (TWENTY, []))
        self.tell(second, provider=BANK)
        self.assertEqual([note.amount for note in self.notes()], [5 * UNIT])
        self.assertRight()

    def test_late(self) -> None:
        """A payment that is good after weeks is added; one that comes after two months is noted."""
        self.open()
        self.open("R2")
        self.bank.clock.advance(30 * DAY)
        self.sweep()
        self.pay()
        self.bank.clock.advance(31 * DAY)
        self.sweep()
        self.pay("R2", "pi_2")
        self.assertEqual((self.has(), len(self.notes())), (TWENTY, 1))
        self.bank.clock.advance(PAID / 1000)
        self.sweep()
        self.pay()
        self.assertEqual((self.has(), len(self.notes())), (TWENTY, 1))
        self.assertLess(UNPAID, PAID)

    def sweep(self) -> None:
        self.bank.write(lambda c: rows.drop_ended(c, self.bank.now()))

    def test_bounded(self) -> None:
        """An account begins so many in a day; those that were paid do not count."""
        for number in range(OPEN):
            self.open(f"R{number}")
        with self.assertRaises(Problem) as caught:
            self.open("more")
        self.assertEqual(caught.exception.code.code, "limit_reached")
        self.pay("R0")
        self.open("more")
        self.open("others", account=self.bank.account())
        with self.assertRaises(Problem):
            self.open("one more")
        self.bank.clock.advance(DAY)
        self.open("tomorrow")

    def test_transfers(self) -> None:
        """Under the reference of a transfer one may pay again and again, any amount."""
        self.open("RF1", BANK)
        for key in ("A", "B", "B"):
            self.pay("RF1", key, 5 * UNIT, provider=BANK)
        self.assertEqual(self.has(), 10 * UNIT)
        self.bank.clock.advance(UNPAID / 1000 + DAY)
        self.bank.write(lambda c: rows.drop_ended(c, self.bank.now()))
        self.pay("RF1", "C", 1 * UNIT, provider=BANK)
        self.assertEqual((self.has(), self.notes()), (11 * UNIT, []))
        self.assertRight()

    def test_closed(self) -> None:
        """What comes for an account that is closed is noted, and nothing of its references is left."""
        self.open()
        blind = self.bank.vault.blinder.account(self.ann)

        def close(c: Any) -> None:
            self.bank.book.forfeit(c, blind)
            erase_account(c, blind, self.bank.vault.keyring.epoch)

        self.bank.write(close)
        self.assertEqual(self.bank.database.count("payments"), 0)
        self.pay()
        self.assertEqual(len(self.notes()), 1)
        self.assertEqual(self.bank.read(lambda c: faults(self.bank, c, [])), [])

    def test_killed(self) -> None:
        """What was not kept is told again, and added then."""
        self.open()
        self.bank.database.hold = True
        with self.assertRaises(AssertionError):  # it waits: the provider has no answer
            self.pay()
        self.bank.database.drop()
        self.bank.database.hold = False
        self.bank = self.bank.again()
        self.assertEqual(self.has(), 0)
        self.pay()
        self.assertEqual(self.has(), TWENTY)


class PaidBackTests(PaymentCase):
    def setUp(self) -> None:
        super().setUp()
        self.open()
        self.pay()

    def lost(self) -> int:
        return self.bank.totals().get("uncollected", 0)

    def test_refunded(self) -> None:
        """What was refunded is taken from the balance, once; the operator is told. It is no purchase."""
        self.back(5 * UNIT)
        self.back(5 * UNIT)
        self.assertEqual((self.has(), self.lost()), (15 * UNIT, 0))
        self.back(TWENTY, at=2)
        self.assertEqual((self.has(), self.lost()), (0, 0))
        self.assertEqual(self.bank.totals()["clearing:card"], 0)
        self.assertEqual([note.amount for note in self.notes()], [5 * UNIT, 15 * UNIT])
        month, wallets = month_of(self.bank.now()), self.bank.wallets
        invoices = InvoiceBook("home.example", wallets, self.bank.vault.blinder)
        self.assertEqual(self.bank.read(lambda c: invoices.months(c, self.ann, month + 1)), [])
        self.assertRight()

    def test_spent(self) -> None:
        """No balance falls below zero: what was spent is the node's loss, and told."""
        self.spend(15 * UNIT)
        self.back(TWENTY)
        self.assertEqual(self.bank.balance(self.ann), (0, 0))
        self.assertEqual(self.lost(), 14 * UNIT)
        self.assertIn("uncollected", self.notes()[0].what)
        self.assertRight()

    def test_held(self) -> None:
        """What is held for a call is paid for already: it is not taken."""
        self.bank.dial(self.ann, "1")
        held = self.bank.balance(self.ann)[1]
        self.spend(TWENTY)
        self.back(TWENTY)
        self.assertEqual(self.bank.balance(self.ann), (0, held))
        self.assertRight()

    def test_reinstated(self) -> None:
        """A dispute that the node wins gives back what was taken, and makes good what was lost first."""
        self.spend(11 * UNIT)
        self.back(TWENTY, "dp_1", at=1)
        self.assertEqual((self.has(), self.lost()), (-UNIT, 10 * UNIT))
        self.back(0, "dp_1", at=2)
        self.assertEqual((self.has(), self.lost()), (9 * UNIT, 0))
        self.assertEqual(self.bank.totals()["clearing:card"], TWENTY)
        self.assertRight()

    def test_order(self) -> None:
        """Events come in any order: what the provider said last counts."""
        self.back(0, "dp_1", at=2)
        self.back(TWENTY, "dp_1", at=1)
        self.assertEqual(self.has(), TWENTY)
        self.back(10 * UNIT, at=5)
        self.back(5 * UNIT, at=4)
        self.assertEqual(self.has(), 10 * UNIT)

    def test_no_more_than_paid(self) -> None:
        """A refund and a dispute of the same payment take no more than was paid."""
        self.bank.do(self.bank.credits.credit(self.ann, TWENTY, "EUR", "bank", "x"))
        self.back(TWENTY, at=1)
        self.back(TWENTY, "dp_1", at=2)
        self.assertEqual(self.has(), TWENTY)
        self.back(0, "dp_1", at=3)
        self.assertEqual(self.has(), TWENTY)
        self.assertRight()

    def test_unknown(self) -> None:
        """What nobody has here is noted."""
        self.back(TWENTY, payment="pi_9")
        self.tell(PaidBack("pi_1", "refunds", 5, "USD", 1))
        self.tell(Noted("pi_1", "disputed by the customer"))
        self.assertEqual(len(self.notes()), 3)
        self.assertEqual(self.has(), TWENTY)

    def test_told_again(self) -> None:
        """What a provider says again, as it was not answered, is one note until that is put away."""
        told = (
            Paid("R9", "pi_9", TWENTY, "EUR"),
            PaidBack("pi_9", "refunds", 5, "EUR", 1),
            Noted("pi_9", "a refund has failed", "re_1"),
            Noted("pi_9", "a refund has failed", "re_2"),
        )
        for each in (*told, *told):
            self.tell(each)
            self.bank.clock.advance(60)
        self.assertEqual([note.name for note in self.notes()], ["", "refunds 1 5", "re_1", "re_2"])
        self.bank.write(lambda c: rows.drop_note(c, 3))
        self.tell(told[2])
        self.assertEqual([note.name for note in self.notes()][2:], ["re_2", "re_1"])

    def test_paid_back_alike(self) -> None:
        """Two refunds that are alike are two notes."""
        self.back(5 * UNIT, at=1)
        self.back(10 * UNIT, at=1)
        self.assertEqual([note.amount for note in self.notes()], [5 * UNIT, 5 * UNIT])


class StoredTests(PaymentCase):
    def test_nothing_readable(self) -> None:
        """Neither the rows of payments nor the notes hold a reference, a payment, an amount or an account."""
        self.open("REFERENCEXYZ")
        self.pay("REFERENCEXYZ", "pi_canary")
        self.back(5 * UNIT, payment="pi_canary")
        found = b""
        for table in ("payments", "payment_notes", "ledger"):
            for row in self.bank.read(partial(_rows, table=table)):
                found += b"".join(value for value in row if isinstance(value, bytes))
        self.assertTrue(found)
        for canary in ("REFERENCEXYZ", "pi_canary", "card", self.ann, "EUR"):
            self.assertNotIn(canary.lstrip("@").encode(), found)

    def test_no_moment_in_clear(self) -> None:
        """Until when a row is kept tells of no more than a day: not when something was paid."""
        self.open("R1")
        self.open("R2")
        for reference, then in (("R1", self.pay), ("R2", self.pay), ("R1", self.back)):
            self.bank.clock.advance(0.7)
            then(TWENTY) if then == self.back else self.pay(reference, f"pi_{reference[1]}")
            ends = self.bank.read(lambda c: [row.ends for row in c.execute(select(payments))])
            self.assertEqual({each % (DAY * 1000) for each in ends}, {0})
            self.assertTrue(all(each >= self.bank.now() + UNPAID for each in ends))

    def test_notes_are_bounded(self) -> None:
        """The oldest go."""
        book = NoteBook(self.bank.vault.money)
        for payment in ("pi_1", "pi_2", "pi_3"):
            note = PaymentNote(1, "card", "what", payment)
            self.bank.write(partial(book.add, note=note))
        self.bank.write(lambda c: rows.drop_note(c, 2))
        self.assertEqual(self.bank.read(rows.count_notes), 2)
        self.bank.write(lambda c: rows.drop_notes_before(c, 1))
        self.assertEqual([number for number, _ in self.bank.read(lambda c: book.page(c, 0, 9))[0]], [3])
        self.assertGreater(MOST, 100)


def _rows(c: Any, table: str) -> list[Any]:
    return list(c.exec_driver_sql(f"SELECT * FROM {table}"))
