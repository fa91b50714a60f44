"""What the command line of the client says, against a node in memory."""

import asyncio
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from safeum_home import __version__
from safeum_home.client import cli
from safeum_home.client.cli import COMMANDS, main
from safeum_home.client.cli_options import options, parser, read_line
from safeum_home.client.connection.trust import BadCertificate, node_at, tls_for
from safeum_home.client.entry.entry import Options
from safeum_home.errors import Problem
from safeum_home.protocol.call_types import Media
from safeum_home.protocol.events import CallInvitation
from safeum_home.protocol.types import DeviceInfo
from tests.client_double import BOB, FakeNode, opened


class RegisterTests(SynchronousTestCase):
    def test_nothing_of_the_node_reaches_the_terminal_raw(self) -> None:
        node = FakeNode()
        evil = "ada\x1b]0;evil\x07\u202e@home.test"
        node.answers |= {
            "account.register": lambda params: opened() | {"address": evil},
            "session.logout": lambda params: {},
        }
        options = Options("home.test", None, "ada", "correct horse", DeviceInfo("here", "Linux"))
        shown = StringIO()
        with redirect_stdout(shown):
            self.assertEqual(asyncio.run(self._register(node, options)), 0)
        self.assertIn("evil", shown.getvalue())
        self.assertTrue(shown.getvalue().strip().isprintable(), shown.getvalue())

    async def _register(self, node: FakeNode, options: Options) -> int:
        return await COMMANDS["register"](node.client, options)


class PipeTests(SynchronousTestCase):
    def test_what_comes_with_the_login(self) -> None:
        """A call that rings already is told, after who this is."""
        node, output = FakeNode(), StringTransport()
        rings = CallInvitation("c" * 22, BOB, "D" + "a" * 16, Media.AUDIO, "hello", 30)

        def logged_in(params: Any) -> Any:
            node.wire.event(rings)
            return opened()

        def begin(pipe: Any, **_: object) -> None:
            pipe.makeConnection(output)
            pipe.readConnectionLost()
            pipe.connectionLost()

        node.answers |= {"session.login": logged_in, "session.logout": lambda params: {}}
        options = Options("home.test", None, "ada", "correct horse", DeviceInfo("here", "Linux"))
        self.patch(cli, "StandardIO", begin)
        asyncio.run(self._pipe(node, options))
        lines = [json.loads(line)["method"] for line in output.value().splitlines()]
        self.assertEqual(lines[:2], ["client.opened", "call.invited"])

    async def _pipe(self, node: FakeNode, options: Options) -> int:
        return await COMMANDS["pipe"](node.client, options)


class _Terminal(StringIO):
    def isatty(self) -> bool:
        return True


class SayTests(SynchronousTestCase):
    def test_the_policy_in_lines_of_the_terminal(self) -> None:
        """Broken between words there; left as it is where somebody keeps it."""
        text = "It keeps messages until they are fetched, and no address of anybody. " * 3
        node = FakeNode()
        node.answers["policy.get"] = lambda params: {"version": "1", "text": text.strip()}
        options = Options("home.test", None, None, None, DeviceInfo("here", "Linux"))
        self.patch(os, "environ", dict(os.environ, COLUMNS="40"))
        for stream in (_Terminal(), StringIO()):
            with redirect_stdout(stream):
                self.assertEqual(asyncio.run(self._policy(node, options)), 0)
            lines = stream.getvalue().splitlines()
            self.assertEqual(max(map(len, lines)) <= 40, stream.isatty())
            self.assertIn(text.strip(), " ".join(" ".join(lines).split()))

    async def _policy(self, node: FakeNode, options: Options) -> int:
        return await COMMANDS["policy"](node.client, options)


class NodeTests(SynchronousTestCase):
    def test_the_address_of_the_websocket(self) -> None:
        """Is taken for the node as well, on the command line and in the SDK."""
        for given, node in (
            ("wss://home.example:9000", "home.example:9000"),
            (" WSS://home.example/", "home.example:8443"),
            ("wss://home.example:9000/v1/ws", "home.example:9000"),
            ("home.example", "home.example:8443"),
        ):
            self.assertEqual(str(node_at(given)), node)
        self.assertEqual(parser().parse_args(["chat", "--node", "wss://home.example"]).node, "home.example")

    def test_nothing_else(self) -> None:
        """No connection without encryption, and no other place."""
        for given in ("ws://home.example", "https://home.example", "wss://", "wss://home.example/v2"):
            self.assertRaises(Problem, node_at, given)


class NobodyThereTests(SynchronousTestCase):
    def test_login(self) -> None:
        """Where nobody can be asked for a login it has to be given, and that is said."""
        self.patch(sys, "stdin", StringIO())
        for command in ("chat", "register", "password", "pipe"):
            told = self.assertRaises(SystemExit, options, parser().parse_args([command]))
            self.assertIn("--login is missing", str(told))


class PasswordLineTests(SynchronousTestCase):
    def _read(self, octets: bytes) -> str:
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        os.write(writer, octets)
        os.close(writer)
        return read_line(reader)

    def test_one_line(self) -> None:
        """The line and nothing behind it."""
        self.assertEqual(self._read("café\r\nmore".encode()), "café")

    def test_none(self) -> None:
        """What is no password is said so, and not one octet of it is shown."""
        for octets in (b"", b"\n", b"caf\xe9\n"):
            told = str(self.assertRaises(SystemExit, self._read, octets))
            self.assertIn("the password is", told)
            self.assertNotIn("e9", told)


class AuthorityTests(SynchronousTestCase):
    def test_no_certificate(self) -> None:
        """A file that holds none is refused in words."""
        for pem in (b"", b"-----BEGIN PRIVATE KEY-----", b"x-----END CERTIFICATE-----"):
            self.assertIn(
                "certificate", str(self.assertRaises(BadCertificate, tls_for, node_at("home.example"), pem))
            )


class CommandLineTests(SynchronousTestCase):
    """What is said of a command line that leads nowhere, before any node is asked."""

    def run_with(self, *given: str) -> tuple[int | str | None, str, str]:
        """The exit status, and what was written to standard output and standard error."""
        self.patch(sys, "argv", ["safeum", *given])
        out, error = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(error):
            try:
                status: int | str | None = main()
            except SystemExit as end:
                status = end.code
        return status, out.getvalue(), error.getvalue()

    def test_version(self) -> None:
        """The same words as the operator's command has."""
        self.assertEqual(self.run_with("--version"), (0, f"SafeUM Home {__version__}\n", ""))

    def test_authorities_that_are_none(self) -> None:
        """Are told with the file that was named."""
        self.assertEqual(
            self.run_with("policy", "--ca", "no-such-file"),
            (1, "", "safeum: no-such-file: No such file or directory\n"),
        )
        Path("empty.pem").write_bytes(b"")
        self.addCleanup(Path("empty.pem").unlink)
        status, _, told = self.run_with("policy", "--ca", "empty.pem")
        self.assertEqual((status, told[:24]), (1, "safeum: --ca empty.pem: "))
        self.assertIn("holds no certificate (PEM).", told)

    def test_a_command_takes_what_it_uses(self) -> None:
        """To show the policy nobody logs in."""
        for option in ("--login", "--password-fd", "--device", "--agree", "--invite-fd"):
            status, _, told = self.run_with("policy", option, "1")
            self.assertEqual(status, 2)
            self.assertIn("unrecognized arguments", told)
        self.assertEqual(parser().parse_args(["policy"]).device, "safeum policy")
