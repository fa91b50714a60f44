"""`safeum-home` as a process, against a real socket with a real seal behind it."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from safeum_home.admin.commands import standard_handlers
from safeum_home.admin.service import AdminFactory, listen
from safeum_home.admin.wire import Names, Status
from safeum_home.errors import Code, Problem
from safeum_home.operator import main
from safeum_home.protocol.frames import problem_details
from safeum_home.sealing.machine import Seal
from safeum_home.sealing.memory import Arena
from safeum_home.sealing.vault import open_vault

reactor: Any = _reactor
PROGRAM = (sys.executable, "-c", "import sys; from safeum_home.operator import main; sys.exit(main())")


class CommandLineTests(TestCase):
    """Each command, as an operator gives it."""

    timeout = 60

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="admin")  # trial's own paths are too long for unix(7)
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.state = self.folder / "state"
        self.socket = self.folder / "admin.sock"

    def _command(self, *arguments: str, given: bytes = b"") -> "Deferred[subprocess.CompletedProcess[bytes]]":
        environment = {**os.environ, "SAFEUM_ADMIN_SOCKET": str(self.socket)}
        return deferToThread(
            subprocess.run,
            [*PROGRAM, *arguments],
            input=given,
            capture_output=True,
            check=False,
            env=environment,
        )

    def _serve(self) -> Seal:
        arena = Arena()
        seal = Seal(reactor, arena, lambda root: open_vault(root, self.state), lambda _: None)

        def status() -> Status:
            at = seal.progress
            memory = arena.level.value
            return Status("1", "home.example", at.state, at.have, at.needed, memory, True, "sqlite", 0)

        handlers = standard_handlers(status, seal, lambda: seal.vault.secrets, deferToThread)
        port = listen(reactor, self.socket, AdminFactory(reactor, handlers))
        self.addCleanup(seal.close)
        self.addCleanup(port.stopListening)
        return seal

    async def test_life_of_a_node(self) -> None:
        """Shares are made, fed one by one, and then secrets are kept."""
        made = await self._command(
            "init", "--state-dir", str(self.state), "--shares", "3", "--threshold", "2", "--yes-print"
        )
        self.assertEqual(made.returncode, 0, made.stderr)
        shares = made.stdout.splitlines()
        self.assertEqual([len(share.split()) for share in shares], [33, 33, 33])
        self.assertEqual(os.listdir(self.state), ["keyring"])
        seal = self._serve()
        self.assertEqual(self.socket.stat().st_mode & 0o777, 0o600)

        refused = await self._command("secret", "set", "sms.token", given=b"value")
        self.assertEqual((refused.returncode, refused.stdout), (1, b""))
        one = await self._command("unseal", given=b"\n" + shares[2].upper() + b"\n")
        self.assertEqual((one.returncode, one.stdout), (0, b"Taken (1 of 2 shares).\n"))
        self.assertIn(b"unsealing (1 of 2 shares)", (await self._command("status")).stdout)
        wrong = await self._command("unseal", given=shares[2])
        self.assertEqual(wrong.returncode, 1)
        self.assertNotIn(shares[2].split()[5], wrong.stderr.split())
        both = await self._command("unseal", given=shares[0] + b"\n" + shares[1])
        self.assertEqual((both.returncode, both.stdout), (0, b"The node is open.\n"))
        self.assertEqual((await self._command("unseal")).stdout, b"The node is open already.\n")

        status = json.loads((await self._command("status", "--json", "--socket", str(self.socket))).stdout)
        self.assertEqual((status["state"], status["core_dumps_off"]), ("open", True))
        for name, value in (("sms.token", b"value\n"), ("tls.key", b"a\nb\n\n")):
            self.assertEqual((await self._command("secret", "set", name, given=value)).returncode, 0)
        self.assertEqual((await self._command("secret", "list")).stdout, b"sms.token\ntls.key\n")
        self.assertEqual(seal.vault.secrets.open("sms.token"), b"value")
        self.assertEqual(seal.vault.secrets.open("tls.key"), b"a\nb\n")
        self.assertEqual((await self._command("secret", "delete", "tls.key")).returncode, 0)
        self.assertEqual((await self._command("secret", "delete", "tls.key")).returncode, 1)

    async def test_words(self) -> None:
        """Words alone are enough, and a state directory is initialised once."""
        made = await self._command("init", "--state-dir", str(self.state), "--yes-print")
        self.assertEqual(len(made.stdout.split()), 24)
        again = await self._command("init", "--state-dir", str(self.state), "--yes-print")
        self.assertEqual((again.returncode, again.stdout), (1, b""))
        self._serve()
        self.assertEqual((await self._command("unseal", given=made.stdout)).stdout, b"The node is open.\n")

    def _in_process(self, *arguments: str) -> tuple[int, str]:
        """Exit code of a command, and what it shows."""
        complaints = StringIO()
        with redirect_stderr(complaints), redirect_stdout(complaints):
            try:
                return main(arguments), complaints.getvalue()
            except SystemExit as exit:
                return int(exit.code or 0), complaints.getvalue()

    def test_usage(self) -> None:
        """Wrong usage, and no node, have exit codes of their own; nothing is made on the way."""
        init = ("init", "--state-dir", str(self.state))
        for arguments in (
            init,  # the output is not a terminal
            (*init, "--yes-print", "--shares", "3"),
            (*init, "--yes-print", "--shares", "2", "--threshold", "3"),
            (*init, "--yes-print", "--shares", "3", "--threshold", "1"),
            (*init, "--yes-print", "--shares", "17", "--threshold", "2"),
            (*init, "--yes-print", "--words", "--shares", "3", "--threshold", "2"),
            ("unseal", "some", "words"),
            ("status", "--config", str(self.folder / "none.toml")),
            (),
        ):
            self.assertEqual(self._in_process(*arguments)[0], 2, arguments)
        self.assertFalse(self.state.exists())
        code, complaints = self._in_process("status", "--socket", str(self.socket))
        self.assertEqual(code, 3)
        self.assertIn("No node answers", complaints)

    def test_socket_of_the_configuration(self) -> None:
        """The configuration file tells where the node's socket is."""
        file = self.folder / "node.toml"
        file.write_text(f'[node]\nname = "home.example"\nstate_dir = "{self.folder}/there"\n')
        code, complaints = self._in_process("status", "--config", str(file))
        self.assertEqual(code, 3)
        self.assertIn(f"{self.folder}/there/admin.sock", complaints)

    def _answered(self, answer: bytes, *arguments: str) -> tuple[int, str]:
        """A command, to something that answers thus."""
        self.socket.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(self.socket))
            other.listen()

            def answer_one() -> None:
                with other.accept()[0] as caller:
                    caller.recv(65536)
                    caller.sendall(answer + b"\n")

            answering = Thread(target=answer_one)
            answering.start()
            outcome = self._in_process(*arguments, "--socket", str(self.socket))
            answering.join()
        return outcome

    def test_not_a_node(self) -> None:
        """Something else at the socket is told from a node."""
        code, complaints = self._answered(b"220 welcome", "status")
        self.assertEqual(code, 3)
        self.assertIn("not a node", complaints)

    def test_nothing_of_a_node_reaches_the_terminal_raw(self) -> None:
        """Whoever took over a node has not taken over its operator's terminal."""
        evil = "\x1b]0;evil\x07\u202e\x9b2J"
        status = Status("1", evil, evil, 0, 0, evil, True, evil, 0, [evil], evil)
        details = problem_details(Problem(Code.NOT_FOUND, evil))
        for result, arguments in (
            ({"result": status}, ("status",)),
            ({"result": Names([evil])}, ("secret", "list")),
            ({"error": {"code": 1, "message": evil, "data": details}}, ("secret", "delete", "x")),
        ):
            code, shown = self._answered(msgspec.json.encode({"id": 1, **result}), *arguments)
            self.assertIn("evil", shown)
            self.assertTrue(shown.replace("\n", "").isprintable(), shown)
            self.assertEqual(code, 1 if "error" in result else 0)
