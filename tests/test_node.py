"""The life of a node: sealed, unsealed, its key, serving, gone."""

import json
import os
import signal

from safeum_home.gateway.tls import self_signed
from tests.node_case import PATIENCE, NodeCase


class NodeTests(NodeCase):
    """The commands themselves are run."""

    is_warm = False

    def test_life(self) -> None:
        """Sealed until its root secret is fed, then without a certificate until its key is, then serving."""
        node = self.start()
        self.until((503, "sealed"))
        self.assertEqual(self.health(secure=True), (0, ""))
        self.operate("secret", "list", "--config", str(self.config), code=1)
        wrong = " ".join(["abandon"] * 23 + ["art"])
        self.operate("unseal", "--config", str(self.config), text=wrong.encode(), code=1)
        self.assertEqual(self.health(), (503, "sealed"))
        self.operate("unseal", "--config", str(self.config), text=self.words.encode(), code=4)
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
