"""Cells of CSV files: no text of somebody else's is a formula, and numbers stay numbers."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.words.money_words import invoice_csv
from safeum_home.protocol.cells import cell
from safeum_home.protocol.commands.money import Invoice, InvoiceItem


class CellTests(SynchronousTestCase):
    def test_formulas(self) -> None:
        """Whatever a spreadsheet would take for one is text."""
        for text in (
            "=1+1",
            "@SUM(A1)",
            "+1+cmd|'/c calc'!A0",
            "-2+3",
            "\t=1",
            "\r=1",
            "+",
            "-",
            "+49a",
            "=",
            "--1",
        ):
            self.assertEqual(cell(text), f"'{text}")

    def test_numbers(self) -> None:
        """Amounts below zero and numbers in international form are what programs of carriers read."""
        for text in ("-12.50", "+4930123456", "-0.000001", "12", "", "Germany", "2026-11-29", "a=b", "+15"):
            self.assertEqual(cell(text), text)

    @given(st.text())
    def test_any(self, text: str) -> None:
        """What begins with a sign is digits; all else that spreadsheets look for is not at the beginning."""
        found = cell(text)
        self.assertFalse(found.startswith(("=", "@", "\t", "\r")))
        if found.startswith(("+", "-")):
            float(found)

    def test_invoice(self) -> None:
        """A node cannot put a formula into a customer's invoice."""
        item = InvoiceItem("=HYPERLINK(1)", "EUR", "DE", 1900, 1, 0, 1, 1, 2)
        text = invoice_csv(Invoice("@1", "2026-11", "=cmd|1", [item]))
        [_, row] = text.splitlines()
        self.assertEqual(row.split(",")[:4], ["'@1", "2026-11", "'=cmd|1", "'=HYPERLINK(1)"])
