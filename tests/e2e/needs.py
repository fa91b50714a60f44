"""What a machine must have for a test: else it is skipped with the reason, and fails where CI=true."""

import os
import shutil
import subprocess
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
