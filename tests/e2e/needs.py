"""What a machine must have for a test: else it is skipped with the reason, and fails where CI=true."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn
from unittest import SkipTest


def missing(reason: str) -> NoReturn:
    """The test cannot run here."""
    if os.environ.get("CI") == "true":
        raise RuntimeError(reason)
    raise SkipTest(reason)


def root(what: str) -> None:
    """Only root can do `what`."""
    if os.geteuid() != 0:
        missing(f"only root can {what}")


def tool(name: str, package: str | None = None) -> str:
    """The path of a program; installed from Debian's `package` where root finds it missing."""
    if shutil.which(name) is None:
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            missing(f"{name} is not installed, and only root can install it")
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "-q", "update"], ["apt-get", "-q", "install", "-y", package or name]):
            if subprocess.run(command, env=environment, capture_output=True, check=False).returncode:
                missing(f"{name} is not installed: {' '.join(command)} failed")
    return str(shutil.which(name))


def npm(package: str, version: str) -> Path:
    """A `node_modules` with `package` of npm in it, in a folder of the checkout that is kept."""
    tool("node", "nodejs")
    folder = Path(__file__).parent.parent.parent / ".make" / "npm" / f"{package.replace('/', '-')}-{version}"
    modules = folder / "node_modules"
    if not (modules / package).is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        command = [tool("npm"), "install", "--no-audit", "--no-fund", "--prefix", str(folder)]
        if subprocess.run([*command, f"{package}@{version}"], capture_output=True, check=False).returncode:
            missing(f"{package} is not installed: npm install failed")
    return modules
