"""Style, types and generated documents are held like everything else: each is a test."""

import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parent.parent
PACKAGES = ("safeum_home", "federation", "bridges", "tests", "bench", "tools")


class LintTests(SynchronousTestCase):
    """What the tools say of this checkout."""

    def _passes(self, *arguments: str) -> None:
        """Run a module of this environment; what it printed is the failure."""
        done = subprocess.run(
            [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
        self.assertEqual(done.returncode, 0, "\n" + done.stdout + done.stderr)

    def test_style(self) -> None:
        """No rule of ruff.toml is broken."""
        self._passes("ruff", "check", "--quiet", ".")

    def test_format(self) -> None:
        """Every file is formatted."""
        self._passes("ruff", "format", "--check", "--quiet", ".")

    def test_types(self) -> None:
        """Every package is typed, strictly."""
        self._passes("mypy", *(argument for name in PACKAGES for argument in ("--package", name)))
