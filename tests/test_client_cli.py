"""What the command line of the client says, against a node in memory."""

import asyncio
from contextlib import redirect_stdout
from io import StringIO

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.cli import COMMANDS
from safeum_home.client.entry import Options
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
