"""`safeum-home cdr reconcile` prints nothing that a program of tables obeys."""

import argparse
import csv
import sys
from io import StringIO
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.admin.carrier_wire import EdgeRows
from safeum_home.admin.money_wire import CdrRows
from safeum_home.admin.reconcile_cli import Reconciliation
from safeum_home.grants.trunk import EdgeRecord
from safeum_home.safenum.money.cdr import COLUMNS

FORMULA = "+cmd|' /C calc'!A0"


class CellTests(SynchronousTestCase):
    def test_formulas(self) -> None:
        """What a carrier calls itself begins no formula; numbers stay what they are."""
        seen = EdgeRecord("=1+2", "in", FORMULA, "+3544900001", 1_000, 2_000, 5_000)

        def node(_arguments: argparse.Namespace, command: str, *_rest: Any) -> Any:
            return CdrRows(list(COLUMNS), [], 0) if command == "cdr" else EdgeRows([seen], "", 1_000)

        said = StringIO()
        self.patch(sys, "stdout", said)
        asked = argparse.Namespace(month="2026-11", csv=True, json=False, all=False)
        self.assertEqual(Reconciliation(node).run(asked), 1)
        [_, row] = csv.reader(said.getvalue().splitlines())
        self.assertEqual(row[1:3] + row[6:8], ["'=1+2", "in", f"'{FORMULA}", "+3544900001"])
