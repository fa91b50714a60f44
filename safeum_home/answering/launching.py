"""How the processes are started that take sound from strangers."""

import sys
from pathlib import Path

import safeum_home


def command(module: str) -> list[str]:
    """What runs a module of this package in a process of its own.

    With `-P` the directory that it is started in is not among those of modules, which it may read.
    """
    return [sys.executable, "-s", "-P", "-m", module]


def environment() -> dict[str, str]:
    """All that such a process has in its environment: where this package is."""
    return {"PYTHONPATH": str(Path(safeum_home.__file__).parent.parent), "PYTHONDONTWRITEBYTECODE": "1"}
