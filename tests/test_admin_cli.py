"""`safeum-home` as a process, against a real socket with a real seal behind it."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from argparse import Namespace
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from safeum_home.admin import control_cli, words
from safeum_home.admin.commands import standard_handlers
from safeum_home.admin.service import AdminFactory, listen
from safeum_home.admin.wire import Done, Names, Status
from safeum_home.errors import Code, Problem
from safeum_home.operator import main
from safeum_home.protocol.frames import problem_details
from safeum_home.sealing.machine import Seal
from safeum_home.sealing.memory import Arena
from safeum_home.sealing.vault import open_vault
from tests.e2e import warm

reactor: Any = _reactor
ROOT = Path(__file__).parent.parent


class CommandLineTests(TestCase):
    """Each command, as an operator gives it."""

    timeout = 60
    serving = "ok"
    """What the node says of itself once it is unsealed."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="admin")  # trial's own paths are too long for unix(7)
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.state = self.folder / "state"
        self.socket = self.folder / "admin.sock"

    def _command(self, *arguments: str, given: bytes = b"") -> "Deferred[subprocess.CompletedProcess[bytes]]":
        environment = {**os.environ, "SAFEUM_ADMIN_SOCKET": str(self.socket)}
        return deferToThread(warm.run, ["safeum-home", *arguments], given, environment=environment)

    def _serve(self) -> Seal:
        arena = Arena()
        seal = Seal(reactor, arena, lambda root: open_vault(root, self.state), lambda _: None)

        def status() -> Status:
            at = seal.progress
            memory = arena.level.value
            state = self.serving if at.state == "open" else at.state
            return Status("1", "home.example", state, at.have, at.needed, memory, True, "sqlite", 0)

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
        self.assertEqual(sorted(os.listdir(self.state)), ["keyring", "keyring.fleeting"])
        seal = self._serve()
        self.assertEqual(self.socket.stat().st_mode & 0o777, 0o600)

        refused = await self._command("secret", "set", "sms.token", given=b"value")
        self.assertEqual((refused.returncode, refused.stdout), (1, b""))
        one = await self._command("unseal", given=b"\n" + shares[2].upper() + b"\n")
        self.assertEqual((one.returncode, one.stdout), (4, b"Taken (1 of 2 shares).\n"))
        status = await self._command("status")
        self.assertIn(b"unsealing (1 of 2 shares) - feed the rest", status.stdout)
        self.assertEqual(status.returncode, 4)
        wrong = await self._command("unseal", given=shares[2])
        self.assertEqual(wrong.returncode, 1)
        self.assertNotIn(shares[2].split()[5], wrong.stderr.split())
        both = await self._command("unseal", given=shares[0] + b"\n" + shares[1])
        self.assertEqual((both.returncode, both.stdout), (0, b"The root secret is right.\nThe node is ok\n"))
        self.assertEqual(
            (await self._command("unseal")).stdout, b"The node was unsealed before.\nThe node is ok\n"
        )
        self.serving = "no_certificate"
        again = await self._command("unseal")
        self.assertEqual(again.returncode, 4)
        self.assertIn(b"no_certificate - see that tls.certificate is there", again.stdout)
        self.serving = "ok"

        status = json.loads((await self._command("status", "--json", "--socket", str(self.socket))).stdout)
        self.assertEqual((status["state"], status["core_dumps_off"]), ("ok", True))
        for name, value in (("sms.token", b"value\n"), ("tls.key", b"a\nb\n\n")):
            self.assertEqual((await self._command("secret", "set", name, given=value)).returncode, 0)
        self.assertEqual((await self._command("secret", "list")).stdout, b"sms.token\ntls.key\n")
        self.assertEqual(seal.vault.secrets.open("sms.token"), b"value")
        self.assertEqual(seal.vault.secrets.open("tls.key"), b"a\nb\n")
        self.assertEqual((await self._command("secret", "delete", "tls.key")).returncode, 0)
        gone = await self._command("secret", "delete", "tls.key")
        self.assertEqual(
            (gone.returncode, gone.stderr), (1, b"safeum-home: There is no secret of that name.\n")
        )

    async def test_words(self) -> None:
        """Words alone are enough, and a state directory is initialised once."""
        made = await self._command("init", "--state-dir", str(self.state), "--yes-print")
        self.assertEqual(len(made.stdout.split()), 24)
        self.assertIn(b"Without it nobody", made.stderr)
        self.assertNotIn(b"share ", made.stderr)
        again = await self._command("init", "--state-dir", str(self.state), "--yes-print")
        self.assertEqual((again.returncode, again.stdout), (1, b""))
        self._serve()
        typo = made.stdout.split()
        typo[1] = b"zzzz"
        refused = await self._command("unseal", given=b" ".join(typo))
        self.assertEqual(refused.returncode, 1)
        self.assertIn(b"(word 2 is not in the list)", refused.stderr)
        self.assertNotIn(b"zzzz", refused.stderr)
        self.assertEqual((await self._command("unseal", given=made.stdout)).returncode, 0)

    async def test_shares_on_paper(self) -> None:
        """Whether shares are right, fit and open the node is told without a node."""
        init = ("init", "--shares", "5", "--threshold", "3", "--yes-print", "--state-dir")
        made = await self._command(*init, str(self.state))
        self.assertIn(b"Without 3 of them nobody", made.stderr)
        shares = made.stdout.splitlines()
        foreign = (await self._command(*init, str(self.folder / "other"))).stdout.splitlines()[3]
        check = ("shares", "check", "--state-dir", str(self.state))
        for arguments, given, code, shown in (
            (check[:2], shares[1:3], 4, b"Share 2 is well-formed. Any 3 of its set are enough: 2 more."),
            (check[:2], shares, 0, b"Share 5 is well-formed and fits to the others."),
            (check, shares[2:], 0, f"{self.state} can be opened".encode()),
            ((*check[:3], str(self.folder / "other")), shares[2:], 1, b"not this node's"),
            ((*check[:3], str(self.folder)), shares[2:], 1, b"There is no keyring"),
            (check, [*shares[:2], foreign], 1, b"of another set"),
            (check, [shares[0], shares[0]], 1, b"given already"),
            (check, [shares[0].replace(b" ", b" xx ", 1)], 1, b"34 words"),
        ):
            done = await self._command(*arguments, given=b"\n".join(given))
            self.assertEqual(done.returncode, code, done)
            self.assertIn(shown, done.stdout + done.stderr)

    async def test_open_state_dir(self) -> None:
        """No keyring is made where others could read it."""
        self.state.mkdir(mode=0o755)
        made = await self._command("init", "--state-dir", str(self.state), "--yes-print")
        self.assertEqual((made.returncode, made.stdout), (1, b""))
        self.assertIn(b"chmod 0700", made.stderr)
        self.assertEqual(list(self.state.iterdir()), [])

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

    def test_no_such_command(self) -> None:
        """Whoever names none, or one that there is not, is shown all that there are there."""
        for arguments, shown in (
            ((), "Feed the root secret"),
            (("staus",), "Feed the root secret"),
            (("federation",), "Say hello to another node"),
            (("federation", "chek"), "Say hello to another node"),
        ):
            code, complaints = self._in_process(*arguments)
            self.assertEqual(code, 2)
            self.assertIn(shown, complaints)
            self.assertIn(f"safeum-home{''.join(f' {each}' for each in arguments[:-1])}", complaints)

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

    def test_nothing_heavy_is_loaded(self) -> None:
        """The command starts without a database and without Twisted, and twistd without the first."""
        for module, heavy in (("operator", "'sqlalchemy', 'twisted'"), ("tap", "'sqlalchemy'")):
            program = f"import sys, safeum_home.{module}; print({{{heavy}}} & {{*sys.modules}})"
            done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True)
            self.assertEqual(done.stdout, b"set()\n", module)

    def test_not_a_node(self) -> None:
        """Something else at the socket is told from a node."""
        code, complaints = self._answered(b"220 welcome", "status")
        self.assertEqual(code, 3)
        self.assertIn("not a node", complaints)

    def test_every_name_stands_apart(self) -> None:
        """No line of the status has a name that runs into what is said."""
        names = words.rows(Status("1", "home.example", "ok", 0, 0, "memfd_secret", True, "sqlite", 0))
        self.assertEqual([name for name in names if len(name) >= 14], [])

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
            self.assertEqual(code, 1 if "error" in result else 4 if arguments == ("status",) else 0)


class NothingTests(SynchronousTestCase):
    """Lists that are empty."""

    def said(self, lines: list[str], *, json: bool) -> tuple[str, str]:
        out, error = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(error):
            code = control_cli.shown(Namespace(json=json), Done(), lines, "There is none.")
        self.assertEqual(code, 0)
        return out.getvalue(), error.getvalue()

    def test_it_is_said(self) -> None:
        """To people, and beside what scripts read."""
        self.assertEqual(self.said([], json=False), ("", "There is none.\n"))
        self.assertEqual(self.said(["one"], json=False), ("one\n", ""))
        self.assertEqual(self.said([], json=True), ("{}\n", ""))
