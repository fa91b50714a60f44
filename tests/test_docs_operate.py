"""docs/operate.md is true: a node is run by the book, in a folder of its own."""

import os
import re
import shlex
import shutil
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path
from tempfile import mkdtemp
from urllib.request import urlopen

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.admin.wire import Status
from safeum_home.gateway.tls import self_signed
from tests.e2e import warm
from tests.e2e.node_process import PATIENCE
from tests.e2e.wire import RawClient, Wire
from tests.test_docs import ROOT, commands

BIN = Path(sys.executable).parent
OK_OR_NOT_YET = (0, 4)


class OperatingTests(SynchronousTestCase):
    """docs/operate.md from its first to its last command, on a node in a folder of its own."""

    def setUp(self) -> None:
        # Trial's own folders have names too long for a socket in them.
        self.box = Path(mkdtemp(prefix="safeum-"))
        self.addCleanup(shutil.rmtree, self.box)
        self.etc, self.state = self.box / "etc", self.box / "state"
        self.etc.mkdir(parents=True)
        for folder in (self.state, self.state / "backups"):
            folder.mkdir(mode=0o700)
        sample = self._moved((ROOT / "docs" / "node.toml").read_text())
        sample = sample.replace(
            r"# clients = ['tcp:8443:backlog=1024', 'tcp6:8443:interface=\:\::backlog=1024']",
            'clients = ["tcp:0:interface=127.0.0.1"]',
        )
        (self.etc / "node.toml").write_text(sample.replace("tcp:8008", "tcp:0"))
        chain, key = self_signed(["home.example.org"])
        (self.etc / "chain.pem").write_bytes(chain)
        (self.etc / "key.pem").write_bytes(key)
        (self.box / "answer.txt").write_text("Here it is.\n")
        self.shares = ""
        self.node: warm.Process | None = None
        self.has_started = False

    def tearDown(self) -> None:
        self._stop()

    def _moved(self, text: str) -> str:
        """A command or file with its paths inside the sandbox."""
        for before, after in (
            ("/opt/safeum-home/venv/bin/", f"{BIN}/"),
            ("/var/lib/safeum-home", str(self.state)),
            ("/etc/safeum-home", str(self.etc)),
            ("sudo -u safeum-home ", ""),
            ("safeum-home init", "safeum-home init --yes-print"),
        ):
            text = text.replace(before, after)
        return text

    def _environment(self) -> dict[str, str]:
        path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "SAFEUM_ADMIN_SOCKET": str(self.state / "admin.sock")}

    def _run_line(self, text: str, given: str = "", codes: tuple[int, ...] = (0,)) -> str:
        done = subprocess.run(
            ["bash", "-euc", self._moved(text)],
            cwd=self.box,
            env=self._environment(),
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertIn(done.returncode, codes, f"{text}\n{done.stdout}{done.stderr}")
        return done.stdout

    def _start(self) -> None:
        """Start the node as the unit does, and wait until it answers its operator.

        Where that has worked once its modules need not be loaded again.
        """
        unit = (ROOT / "docs" / "safeum-home.service").read_text()
        [line] = re.findall(r"^ExecStart=(.*)$", unit, re.M)
        self.log = (self.box / "log").open("a+")
        command, environment = self._moved(line), self._environment()
        with open(os.devnull, "rb") as nothing:
            told = nothing.fileno(), self.log.fileno(), self.log.fileno()
            if self.has_started:
                self.node = warm.start(shlex.split(command), *told, self.box, environment)
            else:
                self.node = subprocess.Popen(
                    ["bash", "-c", f"exec {command}"],
                    cwd=self.box,
                    env=environment,
                    stdin=nothing,
                    stdout=self.log,
                    stderr=subprocess.STDOUT,
                )
        self._until("sealed")
        self.has_started = True

    def _stop(self) -> None:
        if self.node is not None:
            self.node.send_signal(signal.SIGTERM)
            self.node.wait(30)
            self.log.close()
            self.node = None

    def _until(self, state: str) -> None:
        """Wait for a state: the node's own work is all that there is to wait for."""
        shown, end = b"", time.monotonic() + PATIENCE
        while not re.search(rf"(?m)^state +{state}".encode(), shown):
            if time.monotonic() > end:
                self.log.seek(0)
                self.fail(f"the node is not {state}:\n{self.log.read()}")
            time.sleep(0.1)
            shown = warm.run(["safeum-home", "status"], environment=self._environment()).stdout

    def test_operate(self) -> None:
        """Every command runs, and the node gets to where the text says."""
        for command in commands(ROOT / "docs" / "operate.md"):
            if command.text.startswith("systemctl"):
                self._systemctl(command.text)
            if command.reason_not_to_run is None:
                self._follow(command.text)
        self._until("ok")
        status = msgspec.json.decode(self._run_line("safeum-home status --json"), type=Status)
        [clients], health = status.listening, status.health
        trust = ssl.create_default_context(cafile=self.etc / "chain.pem")
        trust.check_hostname = False
        for url in (f"http://{health}/health", f"https://{clients}/health"):
            with urlopen(url, context=trust if url.startswith("https") else None) as answer:
                found = msgspec.json.decode(answer.read())
            self.assertEqual(found, {"status": "ok", "node": "home.example.org"})
        shown = self._run_line("safeum-home status")
        self.assertRegex(shown, rf"(?m)^clients at +{clients}$")
        self.assertRegex(shown, rf"(?m)^health at +{health}$")
        self.assertEqual(len(list(self.state.glob("home.sqlite.before-restore-*"))), 1)
        self.log.seek(0)
        log = self.log.read()
        for share in self.shares.splitlines():
            self.assertNotIn(share[:40], log)

    def _follow(self, text: str) -> None:
        """Run a command as its reader would."""
        if " init " in text:
            shares = self._run_line(text).splitlines()
            self.assertEqual(len(shares), 5)
            self.shares = "\n".join(shares[2:])
        elif " unseal" in text or " shares check" in text:
            self._run_line(text, self.shares, OK_OR_NOT_YET)
        elif " status" in text:
            self._run_line(text, codes=OK_OR_NOT_YET)
        elif " federation check" in text:
            self.assertIn("b.example cannot be told", self._run_line(text, codes=(4,)))
        elif " secret set" in text:
            self._run_line(text, "a value")
        elif " accounts show" in text:
            self._run_line(text, "nobody", (1,))
        elif " support list" in text:
            self._write_to_support("ada")
            self.assertRegex(self._run_line(text), "(?m)^ada +UNANSWERED for 0 h 0 min +Help$")
        elif " support read" in text:
            self.assertIn("Help", self._run_line(text))
        elif " secret list" in text:
            self.assertEqual(self._run_line(text), "sms-gateway\ntls-key\n")
        else:
            self._run_line(text)

    def _write_to_support(self, login: str) -> None:
        """A new account does."""
        self._until("ok")
        status = msgspec.json.decode(self._run_line("safeum-home status --json"), type=Status)
        trust = ssl.create_default_context(cafile=self.etc / "chain.pem")
        trust.check_hostname = False
        trust.set_alpn_protocols(["http/1.1"])
        port = int(status.listening[0].rpartition(":")[2])
        device = {"name": "a device", "system": "a system"}
        with RawClient(Wire(port, trust)) as client:
            params = {"username": login, "password": "correct horse battery", "device": device}
            consent = client.call("policy.get")["version"]
            chat = client.call("account.register", **params, consent=consent)["support_chat"]
            body = {"kind": "text", "text": "Help"}
            client.call("chat.send", chat=chat, client_id="1", body=body)

    def _systemctl(self, text: str) -> None:
        if "postgresql" in text:
            return
        if "restart" in text or "enable" in text or "stop" in text:
            self._stop()
        if "start" in text or "enable" in text:
            self._start()
