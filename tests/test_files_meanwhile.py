"""What happens to a file, or to who reads it, between a look at the database and what follows from it."""

import os
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from safeum_home.chats.files.downloads import CHECK_EVERY
from safeum_home.ids import ChatId
from tests.file_case import Connection, FileCase, request, tus_fields
from tests.world import Refused


class MeanwhileCase(FileCase):
    """Others do something while a read that was asked for is not answered yet."""

    def held(self, ask: Callable[[], Any]) -> Any:
        """Ask for something whose reads are answered later."""
        self.world.database.hold_reads = True
        try:
            return ask()
        finally:
            self.world.database.hold_reads = False

    def answer_reads(self) -> None:
        while self.world.database.held:
            self.world.database.answer_reads()

    def erase(self) -> None:
        """The history of the chat is switched off; its rows are not swept away yet."""
        with patch("safeum_home.accounts.closing.sweep", return_value=False):
            self.bob.call("chat.history.set", chat=self.chat, enabled=False)


class SendingMeanwhileTests(MeanwhileCase):
    """Uploads and messages that want the same octets."""

    def test_terminated_when_it_was_sent(self) -> None:
        """An upload that is thrown away just when a message was sent with it is the message's."""
        octets = os.urandom(1000)
        ticket, path = self.create(len(octets))
        self.patch_upload(ticket, path, 0, octets)
        connection = self.web.connect()
        self.held(lambda: connection.send(request("DELETE", path, None, **tus_fields(ticket, {}))))
        message = self.send(self.body(path.rpartition("/")[2], len(octets)))["id"]
        self.answer_reads()
        self.assertIn(b" 404 ", connection.sent().partition(b"\r\n")[0])
        self.assertEqual(self.fetch(self.link(self.bob, message)).body, octets)
        self.assertTidy(blobs=1)

    def test_sent_elsewhere_when_it_was_erased(self) -> None:
        """A file that its sender saw is not one for another chat when it is erased before that is stored."""
        carol = self.world.register("carol")
        other = self.world.befriend(self.alice, carol)
        self.alice.write(other, "hello")
        file = self.upload(b"12345")
        self.send(self.body(file, 5))
        params = {**self.alice.message(other, ""), "body": self.body(file, 5)}
        number = self.held(lambda: self.alice.ask("chat.send", **params))
        self.erase()
        self.answer_reads()
        self.assertEqual(self.assertRaises(Refused, self.alice.answer, number).code, "not_found")
        self.assertEqual(self.alice.history(other), ["hello"])


class ReadingMeanwhileTests(MeanwhileCase):
    """A download that is under way goes on only for as long as its account may read the file."""

    def setUp(self) -> None:
        super().setUp()
        self.octets = os.urandom(1024**2)
        self.message = self.sent(self.octets)["id"]

    def reading(self) -> Connection:
        """Bob has a first part, and takes no more at the moment."""
        path = self.link(self.bob, self.message)
        connection = self.web.connect()
        read = self.store.read

        def paused(blob: bytes, offset: int, size: int) -> bytes:
            self.store.read = read
            connection.channel.pauseProducing()
            return bytes(read(blob, offset, size))

        self.store.read = paused
        connection.send(request("GET", path))
        return connection

    def go_on(self, connection: Connection) -> bool:
        """Bob takes the rest, a moment later; whether he got all of it."""
        self.world.clock.advance(CHECK_EVERY)
        connection.channel.resumeProducing()
        whole = connection.sent().endswith(self.octets[-1000:])
        self.assertEqual(connection.transport.disconnected, not whole)
        if not whole:
            connection.lose()
        self.assertEqual(self.world.domain.files.means.slots.total, 0)
        return whole

    def test_nothing(self) -> None:
        """Nothing has happened: all of it comes."""
        self.assertTrue(self.go_on(self.reading()))

    def test_logout(self) -> None:
        """The device that asked for the file is none any more."""
        connection = self.reading()
        self.bob.call("session.logout")
        self.assertFalse(self.go_on(connection))

    def test_erased(self) -> None:
        """The past of the chat was erased, and lies in its rows still."""
        connection = self.reading()
        with patch("safeum_home.accounts.closing.sweep", return_value=False):
            self.alice.call("chat.history.set", chat=self.chat, enabled=False)
        self.assertEqual(self.world.database.count("files"), 1)
        self.assertFalse(self.go_on(connection))

    def test_deleted(self) -> None:
        """The message was deleted."""
        connection = self.reading()
        self.alice.call("message.delete", chat=self.chat, message=self.message)
        self.assertFalse(self.go_on(connection))

    def test_removed(self) -> None:
        """The account was removed from the group."""
        self.chat = self.alice.call("group.create", client_id="g", name="g", invite=[self.bob.account])[
            "chat"
        ]["chat"]
        self.bob.call("group.accept", chat=self.chat)
        self.message = self.sent(self.octets)["id"]
        connection = self.reading()
        self.alice.call("group.remove", chat=self.chat, account=self.bob.account)
        self.assertFalse(self.go_on(connection))


class OtherKeyTests(MeanwhileCase):
    """The chat has another key than the one that was read with it: it is to be asked again."""

    def setUp(self) -> None:
        super().setUp()
        self.erase()
        self.message = self.sent(b"12345")["id"]
        self.path = self.link(self.bob, self.message)
        self.ticket_of_upload, self.upload_path = self.create(10)
        registry = self.world.domain.registry
        kept = registry.get(ChatId(self.chat))
        assert kept is not None
        # As a reader has it that was handed the chat before its key changed.
        kept.key = kept.key.fresh()
        self.kept = kept

    def test_damaged(self) -> None:
        """What does not open with the right key is lost."""
        self.assertEqual(self.fetch(self.path).code, "file_lost")

    def test_stale(self) -> None:
        """With a key that may be an old one the node is busy."""
        self.kept.stale = True
        self.assertEqual(self.fetch(self.path).code, "busy")
        self.assertEqual(self.web.tus("HEAD", self.upload_path, self.ticket_of_upload).status, 503)
        self.assertEqual(self.assertRaises(Refused, self.link, self.bob, self.message).code, "busy")
