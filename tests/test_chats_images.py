"""Copies of the disk from before something was erased: what they yield afterwards, with all keys."""

import sqlite3
from pathlib import Path
from unittest.mock import patch

from twisted.internet.defer import Deferred

from safeum_home.chats.fleeting import LOOK_SECONDS
from safeum_home.ids import ChatId
from safeum_home.sealing.root import generate
from safeum_home.sealing.vault import initialise, open_vault
from tests.disk_images import openable, sealed_rows, yields
from tests.erasure_case import ErasureCase
from tests.world import World
from tests.world_parts import arena


class ImageTests(ErasureCase):
    """The keyring is a file here, as it is on a node."""

    def setUp(self) -> None:
        self.root = generate(arena())
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.state = self.folder / "state"
        initialise(self.root, self.state)
        self.world = World(vault=open_vault(self.root, self.state))
        self.alice, self.bob = map(self.world.register, ("alice", "bob"))
        self.chat = self.world.befriend(self.alice, self.bob)
        for text in ("canary one", "canary two"):
            self.alice.write(self.chat, text)
        self.bob.call("chat.settings.set", chat=self.chat, draft={"text": "canary begun"})
        self.world.settle()
        self.acknowledge(self.bob)
        self.gather()

    def image(self, name: str) -> tuple[Path, Path]:
        """A copy of the database, and of the state directory with the keyring."""
        database, state = self.folder / f"{name}.db", self.folder / name
        copy = sqlite3.connect(database)
        driver = self.world.database.connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.backup(copy)
        copy.close()
        state.mkdir(mode=0o700)
        for file in self.state.iterdir():
            (state / file.name).write_bytes(file.read_bytes())
        return database, state

    def found(self, database: Path, *states: Path) -> bytes:
        """All that is found of the chat in an image, with both keyrings of each of these state directories.

        Besides the image's own keys those of the database as it is now are tried.
        """
        keys = []
        now, _ = self.image(f"now{len(list(self.folder.iterdir()))}")
        for state in states:
            vault = open_vault(self.root, state)
            keys += openable(database, vault) + openable(now, vault)
        self.assertTrue(keys)
        return b"".join(yields(database, self.world.vault.blinder.chat(ChatId(self.chat)), keys))

    def test_history(self) -> None:
        """Before: all of it. After: nothing, not even which chat it was. With the old keyring: all again."""
        before, old_keyring = self.image("before")
        control = self.found(before, old_keyring)
        for text in (b"canary one", b"canary two", b"canary begun", self.chat.encode()):
            self.assertIn(text, control)
        self.off()
        self.assertEqual(self.found(before, self.state), b"")
        self.assertIn(b"canary one", self.found(before, old_keyring))

    def test_without_a_turn(self) -> None:
        """That the attempt is worth something: where the epoch was not turned, it succeeds."""
        before, _ = self.image("before")
        with patch.object(self.world.domain.turns, "turned", return_value=Deferred()):
            asked = self.alice.ask("chat.history.set", chat=self.chat, enabled=False)
        self.assertIsNone(self.alice.answer(asked))
        self.assertEqual(self.bob.history(self.chat), [])
        self.assertIn(b"canary one", self.found(before, self.state))
        self.assertIn(b"canary begun", self.found(before, self.state))

    def test_a_message_without_history(self) -> None:
        """It is found while it waits; once it is gone and the keyring has turned no more, as the chat is."""
        self.off()
        self.world.domain.fleeting.start()
        self.addCleanup(self.world.domain.fleeting.stop)
        self.alice.write(self.chat, "canary three")
        before, old_keyring = self.image("waiting")
        self.assertIn(b"canary three", self.found(before, old_keyring))
        for client in (self.alice, self.bob):
            self.acknowledge(client)
        self.gather()
        self.assertEqual(self.rows("events"), 0)
        self.assertIn(b"canary three", self.found(before, self.state), "until the keyring turns")
        for _ in range(65):
            self.world.settle(LOOK_SECONDS)
        rest = self.found(before, self.state)
        self.assertNotIn(b"canary", rest)
        self.assertIn(self.chat.encode(), rest, "the chat's own key lives on")
        self.assertIn(b"canary three", self.found(before, old_keyring))
        self.assertTrue(sealed_rows(before, self.world.vault.blinder.chat(ChatId(self.chat))))

    def test_a_backup(self) -> None:
        """Chats with history open in a copy from before such turns, with the keyring of after."""
        carol = self.world.register("carol")
        other, ours = self.world.befriend(self.alice, carol), self.chat
        self.alice.write(other, "kept")
        self.off()
        lasting = (self.state / "keyring").read_bytes()
        self.world.domain.fleeting.start()
        self.addCleanup(self.world.domain.fleeting.stop)
        self.alice.write(ours, "canary four")
        backup, _ = self.image("backup")
        for client in (self.alice, self.bob, carol):
            self.acknowledge(client)
        self.gather()
        epoch = self.world.vault.fleeting.epoch
        for _ in range(65):
            self.world.settle(LOOK_SECONDS)
        self.assertEqual(self.world.vault.fleeting.oldest, epoch + 1)
        self.assertEqual((self.state / "keyring").read_bytes(), lasting)
        self.assertNotIn(b"canary", self.found(backup, self.state))
        self.chat = other
        self.assertIn(b"kept", self.found(backup, self.state))

    def test_receipt(self) -> None:
        """The epoch that it names was the last that had the key: that opens the copy, and exists no more."""
        before, old_keyring = self.image("before")
        receipt = self.off()["receipt"]
        self.assertEqual(max(open_vault(self.root, old_keyring).keyring._keys), receipt["epoch"])
        self.assertGreater(min(open_vault(self.root, self.state).keyring._keys), receipt["epoch"])
        self.assertEqual(self.found(before, self.state), b"")
