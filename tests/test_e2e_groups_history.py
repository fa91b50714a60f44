"""Disabling the history of a group at three real nodes: the disks of all, receipts, and kill -9 between."""

import json
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from safeum_home.client.words.receipts import AUTHENTIC, verify
from safeum_home.ids import ChatId
from safeum_home.sealing.memory import Arena, Level, Slot
from safeum_home.sealing.root import parse
from safeum_home.sealing.vault import open_vault
from tests.disk_images import openable, yields
from tests.e2e.node_process import PATIENCE, NodeProcess
from tests.e2e.people import history, resume
from tests.e2e.wire import RawClient
from tests.test_e2e_groups_across import AcrossCase

MESSAGES = 30


class GroupHistoryTests(AcrossCase):
    """Ann's node is the hub; Ben and Cat are at two others."""

    def _image(self, node: NodeProcess) -> Path:
        """The state directory as it lies on the disk, log and all, while the node runs."""
        target = node.folder / "before"
        target.mkdir(mode=0o700)
        for file in node.state.iterdir():
            if file.is_file() and not file.name.endswith("-shm"):
                shutil.copy(file, target)
        return target

    def _found(self, node: NodeProcess, image: Path, state: Path) -> bytes:
        """All of the group that the keyrings of `state`, and every key that they open, find in an image."""
        root = parse(Arena(floor=Level.UNLOCKED), node.words)
        assert isinstance(root, Slot)
        vault = open_vault(root, state)
        try:
            keys = openable(image / "home.sqlite", vault)
            keys += openable(node.state / "home.sqlite", vault)
            return b"".join(yields(image / "home.sqlite", vault.blinder.chat(ChatId(self.chat)), keys))
        finally:
            vault.wipe()

    def _until(self, seen: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not seen():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)

    def _words(self, client: RawClient) -> list[str]:
        return [m["body"]["text"] for m in history(client, self.chat) if m["body"]["kind"] == "text"]

    def _count(self, client: RawClient) -> bool:
        return len(self._words(client)) == MESSAGES

    def _has_reactions(self, client: RawClient) -> bool:
        reactions = history(client, self.chat)[-1].get("reactions", [])
        return [each["count"] for each in reactions] == [2]

    def _has_kept(self, client: RawClient) -> bool:
        return self._words(client) == ["kept"]

    def _pending(self, client: RawClient) -> list[str]:
        return list(client.call("chat.history.receipt", chat=self.chat)["pending"])

    def test_disks(self) -> None:
        """Of images from before no node's keyrings of after open anything; each copy's receipt says so."""
        ann, ben, cat = self.clients
        for number in range(MESSAGES):
            self._say(self.clients[number % 3], f"canary {number:03}")
        for client in self.clients:
            self._until(partial(self._count, client))
        for client in (ben, cat):
            newest = history(client, self.chat)[-1]
            client.call("message.react", chat=self.chat, message=newest["id"], emoji="🧶")
        for client in self.clients:
            self._until(partial(self._has_reactions, client))
        images = [self._image(node) for node in self.nodes]
        ann.call("group.role", chat=self.chat, account=self.people[1].account, role="owner")
        answer = ben.call("chat.history.set", chat=self.chat, enabled=False)
        self.assertFalse(answer["history"])
        self._until(lambda: self._pending(ann) == [] and self._pending(ben) == [])
        self._until(lambda: self._pending(cat) == [])
        for node, image in zip(self.nodes, images, strict=True):
            before = self._found(node, image, image)
            self.assertIn(b"canary 000", before)
            self.assertIn("🧶".encode(), before)
            # At the hub the events of the others' nodes as well, as those have signed them.
            self.assertEqual(b'"type":"group.post"' in before, node is self.nodes[0])
            self.assertEqual(self._found(node, image, node.state), b"")
        self.assertEqual([self._words(client) for client in self.clients], [[], [], []])
        confirmed = ann.call("chat.history.receipt", chat=self.chat)["confirmed"]
        self.assertEqual({each["node"] for each in confirmed}, {node.name for node in self.nodes[1:]})
        [receipt] = [each for each in confirmed if each["node"] == self.nodes[2].name]
        path, keys = self.nodes[2].folder / "receipt.json", self.nodes[2].folder / "keys.json"
        path.write_text(json.dumps(receipt, indent=2))
        with self.nodes[2].connect() as wire:
            _, _, published = wire.get("/_safeum/key/v1")
        keys.write_bytes(published)
        self.assertEqual(verify(path, str(keys))[0], AUTHENTIC)
        ben.call("chat.history.set", chat=self.chat, enabled=True)
        self._say(cat, "kept")
        for client in self.clients:
            self._until(partial(self._has_kept, client))

    def test_killed(self) -> None:
        """A copy's node is away meanwhile, and a post waits at another one: nothing comes back."""
        ann, ben, cat = self.clients
        for number in range(MESSAGES):
            self._say(ann, f"before {number:03}")
        self._until(lambda: len(self._words(cat)) == MESSAGES)
        self.nodes[2].kill()
        cat.close()
        self._say(ann, "in flight")
        answer = ann.call("chat.history.set", chat=self.chat, enabled=False)
        self.assertIn(self.nodes[2].name, answer["pending"])
        ann.call("chat.history.set", chat=self.chat, enabled=True)
        self._say(ann, "after")
        self.nodes[0].kill()
        ann.close()
        self.nodes[2].start()
        self.nodes[0].start()
        ann = self.clients[0] = resume(self.nodes[0], self.people[0])
        cat = self.clients[2] = resume(self.nodes[2], self.people[2])
        self._until(lambda: self._words(cat) == ["after"])
        self._until(lambda: self._pending(ann) == [])
        self._until(lambda: self._words(ben) == ["after"])
