"""A private PostgreSQL server for tests, from Debian's packages: on a Unix socket, in a directory of its own.

Started with the first `url()` of a process, stopped and removed when the process ends.
"""

import atexit
import itertools
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from tests.e2e import needs

_USER = "postgres"
_numbers = itertools.count(1)
_server: "Server | None" = None
_missing: str | None = None


class Server:
    """A cluster that can be stopped and started again."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        # /tmp, because the path of a Unix socket has at most 107 octets.
        self.directory = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        atexit.register(self.remove)
        if os.geteuid() == 0:
            shutil.chown(self.directory, _USER)
        data = str(self.directory / "data")
        self._run("initdb", "--pgdata", data, "--username", _USER, "--auth", "trust", "--no-sync")
        self.start()

    def start(self) -> None:
        # What the kernel has is not lost with the server, and no test takes the kernel's power away.
        lasting = "-c fsync=off -c full_page_writes=off"
        options = f"-k {self.directory} -c listen_addresses= -c max_connections=200 {lasting}"
        log = str(self.directory / "log")
        self._control("start", "--wait", "--log", log, "--options", options)

    def stop(self) -> None:
        self._control("stop", "--wait", "--mode", "immediate")

    def remove(self) -> None:
        if (self.directory / "data" / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.directory)

    def sql(self, statement: str) -> None:
        self._run("psql", "--host", str(self.directory), "--username", _USER, "--command", statement)

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "--pgdata", str(self.directory / "data"), *arguments)

    def _run(self, command: str, *arguments: str) -> None:
        # PostgreSQL refuses to run as root.
        drop = ["setpriv", "--reuid", _USER, "--regid", _USER, "--clear-groups"] if os.geteuid() == 0 else []
        done = subprocess.run(
            [*drop, str(self._binaries / command), *arguments],
            cwd=self.directory,
            # Not a pipe: the server inherits it and would hold it open.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if command == "pg_ctl" else subprocess.PIPE,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{command} failed: {(done.stderr or b'').decode(errors='replace')}")


def _binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return found[-1].parent if found else None


def _install() -> str | None:
    """Install Debian's packages; the reason where that cannot be."""
    if os.geteuid() != 0:
        return "PostgreSQL is not installed, and only root can install it"
    if shutil.which("apt-get") is None:
        return "PostgreSQL is not installed, and there is no apt-get"
    if (failed := needs.apt("postgresql")) is not None:
        return f"PostgreSQL is not installed: {failed} failed"
    return None if _binaries() else "Debian's postgresql brought no server"


def server() -> Server:
    """The server of this process. SkipTest where there can be none; a failure instead where CI=true."""
    global _server, _missing
    if _server is None:
        if _binaries() is None and _missing is None:
            _missing = _install()
        binaries = _binaries()
        if binaries is None:
            reason = _missing or "PostgreSQL is not installed"
            raise RuntimeError(reason) if os.environ.get("CI") == "true" else unittest.SkipTest(reason)
        _server = Server(binaries)
    return _server


def url(like: str = "template1") -> str:
    """The URL of a fresh database: empty, or as the one of that name is."""
    cluster = server()
    name = f"test_{os.getpid()}_{next(_numbers)}"
    cluster.sql(f"CREATE DATABASE {name} TEMPLATE {like}")
    return f"postgresql://{_USER}@/{name}?host={cluster.directory}"


def name_of(url: str) -> str:
    """The name of the database that has this URL."""
    return url.partition("?")[0].rpartition("/")[2]
