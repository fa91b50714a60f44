"""Packages from npm that a test runs against, in a folder of the checkout that git does not keep."""

import subprocess
from pathlib import Path

from tests.e2e.needs import missing, tool

FOLDER = Path(__file__).parent.parent.parent / ".make" / "npm"


def package(specification: str) -> Path:
    """A folder in whose `node_modules` there is `NAME@VERSION`; installed where it is missing."""
    name, _, version = specification.rpartition("@")
    tool("node", "nodejs")
    folder = FOLDER / name.strip("@").replace("/", "-")
    if not (folder / "node_modules" / name / "package.json").exists():
        npm = tool("npm")
        folder.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
        done = subprocess.run([*command, f"{name}@{version}"], capture_output=True, check=False)
        if done.returncode:
            missing(f"{specification} cannot be installed from npm")
    return folder
