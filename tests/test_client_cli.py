"""What the command line of the client says, against a node in memory."""

import asyncio
import os
from contextlib import redirect_stdout
from io import StringIO

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.cli import COMMANDS, read_line
from safeum_home.client.entry import Options
from safeum_home.client.trust import BadCertificate, node_at, tls_for
from safeum_home.protocol.types import DeviceInfo
from tests.client_double import FakeNode, opened


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
