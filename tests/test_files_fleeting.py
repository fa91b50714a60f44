"""Files of chats that keep no history: under keys of their own, for a day, and then for nobody."""

import os
from typing import Any

from msgspec.structs import replace

from safeum_home.chats.files.own_keys import opener
from safeum_home.chats.files.record import open_file, open_upload
from safeum_home.chats.record import seal_record
from safeum_home.errors import Tampered
from safeum_home.storage import chats, files, keys
from safeum_home.storage.rows import FileRow, UploadRow
from tests.file_case import FileCase


class FleetingFileTests(FileCase):
    """The history of Alice's and Bob's chat is off."""

    def setUp(self) -> None:
        super().setUp()
        registry = self.world.domain.registry
        chat = self.successResultOf(registry.load(self.chat))  # type: ignore[arg-type]
        assert chat is not None
        self.opened = chat
        sealed = seal_record(chat.key, chat.blind, replace(chat.record, history=False))
        self.successResultOf(
            self.world.database.transact(lambda c: chats.update_chat(c, chat.blind, sealed, 0))
        )
        registry.forget()

    def rows(self, table: str) -> list[Any]:
        return self.world.database.now(lambda c: list(c.exec_driver_sql(f"SELECT * FROM {table}").all()))

    def gone(self, row: FileRow | UploadRow) -> bool:
        """Whether a row of an old copy does not open with what there is now."""

        def look(c: Any) -> bool:
            own = opener(c, self.world.vault.fleeting, row)
            try:
                if isinstance(row, FileRow):
                    open_file(self.opened.key, row, own)
                else:
                    open_upload(self.opened.key, row, own)
            except Tampered:
                return True
            return False

        return self.world.database.now(look)

    def test_life(self) -> None:
        """It is sent and fetched as any other, for a day, also when its message is gone; then it is gone."""
        octets = os.urandom(200_000)
        ticket, path = self.create(len(octets))
        self.patch_upload(ticket, path, 0, octets[:100_000])
        [begun] = [UploadRow(*row) for row in self.rows("uploads")]
        self.assertFalse(self.gone(begun))
        self.assertEqual(self.offset(ticket, path), 100_000)
        self.patch_upload(ticket, path, 100_000, octets[100_000:])
        message = self.send(self.body(path.rpartition("/")[2], len(octets)))
        self.assertTrue(self.gone(begun))
        [row] = [FileRow(*row) for row in self.rows("files")]
        self.assertFalse(self.gone(row))
        self.assertEqual(self.fetch(self.link(self.bob, message["id"])).body, octets)
        self.world.database.execute("DELETE FROM events WHERE chat = ?", row.chat)
        self.tidy()
        told = self.bob.call("file.download", chat=self.chat, message=message["id"])
        self.assertEqual((told["name"], told["size"]), ("file", len(octets)))
        self.assertEqual(self.fetch(told["path"]).body, octets)
        self.world.clock.advance(self.section.without_history_seconds + 1)
        before = self.world.database.count("fleeting_keys")
        self.tidy()
        self.assertEqual(self.world.database.count("fleeting_keys"), before - 1)
        self.assertTrue(self.gone(row))
        self.assertEqual(self.fetch(told["path"]).code, "bad_ticket")
        self.assertTidy()

    def test_turned(self) -> None:
        """The keyring turns within an hour, and then no copy of a wrap opens either."""
        message = self.sent(b"12345")
        [row] = [FileRow(*row) for row in self.rows("files")]
        owner = files.file_owner(row.chat, row.position)
        wrapped = self.world.database.now(lambda c: keys.FLEETING.key(c, owner))
        assert wrapped is not None
        keyring, janitor = self.world.vault.fleeting, self.world.domain.files.janitor
        epoch = keyring.epoch
        janitor.start()
        self.world.clock.advance(self.section.without_history_seconds + 1)
        self.assertEqual(self.world.database.now(keys.FLEETING.erased_epoch), epoch)
        self.world.clock.pump([60] * 61)
        self.assertGreater(keyring.epoch, epoch)
        self.assertRaises(Tampered, keyring.unwrap, owner, wrapped)
        self.assertEqual(self.world.database.count("files"), 0)
        self.assertTrue(message["id"])
        self.successResultOf(janitor.stop())

    def test_thrown_away(self) -> None:
        """An upload that is thrown away, or is over, leaves no key behind."""
        before = self.world.database.count("fleeting_keys")
        ticket, path = self.create(100)
        self.create(100)
        self.assertEqual(self.world.database.count("fleeting_keys"), before + 2)
        self.web.tus("DELETE", path, ticket)
        self.assertEqual(self.world.database.count("fleeting_keys"), before + 1)
        self.world.clock.advance(self.section.unfinished_seconds + 1)
        self.assertTidy()
        self.assertEqual(self.world.database.count("fleeting_keys"), before)

    def test_forwarded(self) -> None:
        """What is forwarded to a chat with a history stays there; within its own it ends as well."""
        carol = self.world.register("carol")
        other = self.world.befriend(self.bob, carol)
        self.sent(b"12345")
        [told] = self.bob.take("chat.message")
        kept = self.send(told["params"]["body"], self.bob, other)
        again = self.send(told["params"]["body"], self.bob)
        self.assertEqual(self.fetch(self.link(self.alice, again["id"])).body, b"12345")
        self.world.clock.advance(self.section.without_history_seconds + 1)
        self.assertTidy(blobs=1)
        self.assertEqual(self.world.database.count("files"), 1)
        self.assertEqual(self.fetch(self.link(carol, kept["id"], other)).body, b"12345")
