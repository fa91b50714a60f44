"""Packages of third parties, as an installer leaves them."""

import importlib
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase, TestCase


def install(
    case: SynchronousTestCase | TestCase, group: str, name: str, code: str, entries: dict[str, str]
) -> None:
    """A package in a folder of its own on the path, with entry points of a group, until the test is over."""
    site = Path(case.mktemp())
    about = site / f"{name}-1.0.dist-info"
    about.mkdir(parents=True)
    (site / f"{name}.py").write_text(code)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = "".join(f"{kind} = {value}\n" for kind, value in entries.items())
    (about / "entry_points.txt").write_text(f"[{group}]\n{lines}")
    sys.path.insert(0, str(site))
    importlib.invalidate_caches()

    def remove() -> None:
        sys.path.remove(str(site))
        sys.modules.pop(name, None)

    case.addCleanup(remove)
