"""Packages that tests run against, from npm and PyPI: each in a folder of its own that git does not see."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.e2e.needs import missing, tool

TOOLS = Path(__file__).parent.parent.parent / ".make"


def npm(name: str, *packages: str) -> Path:
    """The `node_modules` with `packages` (`name@version`), installed where it is missing."""
    tool("node", "nodejs")
    folder = TOOLS / name
    command = [tool("npm"), "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
    return _installed(folder, [*command, *packages]) / "node_modules"


def pypi(name: str, *packages: str) -> Path:
    """A folder for PYTHONPATH with `packages` (`name==version`), installed where it is missing."""
    folder = TOOLS / name
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder)]
    return _installed(folder, [*command, *packages])


def _installed(folder: Path, command: list[str]) -> Path:
    wanted = " ".join(command)
    done = folder / ".installed"
    if not done.exists() or done.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode:
            missing(f"{folder.name} could not be installed: {wanted} failed")
        done.write_text(wanted)
    return folder
