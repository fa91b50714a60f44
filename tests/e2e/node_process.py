"""A real node as a process of its own: `twistd -n safeum --config FILE`, the production start.

Everything that the process may write lies in one folder: state, temporary files, home, log.
"""

import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from safeum_home.admin.caller import NoNode, call
from safeum_home.admin.wire import Done, Params, SetSecretParams, Status
from safeum_home.gateway.tls import self_signed
from tests.certificates import Authority
from tests.e2e import warm
from tests.e2e.wire import Wire

BIN = Path(sys.executable).parent
TWISTD = (str(BIN / "twistd"),)
PATIENCE = 60.0
"""Seconds after which something has not happened that should have: against hanging, not a measurement."""

_MANY = 1_000_000
LIMITS: Mapping[str, object] = {
    "commands_per_second": _MANY,
    "commands_burst": _MANY,
    "logins_per_address": _MANY,
    "logins_per_address_burst": _MANY,
    "logins_per_account": _MANY,
    "logins_per_account_burst": _MANY,
    "signups_per_address": _MANY,
    "signups_per_address_burst": _MANY,
}
_CONFIG = """\
[node]
name = "{name}"
state_dir = "{state}"
[listen]
clients = ["tcp:{port}:interface={address}:backlog=1024"]
[tls]
certificate = "{certificate}"
[database]
url = "{database}"
[passwords]
memory_mib = 8
operations = 1
[limits]
{limits}
"""
_FEDERATION = """
[federation]
ca = "{ca}"
networks = ["127.0.0.0/8", "::1", "10.199.0.0/24"]
{more}
"""


