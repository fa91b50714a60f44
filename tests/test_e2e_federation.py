"""Two nodes as processes of their own tell each other, over TLS, whatever is killed."""

import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.admin.federation_wire import KeyRows, NodeRows
from tests.certificates import Authority
from tests.e2e.node_process import BIN, PATIENCE, NodeProcess


class Node(NodeProcess):
    """A node that says what it is told to say."""

    def __init__(self, authority: Authority, federation: str = "") -> None:
        super().__init__(authority=authority, command=("telling-node",), federation=federation)
        self._environment["TELL"] = str(self.folder)

    def say(self, to: str, *texts: str) -> None:
        """It is committed when this returns."""
        partial = self.folder / "say.partial"
        partial.write_text("".join(f"{to} {text}\n" for text in texts))
        said = partial.rename(self.folder / "say")
        until(lambda: not said.exists())

    def arrived(self) -> list[str]:
        """What came, each time that it came."""
        with closing(sqlite3.connect(f"file:{self.state}/home.sqlite?mode=ro", uri=True)) as database:
            return [text for (text,) in database.execute("SELECT text FROM arrived ORDER BY number")]

    def operate(self, *arguments: str) -> str:
        """What the operator's command prints."""
        command = [str(BIN / "safeum-home"), "federation", *arguments, "--socket", f"{self.state}/admin.sock"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > deadline:
            raise AssertionError("it did not happen")
        time.sleep(0.02)


class FederationTests(SynchronousTestCase):
    """Two nodes with a certificate authority of their own."""

    def setUp(self) -> None:
        authority = Authority()
        self.a, self.b = Node(authority), Node(authority)
        for node in (self.a, self.b):
            self.addCleanup(node.close)
            node.start()

    def came(self, node: Node, texts: list[str]) -> None:
        """All of it, once, in its order."""
        until(lambda: len(node.arrived()) >= len(texts))
        self.assertEqual(node.arrived(), texts)

    def test_told(self) -> None:
        """What is said arrives, on both sides, also while the other was killed, and with a new key."""
        texts = [f"{number}" for number in range(1200)]
        self.a.say(self.b.name, *texts[:1000])
        self.b.say(self.a.name, "back")
        self.came(self.b, texts[:1000])
        self.came(self.a, ["back"])
        self.assertIn("ed25519:2", self.a.operate("rotate"))
        self.a.say(self.b.name, *texts[1000:1010])
        self.came(self.b, texts[:1010])
        self.b.kill()
        self.a.say(self.b.name, *texts[1010:1100])
        self.a.kill()
        self.a.start()
        self.a.say(self.b.name, *texts[1100:])
        [row] = msgspec.json.decode(self.a.operate("nodes", "--json"), type=NodeRows).nodes
        self.assertEqual((row.name, row.waiting), (self.b.name, 190))
        self.b.start()
        self.came(self.b, texts)
        until(lambda: "idle" in self.a.operate("nodes"))
        [row] = msgspec.json.decode(self.a.operate("nodes", "--json"), type=NodeRows).nodes
        self.assertEqual((row.waiting, row.failing), (0, 0))
        keys = msgspec.json.decode(self.a.operate("keys", "--json"), type=KeyRows).keys
        self.assertEqual(
            [(key.id, key.expired is None) for key in keys], [("ed25519:2", True), ("ed25519:1", False)]
        )
        self.assertEqual(self.a.operate("aside"), "")
        self.assertIn('safeum_federation_nodes{state="idle"} 1', self.a.operate("metrics"))

    def test_killed_again_and_again(self) -> None:
        """Both are killed while they tell and are told: all is there, once, in its order."""
        texts = [f"{number}" for number in range(2000)]
        for start in range(0, 2000, 500):
            self.a.say(self.b.name, *texts[start : start + 500])
            victim = (self.a, self.b)[start // 500 % 2]
            time.sleep(0.02 * (start // 500))
            victim.kill()
            victim.start()
        self.came(self.b, texts)
