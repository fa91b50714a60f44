"""Disabling history across two real nodes: the disks of both, the receipts of both, and kill -9 between."""

import json
import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.words.receipts import AUTHENTIC, FALSE, UNKNOWN_KEY, verify
from safeum_home.ids import ChatId
from safeum_home.sealing.memory import Arena, Level, Slot
from safeum_home.sealing.root import parse
from safeum_home.sealing.vault import open_vault
from tests.certificates import Authority
from tests.disk_images import openable, yields
from tests.e2e.node_process import PATIENCE, NodeProcess
from tests.e2e.people import history, resume, sign_up
from tests.e2e.wire import RawClient

MESSAGES = 60


class HistoryAcrossTests(SynchronousTestCase):
    """Ann is at one node, Ben at the other."""

    def setUp(self) -> None:
        authority = Authority()
        self.nodes = NodeProcess(authority=authority), NodeProcess(authority=authority)
        for node in self.nodes:
            self.addCleanup(node.close)
            node.start()
        self.ann, self.at_ann = sign_up(self.nodes[0], "ann")
        self.ben, self.at_ben = sign_up(self.nodes[1], "ben")
        self.at_ann.call("contact.request", account=self.ben.account, address=self.ben.address)
        self._state(self.at_ben, "incoming")
        self.at_ben.call("contact.accept", account=self.ann.account)
        self.chat: str = self._state(self.at_ann, "accepted")["chat"]

    def tearDown(self) -> None:
        self.at_ann.close()
        self.at_ben.close()

    def _state(self, client: RawClient, state: str) -> dict[str, Any]:
        while True:
            contact: dict[str, Any] = client.event("contact.changed")["contact"]
            if contact["state"] == state:
                return contact

    def _say(self, client: RawClient, text: str) -> None:
        client.call("chat.send", chat=self.chat, client_id=text, body={"kind": "text", "text": text})

    def _texts(self, client: RawClient) -> list[str]:
        return sorted(m["body"]["text"] for m in history(client, self.chat) if m["body"]["kind"] == "text")

    def _until(self, seen: Any, wanted: Any) -> None:
        deadline = time.monotonic() + PATIENCE
        while (last := seen()) != wanted:
            self.assertLess(time.monotonic(), deadline, last)
            time.sleep(0.05)

    def _image(self, node: NodeProcess, name: str) -> Path:
        """The state directory as it lies on the disk, log and all, while the node runs."""
        target = node.folder / name
        target.mkdir(mode=0o700)
        for file in node.state.iterdir():
            if file.is_file() and not file.name.endswith("-shm"):
                shutil.copy(file, target)
        return target

    def _found(self, node: NodeProcess, image: Path, state: Path) -> bytes:
        """All of the chat that the keyrings of `state`, and every key that they open, find in an image."""
        root = parse(Arena(floor=Level.UNLOCKED), node.words)
        assert isinstance(root, Slot)
        vault = open_vault(root, state)
        try:
            keys = openable(image / "home.sqlite", vault)
            keys += openable(node.state / "home.sqlite", vault)
            return b"".join(yields(image / "home.sqlite", vault.blinder.chat(ChatId(self.chat)), keys))
        finally:
            vault.wipe()

    def _confirmed(self, client: RawClient) -> list[dict[str, Any]]:
        """What the other node has signed, once it has."""
        self._until(lambda: client.call("chat.history.receipt", chat=self.chat)["pending"], [])
        return list(client.call("chat.history.receipt", chat=self.chat)["confirmed"])

    def test_both_disks(self) -> None:
        """Of images from before neither node's keyrings of after open anything; receipts of both say so."""
        for number in range(MESSAGES):
            self._say(self.at_ann, f"canary {number:03}")
        self._until(lambda: len(self._texts(self.at_ben)), MESSAGES)
        images = [self._image(node, "before") for node in self.nodes]
        self.at_ann.call("chat.history.set", chat=self.chat, enabled=False)
        [receipt] = self._confirmed(self.at_ann)
        for node, image in zip(self.nodes, images, strict=True):
            self.assertIn(b"canary 000", self._found(node, image, image))
            self.assertEqual(self._found(node, image, node.state), b"")
        self.assertEqual([self._texts(client) for client in (self.at_ann, self.at_ben)], [[], []])
        self._check(receipt)
        # What is written now is gone when both have it; then history begins anew.
        self._say(self.at_ann, "fleeting")
        while self.at_ben.event("chat.message")["body"].get("text") != "fleeting":
            pass
        self.at_ben.call("chat.history.set", chat=self.chat, enabled=True)
        self._until(lambda: self.at_ann.event("chat.updated")["chat"]["history"], True)
        self._say(self.at_ben, "kept")
        self._until(lambda: "kept" in self._texts(self.at_ann), True)

    def _check(self, receipt: dict[str, Any]) -> None:
        """`safeum verify-receipt` with the keys that Ben's node publishes."""
        node = self.nodes[1]
        self.assertEqual((receipt["node"], receipt["sender"]), (node.name, self.ben.account))
        path, keys = node.folder / "receipt.json", node.folder / "keys.json"
        path.write_text(json.dumps(receipt, indent=2))
        with node.connect() as wire:
            status, _, published = wire.get("/_safeum/key/v1")
        self.assertEqual(status, 200)
        keys.write_bytes(published)
        self.assertEqual(verify(path, None)[0], UNKNOWN_KEY)
        status, words = verify(path, str(keys))
        self.assertEqual((status, words[0]), (AUTHENTIC, "AUTHENTIC."))
        self.assertIn(node.name, words[1])
        path.write_text(json.dumps(receipt | {"at": receipt["at"] + 1}))
        self.assertEqual(verify(path, str(keys))[0], FALSE)

    def test_killed(self) -> None:
        """The other node is away, then killed while it erases: nothing comes back, it signs in the end."""
        for number in range(MESSAGES):
            self._say(self.at_ann, f"before {number:03}")
        self._until(lambda: len(self._texts(self.at_ben)), MESSAGES)
        self.at_ben.close()
        self.nodes[1].kill()
        self._say(self.at_ann, "in flight")
        answer = self.at_ann.call("chat.history.set", chat=self.chat, enabled=False)
        self.assertEqual(answer["pending"], [self.nodes[1].name])
        self._say(self.at_ann, "after")
        self.nodes[0].kill()
        self.at_ann.close()
        for node in self.nodes:
            node.start()
        self._until(lambda: self._erased(self.nodes[1]), True)
        self.nodes[1].kill()
        self.nodes[1].start()
        self.at_ann, self.at_ben = resume(self.nodes[0], self.ann), resume(self.nodes[1], self.ben)
        self._confirmed(self.at_ann)
        self._until(lambda: self._texts(self.at_ben), ["after"])

    def _erased(self, node: NodeProcess) -> bool:
        """Whether the erasure is committed there."""
        database = sqlite3.connect(f"file:{node.state / 'home.sqlite'}?mode=ro", uri=True)
        try:
            return bool(database.execute("SELECT max(visible) FROM members").fetchone()[0])
        finally:
            database.close()
