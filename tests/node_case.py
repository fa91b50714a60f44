"""A node as a process of its own, started and operated as an operator does: `twistd` and `safeum-home`."""

import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.gateway.tls import self_signed
from tests.e2e import warm
from tests.e2e.node_process import _free_port
from tests.e2e.wire import RawClient, Wire

BIN = Path(sys.executable).parent
PATIENCE = 60.0
"""Seconds after which something that should have happened has not."""
CONFIG = """\
[node]
name = "localhost"
state_dir = "{folder}/state"
[listen]
clients = ["tcp:{port}:interface=127.0.0.1"]
health = "tcp:{health}:interface=127.0.0.1"
[tls]
certificate = "{folder}/chain.pem"
[passwords]
memory_mib = 8
operations = 1
"""


class NodeCase(SynchronousTestCase):
    """A folder with a state directory, a configuration and a certificate; nodes that are started there."""

    is_warm = True
    """Whether nodes and commands are started by a process that has loaded their modules."""

    def setUp(self) -> None:
        # Trial's own folders have names too long for a socket in them.
        self.folder = Path(tempfile.mkdtemp(prefix="safeum-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.port, self.health_port = _free_port(), _free_port()
        self.config = self.folder / "node.toml"
        self.config.write_text(CONFIG.format(folder=self.folder, port=self.port, health=self.health_port))
        chain, self.key = self_signed(["localhost"])
        (self.folder / "chain.pem").write_bytes(chain)
        self.tls = ssl.create_default_context(cadata=chain.decode())
        self.alpn = ssl.create_default_context(cadata=chain.decode())
        self.alpn.set_alpn_protocols(["http/1.1"])
        self.log = self.folder / "log"
        self.words = self.operate("init", "--state-dir", str(self.folder / "state"), "--yes-print")

    def serve(self) -> warm.Process:
        """A node that serves, with its root secret fed and its key set."""
        node = self.start_unsealed()
        if not (self.folder / "state" / "secrets").exists():
            self.until((503, "no_certificate"))
            self.operate("secret", "set", "tls-key", "--config", str(self.config), text=self.key)
        self.until((200, "ok"))
        return node

    def start_unsealed(self, words: str | None = None) -> warm.Process:
        """Start a node with its root secret on a descriptor."""
        reader, writer = os.pipe()
        os.write(writer, (words or self.words).encode())
        os.close(writer)
        node = self.start("--root-fd", str(reader), descriptors=(reader,))
        os.close(reader)
        return node

    def sign_up(self, name: str, **more: str) -> None:
        """An account on the node that serves."""
        device = {"name": "a device", "system": "a system"}
        with RawClient(Wire(self.port, self.alpn)) as client:
            about = {"device": device, "consent": client.call("policy.get")["version"], **more}
            client.call("account.register", username=name, password="correct horse battery", **about)

    def status(self) -> dict[str, Any]:
        """`safeum-home status --json`, whatever the node's state."""
        code = 0 if self.health() == (200, "ok") else 4
        answer: dict[str, Any] = json.loads(
            self.operate("status", "--json", "--config", str(self.config), code=code)
        )
        return answer

    def operate(self, *arguments: str, text: bytes = b"", code: int = 0) -> str:
        """Run the operator's command; what it prints."""
        command = [str(BIN / "safeum-home"), *arguments]
        if self.is_warm:
            done = warm.run(command, text, timeout=PATIENCE)
        else:
            done = subprocess.run(command, input=text, capture_output=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, code, done.stderr.decode())
        return done.stdout.decode().strip()

    def start(self, *options: str, descriptors: tuple[int, ...] = ()) -> warm.Process:
        command = (str(BIN / "twistd"), "-n", "--pidfile=", "safeum", "--config", str(self.config), *options)
        node: warm.Process
        with self.log.open("ab") as log, Path(os.devnull).open("rb") as nothing:
            if self.is_warm:
                told = nothing.fileno(), log.fileno(), log.fileno()
                node = warm.start(command, *told, self.folder, descriptors=descriptors)
            else:
                node = subprocess.Popen(
                    command, stdin=nothing, stdout=log, stderr=log, cwd=self.folder, pass_fds=descriptors
                )
        self.addCleanup(self.stop, node)
        return node

    def stop(self, node: warm.Process) -> int:
        if node.poll() is None:
            node.send_signal(signal.SIGTERM)
        return node.wait(PATIENCE)

    def health(self, secure: bool = False) -> tuple[int, str]:
        """Status code and `status` of `GET /health`; 0 where nobody answers."""
        url = f"https://localhost:{self.port}" if secure else f"http://127.0.0.1:{self.health_port}"
        try:
            with urlopen(f"{url}/health", context=self.tls if secure else None, timeout=PATIENCE) as answer:
                return answer.status, json.load(answer)["status"]
        except HTTPError as error:
            with error:
                return error.code, json.load(error)["status"]
        except (URLError, ConnectionError):
            return 0, ""

    def until(self, answer: tuple[int, str], ask: Callable[[], tuple[int, str]] | None = None) -> None:
        """Wait for an answer to `GET /health`."""
        deadline = time.monotonic() + PATIENCE
        while (found := (ask or self.health)()) != answer:
            if time.monotonic() > deadline:
                self.fail(f"{found} and not {answer}:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.02)
