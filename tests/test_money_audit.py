"""Checking the books, and making the totals of the accounts anew where their rows are damaged."""

from functools import partial
from typing import Any

from safeum_home.errors import Problem
from safeum_home.node.money_metrics import metrics
from safeum_home.safenum.money import audit
from safeum_home.storage import ledger as rows
from tests.money_calls_case import CallCase
from tests.money_case import LANDLINE, UNIT

ALONE = "x'00'"


class AuditTests(CallCase):
    def setUp(self) -> None:
        super().setUp()
        self.speak(60)
        self.bank.dial(self.ann, "2")

    def faults(self) -> list[str]:
        faults: list[str] = self.bank.do(self.bank.audit.check()).faults
        return faults

    def rebuild(self) -> int:
        changed: int = self.bank.do(self.bank.audit.rebuild())
        return changed

    def run_sql(self, statement: str) -> None:
        self.bank.database.execute(statement)

    def test_right(self) -> None:
        """Nothing is wrong with books that nobody touched, and making them anew changes nothing."""
        found = self.bank.do(self.bank.audit.check())
        self.assertEqual((found.faults, found.entries), ([], 4))
        self.assertEqual(self.rebuild(), 0)

    def test_damaged_totals(self) -> None:
        """Totals that are damaged, gone, or another's are found, and made anew of the journal."""
        before = self.bank.totals()
        self.run_sql(
            f"UPDATE ledger_totals SET sealed = {ALONE} WHERE name = (SELECT min(name) FROM ledger_totals)"
        )
        self.run_sql("DELETE FROM ledger_totals WHERE name = (SELECT max(name) FROM ledger_totals)")
        self.run_sql(f"INSERT INTO ledger_totals VALUES (x'{'00' * 16}', {ALONE})")
        self.assertEqual(len(self.faults()), 3)
        self.assertNotEqual(self.bank.totals(), before)
        self.assertEqual(self.rebuild(), 3)
        self.assertEqual((self.faults(), self.bank.totals()), ([], before))
        self.assertRight()

    def test_old_total(self) -> None:
        """A total that was put back from before is found."""
        old = self.bank.read(rows.totals)
        self.bank.do(self.bank.credits.credit(self.ann, UNIT, "EUR", "test", "more"))
        for name, sealed in old:
            self.bank.write(partial(rows.put_total, name=name, sealed=sealed))
        self.assertEqual(len(self.faults()), 2)
        self.assertIn("not what was posted", self.faults()[0])
        self.assertEqual(self.rebuild(), 2)
        self.assertRight()

    def test_money_goes_on(self) -> None:
        """While a total is damaged nothing can be entered there; afterwards it can."""
        self.run_sql(f"UPDATE ledger_totals SET sealed = {ALONE}")
        with self.assertRaises(Exception):  # noqa: B017  # whatever: it is logged as the node's failure
            self.bank.do(self.bank.credits.credit(self.ann, UNIT, "EUR", "test", "more"))
        self.rebuild()
        self.assertTrue(self.bank.do(self.bank.credits.credit(self.ann, UNIT, "EUR", "test", "more")))
        self.assertRight()

    def test_damaged_journal(self) -> None:
        """An entry that is damaged or gone is told of by its number; nothing is made of such a journal."""
        self.run_sql(f"UPDATE ledger SET sealed = {ALONE} WHERE number = 2")
        self.run_sql("DELETE FROM ledger WHERE number = 3")
        faults = self.faults()
        self.assertEqual(faults[:2], ["entry 2 cannot be opened", "entries 3 to 3 are missing"])
        with self.assertRaises(Problem) as caught:
            self.rebuild()
        self.assertEqual(caught.exception.code.code, "wrong_state")

    def test_meanwhile(self) -> None:
        """What is entered while the journal is read is in the totals, too."""
        self.patch(audit, "PAGE", 1)
        self.run_sql(f"UPDATE ledger_totals SET sealed = {ALONE}")
        written = self.bank.audit._write

        def late(c: Any, found: audit.Audited) -> int:
            earlier = found._replace(last=0, sums={})
            return written(c, earlier)

        self.patch(self.bank.audit, "_write", late)
        self.assertGreater(self.rebuild(), 0)
        self.assertEqual(self.faults(), [])
        self.assertRight()


class MetricsTests(CallCase):
    def test_sums(self) -> None:
        """Sums, holds and refusals, and nothing of a person."""
        self.bank.dial(self.ann, "1")
        self.refused("2", "+8835100012345")
        bank = self.bank
        counted = bank.ledger, bank.counts, {("card", "paid"): 2}
        told = bank.read(lambda c: metrics(c, *counted))
        found = {each.name: each.samples for each in told}
        self.assertEqual([each.value for each in found["holds"]], [1])
        held = {each.labels["account"]: each.value for each in found["ledger"]}
        self.assertEqual(held["held"], -14_280)
        self.assertEqual(sum(held.values()), 0)
        self.assertEqual([each.value for each in found["payments"]], [2])
        [refusal] = found["refused"]
        self.assertEqual(refusal.labels, {"asked": "call", "reason": "no_rate"})
        self.assertNotIn(LANDLINE, str(found))
        self.assertNotIn(self.ann, str(found))
