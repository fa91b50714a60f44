"""Contact sync with a client that is not ours: JavaScript on @noble/curves, from the documentation."""

import json
import subprocess
from itertools import count
from pathlib import Path

from tests.e2e.registries import node, npm
from tests.sync_support import BOB, CAROL, NOBODY, SyncCase, sign_up
from tests.world import NODE

CLIENT = Path(__file__).parent / "data" / "contact_sync_client.mjs"


class JavaScriptTests(SyncCase):
    """Another implementation of RFC 9497 comes to the same."""

    _numbers = count()

    def find(self, *numbers: str) -> dict[str, str]:
        """What the foreign client finds at this node."""
        device = sign_up(self.world, f"+4915300000{next(self._numbers):02}")
        folder = npm("curves", "@noble/curves@2.4.0").parent
        # Modules are looked for beside the one that imports them.
        script = folder / CLIENT.name
        script.write_bytes(CLIENT.read_bytes())
        with subprocess.Popen(
            [node(), str(script), NODE, *numbers], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as client:
            assert client.stdin is not None and client.stdout is not None
            for line in client.stdout:
                frame = json.loads(line)
                if "found" in frame:
                    found: dict[str, str] = frame["found"]
                    return found
                before = len(device.connection.written)
                device.connection.receive(line)
                (answer,) = device.connection.written[before:]
                client.stdin.write(json.dumps(answer).encode() + b"\n")
                client.stdin.flush()
        self.fail("the client ended without a result")

    def test_a_foreign_client(self) -> None:
        """It finds those whom ours finds: Bob, and Carol once she allows it."""
        numbers = [BOB, CAROL, NOBODY]
        self.assertEqual(self.find(*numbers), {BOB: self.bob.account})
        self.carol.call("account.findable", findable=True)
        ours = {number: each.account for number, each in self.finder.find(*numbers).items()}
        self.assertEqual(self.find(*numbers), ours)
        self.assertEqual(set(ours), {BOB, CAROL})
