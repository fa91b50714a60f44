"""What happens to a file, or to who reads it, between a look at the database and what follows from it."""

import os
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from safeum_home.chats.files.means import CHECK_EVERY
from safeum_home.ids import ChatId
from safeum_home.protocol.files import OFFSET_TYPE
from safeum_home.storage import files
from tests.file_case import Answer, Connection, FileCase, request, tus_fields
from tests.world import Client, Refused


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


class ReceivingMeanwhileTests(MeanwhileCase):
    """Something happens to who uploads, or to the upload, while a body is on its way."""

    size = 3 * 1024**2

    def begin(self, client: Client, **fields: str) -> Connection:
        """The first tenth of a body was sent."""
        self.ticket_of_upload, self.path = self.create(self.size, client=client, chat=self.chat)
        connection = self.web.connect()
        patching: dict[str, str | None] = {"Content_Type": OFFSET_TYPE, "Upload_Offset": "0", **fields}
        patching["Content_Length"] = str(self.size)
        head = request("PATCH", self.path, None, **tus_fields(self.ticket_of_upload, patching))
        connection.send(head + bytes(self.size // 10))
        return connection

    def finish(self, connection: Connection) -> int:
        """The rest of it; how much the store has of it."""
        for _ in range(9):
            connection.send(bytes(self.size // 10))
        connection.send(bytes(self.size - self.size // 10 * 10))
        return sum(len(each) for each in self.store.written.values())

    def test_revoked(self) -> None:
        """A device that was revoked is cut off within seconds."""
        laptop = self.world.login("alice")
        connection = self.begin(laptop)
        self.alice.call("device.revoke", device=laptop.device)
        self.world.clock.advance(CHECK_EVERY)
        self.assertLess(self.finish(connection), self.size // 4)
        self.assertEqual(Answer(connection.sent()).code, "bad_ticket")
        self.assertTrue(connection.transport.disconnecting)
        self.assertEqual(self.world.domain.files.means.slots.total, 0)

    def test_revoked_in_the_end(self) -> None:
        """What it sends before that is not noted."""
        laptop = self.world.login("alice")
        connection = self.begin(laptop)
        self.alice.call("device.revoke", device=laptop.device)
        self.finish(connection)
        self.assertEqual(Answer(connection.sent()).code, "bad_ticket")
        again = self.ticket(file=self.path.rpartition("/")[2])["ticket"]
        self.assertEqual(self.offset(again, self.path), 0)

    def test_removed(self) -> None:
        """So is who was removed from the group."""
        made = self.alice.call("group.create", client_id="g", name="g", invite=[self.bob.account])
        self.chat = made["chat"]["chat"]
        self.bob.call("group.accept", chat=self.chat)
        connection = self.begin(self.bob)
        self.alice.call("group.remove", chat=self.chat, account=self.bob.account)
        self.world.clock.advance(CHECK_EVERY)
        self.assertLess(self.finish(connection), self.size // 4)
        self.assertEqual(Answer(connection.sent()).code, "bad_ticket")

    def test_back_from_the_dead(self) -> None:
        """What is appended to a blob that was deleted meanwhile is deleted, however the request ends."""
        self.patch(self.store, "append", self.reviving)
        blind = self.world.vault.blinder.chat(ChatId(self.chat))
        for fields, code in (
            ({"Upload_Checksum": "sha256 " + b64encode(bytes(32)).decode()}, "wrong_checksum"),
            ({}, "not_found"),
        ):
            connection = self.begin(self.alice, **fields)
            self.assertEqual(len(self.store.written), 1)
            self.successResultOf(self.world.database.transact(lambda c: files.drop_uploads_of(c, blind)))
            self.tidy()
            self.assertEqual(self.store.written, {})
            self.assertEqual(self.finish(connection), 0)
            self.assertEqual(Answer(connection.sent()).code, code)
            self.assertTidy()

    def reviving(self, blob: bytes, offset: int, data: bytes) -> None:
        """As an S3 service has it: objects do not know whether those before them are still there."""
        self.store.written.setdefault(blob, bytearray(offset)).extend(data)

    def test_twice_with_one_ticket(self) -> None:
        """Two that begin with the same ticket at once leave one upload."""
        ticket = self.ticket()["ticket"]
        self.world.database.hold = True
        asked = [self.web.connect() for _ in range(2)]
        for connection in asked:
            head: dict[str, str | None] = {"Upload_Length": "1000"}
            connection.send(request("POST", "/v1/uploads", None, **tus_fields(ticket, head)))
        self.assertEqual(self.world.database.held, 2)
        self.world.database.hold = False
        self.world.database.release()
        answers = [Answer(connection.sent()) for connection in asked]
        self.assertEqual([answer.status for answer in answers], [201, 201])
        self.assertEqual(self.world.database.count("uploads"), 1)
        self.assertEqual(self.offset(ticket, answers[1]["location"]), 0)
        self.assertEqual(self.alice.call("file.quota")["quota"]["used"], 1000)

    def test_the_second_fails(self) -> None:
        """Where the second one cannot be stored, the first stays."""
        ticket, path = self.create(1000)
        self.world.database.failing = True
        failed = self.web.tus("POST", "/v1/uploads", ticket, Upload_Length="1000")
        self.world.database.failing = False
        self.assertEqual(failed.code, "storage_unavailable")
        self.assertEqual(self.offset(ticket, path), 0)


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
        self.assertEqual(self.assertRaises(Refused, self.send_upload).code, "file_lost")

    def test_stale(self) -> None:
        """With a key that may be an old one the node is busy."""
        self.kept.stale = True
        self.assertEqual(self.fetch(self.path).code, "busy")
        self.assertEqual(self.web.tus("HEAD", self.upload_path, self.ticket_of_upload).status, 503)
        self.assertEqual(self.assertRaises(Refused, self.link, self.bob, self.message).code, "busy")
        self.assertEqual(self.assertRaises(Refused, self.send_upload).code, "busy")

    def send_upload(self) -> None:
        self.send(self.body(self.upload_path.rpartition("/")[2], 10))