class NodeProcess:
    """A node with its folder. `start` it, `kill` or `stop` it, `start` it again on the same state."""

    def __init__(
        self,
        database: str = "sqlite",
        limits: Mapping[str, object] | None = None,
        command: Sequence[str] = TWISTD,
        state: Path | None = None,
        environment: Mapping[str, str] | None = None,
        authority: Authority | None = None,
        at: tuple[str, str] = ("localhost", "127.0.0.1"),
        federation: str = "",
        more: str = "",
    ) -> None:
        """`command` runs twistd: a name of `tests.e2e.warm` is started by that. `state` is where the state
        directory is, if not in the node's folder.

        With an `authority` it is one of several nodes, whose certificates are by that one. It is served
        `at` a host and address, which has to be there; `federation` is more lines of that section,
        and `more` is appended to the configuration.
        """
        # Trial's own folders have names too long for a socket in them, and /dev/shm is no disk.
        self.folder = Path(tempfile.mkdtemp(prefix="safeum-", dir="/tmp"))
        self.state = self.folder / "state" if state is None else state
        self.log = self.folder / "log"
        self.host, self.address = at
        self.port = _free_port()
        self.pid = 0
        self.ending = False
        """It was told to end, or killed, and has not been started again."""
        self.command = command
        """What runs twistd."""
        self.network: Path | None = None
        """The network namespace that a warm one is in, if not in ours: /proc/PID/ns/net."""
        self._process: warm.Process | None = None
        for name in ("tmp", "home"):
            (self.folder / name).mkdir()
        self._environment = {
            **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            **(environment or {}),
        }
        init = [str(BIN / "safeum-home"), "init", "--state-dir", str(self.state), "--yes-print"]
        self.words = warm.run(init).stdout.decode().strip()
        self.name, section = "localhost", ""
        if authority is None:
            self.certificate, self.key = self_signed(["localhost"])
        else:
            self.name = f"{self.host}:{self.port}"
            self.certificate, self.key = authority.issue(self.host)
            ca = self.folder / "ca.pem"
            ca.write_bytes(authority.pem)
            section = _FEDERATION.format(ca=ca, more=federation)
        certificate = self.folder / "chain.pem"
        certificate.write_bytes(self.certificate)
        trusted = self.certificate if authority is None else authority.pem
        self.tls = ssl.create_default_context(cadata=trusted.decode())
        self.tls.set_alpn_protocols(["http/1.1"])
        self._config = self.folder / "node.toml"
        settings = {**LIMITS, **(limits or {})}
        self._config.write_text(
            _CONFIG.format(
                name=self.name,
                state=self.state,
                port=self.port,
                address=self.address,
                certificate=certificate,
                database=database,
                limits="\n".join(f"{name} = {value}" for name, value in settings.items()),
            )
            + section
            + more
        )
        self._has_key = False

    def add(self, lines: str) -> None:
        """More of the configuration, for the next start."""
        with self._config.open("a") as config:
            config.write(lines)

    # --- life

    def start(self) -> None:
        """Start, unseal through an inherited descriptor, and wait until `/health` says ok."""
        self.ending = False
        reader, writer = os.pipe()
        os.write(writer, self.words.encode())
        os.close(writer)
        options = ["-n", "--pidfile=", "safeum", "--config", str(self._config), "--root-fd", str(reader)]
        with self.log.open("ab") as log:
            self._process = self._run(options, reader, log)
        os.close(reader)
        self.pid = self._process.pid
        if not self._has_key:
            self._until(lambda: self._state() == "no_certificate")
            self.set_secret("tls-key", self.key)
            self._has_key = True
        self._until(lambda: self.health() == 200)

    def _run(self, options: Sequence[str], reader: int, log: IO[bytes]) -> warm.Process:
        home = self.folder / "home"
        if warm.knows(self.command):
            with Path(os.devnull).open("rb") as nothing:
                told = nothing.fileno(), log.fileno(), log.fileno()
                command = [*self.command, *options]
                return warm.start(command, *told, home, self._environment, [reader], self.network)
        return subprocess.Popen(
            [*self.command, *options],
            pass_fds=[reader],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=home,
            env=self._environment,
        )

    def kill(self) -> None:
        """SIGKILL: the process has no time for anything."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM, and wait; the exit status."""
        return self._end(signal.SIGTERM)

    def close(self) -> None:
        """End the process and remove the folder; whatever was done to it, the node has logged no failure."""
        if self.running:
            self.kill()
        logged = self.logged()
        shutil.rmtree(self.folder)
        if "Traceback" in logged or "Unhandled" in logged:
            raise AssertionError(f"the node logged a failure:\n{logged[-8000:]}")

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    # --- to look at

    def admin(self, *arguments: str) -> tuple[int, str]:
        """Run `safeum-home`; its exit code, and what it said."""
        command = [str(BIN / "safeum-home"), *arguments, "--config", str(self._config)]
        return _said(command)

    def set_secret(self, name: str, value: bytes) -> None:
        """As `safeum-home secret set` does, through the operator's socket."""
        call(str(self.state / "admin.sock"), "secret.set", SetSecretParams(name, value), Done)

    def connect(self, **options: int | str) -> Wire:
        """A TLS connection to the node's port."""
        return Wire(self.port, self.tls, address=self.address, host=self.host, **options)  # type: ignore[arg-type]  # the options are Wire's

    def health(self) -> int:
        """The status that `GET /health` is answered with; 0 where nobody answers."""
        try:
            with self.connect() as wire:
                return wire.get("/health")[0]
        except OSError:
            return 0

    def logged(self) -> str:
        """All that it printed."""
        return self.log.read_text(errors="replace")

    def resident(self) -> int:
        """Octets of memory that it holds."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("the node has no memory: it is gone")

    def _state(self) -> str:
        try:
            return call(str(self.state / "admin.sock"), "status", Params(), Status).state
        except NoNode:
            return ""

    def _until(self, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not happened():
            if not self.running or time.monotonic() > deadline:
                raise AssertionError(f"the node did not start:\n{self.logged()[-4000:]}")
            time.sleep(0.01)

    def _end(self, how: signal.Signals) -> int:
        assert self._process is not None
        self.ending = True
        self._process.send_signal(how)
        return self._process.wait(PATIENCE)


def _said(command: Sequence[str]) -> tuple[int, str]:
    """Run a command; its exit code, and what it said."""
    done = warm.run(command, timeout=PATIENCE)
    return done.returncode, (done.stdout + done.stderr).decode().strip()


def _free_port() -> int:
    """A port that is free, below those that the kernel gives to outgoing connections."""
    while True:
        port = random.randrange(16_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
