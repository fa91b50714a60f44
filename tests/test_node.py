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
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.gateway.tls import self_signed
from tests.e2e.node_process import _free_port

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


class NodeTests(SynchronousTestCase):
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
        self.log = self.folder / "log"
        self.words = self.operate("init", "--state-dir", str(self.folder / "state"), "--yes-print")

    def operate(self, *arguments: str, text: bytes = b"", code: int = 0) -> str:
        """Run the operator's command; what it prints."""
        done = subprocess.run(
            [BIN / "safeum-home", *arguments], input=text, capture_output=True, timeout=PATIENCE, check=False
        )
        self.assertEqual(done.returncode, code, done.stderr.decode())
        return done.stdout.decode().strip()

    def start(self, *options: str, descriptors: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            node = subprocess.Popen(
                [BIN / "twistd", "-n", "--pidfile=", "safeum", "--config", self.config, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                pass_fds=descriptors,
            )
        self.addCleanup(self.stop, node)
        return node

    def stop(self, node: subprocess.Popen[bytes]) -> int:
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

    def test_life(self) -> None:
        """Sealed until its root secret is fed, then without a certificate until its key is, then serving."""
        node = self.start()
        self.until((503, "sealed"))
        self.assertEqual(self.health(secure=True), (0, ""))
        self.operate("secret", "list", "--config", str(self.config), code=1)
        wrong = " ".join(["abandon"] * 23 + ["art"])
        self.operate("unseal", "--config", str(self.config), text=wrong.encode(), code=1)
        self.assertEqual(self.health(), (503, "sealed"))
        self.operate("unseal", "--config", str(self.config), text=self.words.encode())
        self.until((503, "no_certificate"))
        other = self_signed(["localhost"])[1]
        self.operate("secret", "set", "tls-key", "--config", str(self.config), text=other, code=1)
        self.assertEqual(self.health(), (503, "no_certificate"))
        self.operate("secret", "set", "tls-key", "--config", str(self.config), text=self.key)
        self.until((200, "ok"))
        self.assertEqual(self.health(secure=True), (200, "ok"))
        status = json.loads(self.operate("status", "--json", "--config", str(self.config)))
        self.assertEqual((status["state"], status["node"]), ("ok", "localhost"))
        self.assertEqual(self.stop(node), -signal.SIGTERM)
        log = self.log.read_text()
        self.assertNotIn("Traceback", log)
        self.assertIn("Server Shut Down", log)
        self.assertNotIn(self.words.split()[0] + " " + self.words.split()[1], log)
        left = sorted(path.name for path in self.folder.rglob("*") if path.is_file())
        self.assertEqual([name for name in left if name.endswith((".tap", ".pid", ".sock", "-wal"))], [])

    def test_descriptor(self) -> None:
        """Started with its root secret on an inherited descriptor it serves as soon as it is up."""
        state = self.folder / "state"
        for words, expected in (("abandon " * 23 + "art", "sealed"), (self.words, "no_certificate")):
            reader, writer = os.pipe()
            os.write(writer, words.encode())
            os.close(writer)
            node = self.start("--root-fd", str(reader), descriptors=(reader,))
            os.close(reader)
            self.until((503, expected))
            if expected == "no_certificate":
                self.operate("secret", "set", "tls-key", "--config", str(self.config), text=self.key)
                self.until((200, "ok"))
            self.assertEqual(self.stop(node), -signal.SIGTERM)
        self.assertEqual(oct(state.stat().st_mode & 0o777), "0o700")
        for path in state.iterdir():
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)

    def test_wrong_usage(self) -> None:
        """A configuration that cannot be used is said so, before anything is started."""
        self.config.write_text(self.config.read_text() + "[limits]\nmisspelt = 1\n")
        node = self.start()
        self.assertEqual(node.wait(PATIENCE), 1)
        self.assertIn("misspelt", self.log.read_text())
        self.assertNotIn("Traceback", self.log.read_text())
