"""Tests of clients against a node, over TLS."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from time import monotonic
from typing import IO, Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.accounts.policy import standard
from safeum_home.client import aio
from tests.e2e import warm

ROOT = Path(__file__).parent.parent
SAFEUM = (sys.executable, "-c", "from safeum_home.client.cli import main; raise SystemExit(main())")
PASSWORD = "correct horse battery staple"
SECONDS = 30
"""The most that anything here may take."""


def until(stream: IO[bytes], wanted: bytes) -> bytes:
    """Read until `wanted` is there; fails the test when it does not come."""
    read, end = b"", monotonic() + SECONDS
    while wanted not in read:
        ready, _, _ = select.select([stream], [], [], max(0.0, end - monotonic()))
        octets = os.read(stream.fileno(), 65536) if ready else b""
        if not octets:
            raise AssertionError(f"{wanted!r} did not come, only {read[-2000:]!r}")
        read += octets
    return read


class NodeCase(SynchronousTestCase):
    """Each test has a node of its own."""

    program = "development-node"
    """Of `tests.e2e.warm`."""

    def setUp(self) -> None:
        self.box = Path(mkdtemp(prefix="safeum-"))
        self.addCleanup(rmtree, self.box)
        self.ca = self.box / "ca.pem"
        self.node, self.address = self.start_node()

    def start_node(self, port: str = "0") -> tuple[warm.Process, str]:
        """A node with a certificate of its own, and where it listens."""
        read, write = os.pipe()
        self.said = os.fdopen(read, "rb", buffering=0)
        self.addCleanup(self.said.close)
        with os.fdopen(write, "wb") as writing, open(os.devnull, "rb") as nothing:
            command = (self.program, port, str(self.ca))
            node = warm.start(command, nothing.fileno(), writing.fileno(), 2, ROOT)

        def stop() -> None:
            node.send_signal(signal.SIGTERM)
            node.wait(SECONDS)

        self.addCleanup(stop)
        found = re.search(rb"wss://(localhost:\d+)", until(self.said, b"Ctrl-C"))
        assert found is not None
        return node, found[1].decode()

    def start(self, *command: str, **options: Any) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(command, cwd=ROOT, **options)

        def stop() -> None:
            if process.poll() is None:
                process.terminate()
            process.communicate(timeout=SECONDS)

        self.addCleanup(stop)
        return process

    def safeum(self, command: str, login: str, given: str, *more: str) -> "subprocess.CompletedProcess[str]":
        where = ("--node", self.address, "--ca", str(self.ca), "--login", login, *more)
        done = warm.run(["safeum", command, *where], given.encode(), ROOT, timeout=SECONDS)
        said = done.stdout.decode(), done.stderr.decode()
        return subprocess.CompletedProcess(done.args, done.returncode, *said)

    def register(self, login: str) -> None:
        done = self.safeum("register", login, PASSWORD + "\n", "--agree", standard().version)
        self.assertEqual((done.returncode, done.stdout.split()[-1]), (0, f"{login}@localhost"), done.stderr)

    def connect(self) -> Any:
        return aio.connect(self.address, ca=self.ca.read_bytes())

    @contextmanager
    def chat(self, *options: str) -> Iterator[tuple[IO[bytes], warm.Process]]:
        """`safeum chat` on a terminal of its own."""
        ours, theirs = pty.openpty()
        where = ("--node", self.address, "--ca", str(self.ca), *options)
        environment = {"TERM": "xterm", "LINES": "24", "COLUMNS": "80", "PATH": os.environ["PATH"]}
        with open(ours, "r+b", buffering=0) as screen:
            process = warm.start(["safeum", "chat", *where], theirs, theirs, theirs, ROOT, environment)
            os.close(theirs)
            try:
                yield screen, process
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(SECONDS)
