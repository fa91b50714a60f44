"""Running test modules side by side: all of them, each once, whatever becomes of a process."""

import subprocess
import sys
from io import StringIO
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests import side_by_side
from tests.side_by_side import modules, run_all

FOLDER = Path(__file__).parent


class SideBySideTests(SynchronousTestCase):
    def test_all_modules(self) -> None:
        """Every module is there once, and what takes long comes first."""
        names = modules(FOLDER)
        self.assertEqual(sorted(names), sorted(f"tests.{path.stem}" for path in FOLDER.glob("test_*.py")))
        self.assertEqual(names[0], f"tests.{side_by_side.FIRST[0]}")

    def test_outcomes(self) -> None:
        """Counts are those of all; a module that fails, or cannot be loaded, is named."""
        self.patch(sys, "stdout", out := StringIO())
        total = run_all(["tests.test_ids", "tests.test_no_such_one", "tests.test_bus"], 2, backwards=1)
        self.assertEqual((total.failed, total.bad), (1, ["tests.test_no_such_one"]))
        self.assertGreater(total.passed, 10)
        self.assertIn("tests.test_ids", out.getvalue())

    def test_a_process_that_dies(self) -> None:
        """It has failed with its module, and another one does the rest."""
        command = "import sys; sys.stdin.readline()"
        first = [subprocess.Popen([sys.executable, "-c", command], stdin=-1, stdout=-1)]
        start = side_by_side._worker
        self.patch(side_by_side, "_worker", lambda: first.pop() if first else start())
        self.patch(sys, "stdout", StringIO())
        total = run_all(["tests.test_bus", "tests.test_ids"], 1)
        self.assertEqual((total.failed, total.bad), (1, ["tests.test_bus"]))
        self.assertGreater(total.passed, 5)
