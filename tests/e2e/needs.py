"""What a machine must have for a test: else it is skipped with the reason, and fails where CI=true."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path
from time import time
from typing import NoReturn
from unittest import SkipTest

TOOLS = Path(__file__).parent.parent.parent / ".make"
"""What tests install for themselves; git does not see it."""
_LISTS = 1800
"""Seconds for which Debian's lists of packages are good: a run asks for them once."""

_INSTALLED = ("--no-install-recommends", "ca-certificates")
"""What packages recommend is more than they are; of that npm needs this, to know its registry by."""


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
        if (failed := apt(package or name)) is not None:
            missing(f"{name} is not installed: {failed} failed")
    return str(shutil.which(name))


def apt(package: str) -> str | None:
    """Install one of Debian's packages; the command that failed, if one did."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    update, install = ["apt-get", "-q", "update"], ["apt-get", "-q", "install", "-y", *_INSTALLED, package]
    with alone():
        lists = TOOLS / ".apt"
        known = lists.exists() and time() - lists.stat().st_mtime < _LISTS
        for command in [install] if known else [update, install]:
            if subprocess.run(command, env=environment, capture_output=True, check=False).returncode:
                lists.unlink(missing_ok=True)
                return " ".join(command)
            lists.touch()
    return None


@contextmanager
def alone() -> Iterator[None]:
    """Test modules run side by side: one of them at a time installs something."""
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / ".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield
