"""What the janitor finds: no file is left behind, and none is lost."""

import os
from typing import Any

from sqlalchemy import delete, insert
from twisted.internet.defer import Deferred

from safeum_home.chats.files import janitor
from safeum_home.ports.files import CHUNK
from safeum_home.storage import files
from safeum_home.storage.schema import blobs
from tests.file_case import FileCase
from tests.world import PASSWORD, Refused


class JanitorTests(FileCase):
    """Nothing is left behind."""

    def test_unsent(self) -> None:
        """A complete upload that nobody sends goes after its time, and not before."""
        self.upload(b"12345")
        self.world.clock.advance(self.section.unsent_seconds - 1)
        self.assertTidy(blobs=1)
        self.world.clock.advance(2)
        self.assertTidy()

    def test_closed_account(self) -> None:
        """Of an account that is closed nothing stays, but for what others have forwarded."""
        self.alice.call("account.pin.set", password=PASSWORD, pin="482911")
        message = self.sent(b"12345")
        self.upload(b"67890")
        [told] = self.bob.take("chat.message")
        carol = self.world.register("carol")
        other = self.world.befriend(self.bob, carol)
        kept = self.send(told["params"]["body"], self.bob, other)
        ticket = self.ticket()["ticket"]
        self.alice.call("session.block", pin="482911")
        self.world.settle(20)
        self.assertRaises(Refused, self.link, self.bob, message["id"])
        answer = self.web.tus("POST", "/v1/uploads", ticket, Upload_Length="5")
        self.assertEqual(answer.code, "bad_ticket")
        self.assertTidy(blobs=1)
        self.assertEqual(self.fetch(self.link(carol, kept["id"], other)).body, b"12345")
        blind = self.world.vault.blinder.account(self.alice.account)  # type: ignore[arg-type]
        self.assertEqual(self.world.database.now(lambda c: files.used(c, blind)), 0)

    def test_blob_without_row(self) -> None:
        """What a crash left in the store is found there, and what has a row is left alone."""
        message = self.sent(b"12345")
        for name in (b"\0" * 16, b"\xff" * 16, os.urandom(16)):
            self.store.append(name, 0, b"left behind")
        self.assertTidy(blobs=1)
        self.assertEqual(self.fetch(self.link(self.bob, message["id"])).body, b"12345")

    def test_a_copy_put_in_place_by_mistake(self) -> None:
        """What the database does not know is kept for a day: whoever puts the right one back has it all."""
        message = self.sent(b"12345")["id"]

        def write(change: Any) -> Any:
            return self.successResultOf(self.world.database.transact(change))

        def older_copy() -> Any:
            return write(lambda c: c.execute(delete(blobs).returning(blobs)).one())

        row = older_copy()
        self.compare()
        self.world.clock.advance(janitor.GRACE - 60)
        self.compare()
        write(lambda c: c.execute(insert(blobs), row._asdict()))
        self.world.clock.advance(120)
        self.compare()
        self.assertEqual(self.fetch(self.link(self.bob, message)).body, b"12345")
        self.assertEqual(self.world.database.count("strays"), 0)
        older_copy()
        self.compare()
        self.assertEqual((len(self.store.written), self.world.database.count("strays")), (1, 1))
        self.world.clock.advance(janitor.GRACE)
        self.compare()
        self.assertEqual(len(self.store.written), 0)
        self.compare()
        self.assertEqual(self.world.database.count("strays"), 0)

    def test_row_without_blob(self) -> None:
        """An upload whose octets are gone goes; a message keeps its row, and says that the file is lost."""
        ticket, path = self.create(100_000)
        fresh, other = self.create(100)
        self.patch_upload(ticket, path, 0, b"x" * 70_000)
        message = self.sent(b"12345")
        lost = self.link(self.bob, message["id"])
        self.store.written.clear()
        self.tidy()
        self.assertEqual(self.web.tus("HEAD", path, ticket).status, 404)
        self.assertEqual(self.offset(fresh, other), 0)
        self.assertEqual(self.world.database.count("files"), 1)
        for fields in ({}, {"Range": "bytes=2-"}):
            answer = self.fetch(lost, **fields)
            self.assertEqual((answer.status, answer.code), (410, "file_lost"))
            for field in ("content-range", "content-disposition", "etag", "accept-ranges"):
                self.assertIsNone(answer.fields.get(field), field)

    def test_short_uploads(self) -> None:
        """What is less than a chunk is in the database alone, and survives a start."""
        sizes = {CHUNK - 1: 10, 3 * CHUNK: CHUNK - 1, CHUNK + 1: 1, 2 * CHUNK: CHUNK, 5: 5}
        begun = {size: (*self.create(size), os.urandom(size)) for size in sizes}
        for size, (ticket, path, octets) in begun.items():
            self.assertEqual(self.patch_upload(ticket, path, 0, octets[: sizes[size]]).status, 204)
        self.tidy()
        for size, (ticket, path, octets) in begun.items():
            offset = self.offset(ticket, path)
            self.assertEqual(offset, sizes[size])
            if offset < size:
                self.assertEqual(self.patch_upload(ticket, path, offset, octets[offset:]).status, 204)
            message = self.send(self.body(path.rpartition("/")[2], size))
            self.assertEqual(self.fetch(self.link(self.bob, message["id"])).body, octets)

    def test_crash_before_deleting(self) -> None:
        """A blob that was dropped, and is still there after a crash, is deleted at the next round."""
        ticket, path = self.create(100)
        self.patch_upload(ticket, path, 0, b"x" * 100)
        self.store.failing = True
        self.assertEqual(self.web.tus("DELETE", path, ticket).status, 204)
        self.store.failing = False
        self.assertEqual((len(self.store.written), self.world.database.count("dropped")), (1, 1))
        self.assertTidy()

    def test_what_cannot_be_deleted(self) -> None:
        """A blob that cannot be deleted is in the way of no other, and is tried again."""
        self.patch(janitor, "_BATCH", 10)
        stuck = {bytes([number]) * 16 for number in range(9)}
        names = sorted(stuck | {bytes([100 + number]) * 16 for number in range(5)})
        for name in names:
            self.store.append(name, 0, b"left behind")
        self.note_dropped(names)
        delete = self.store.delete

        def failing(blob: bytes) -> None:
            if blob in stuck:
                raise OSError("Operation not permitted")
            delete(blob)

        self.store.delete = failing
        for _ in range(3):
            self.tidy()
        self.assertEqual(set(self.store.written), stuck)
        self.assertEqual(self.world.database.count("dropped"), len(stuck))
        self.store.delete = delete
        for _ in range(2):
            self.tidy()
        self.assertTidy()

    def test_a_store_that_fails_is_not_tried_for_each(self) -> None:
        """Where nothing can be deleted, a round ends after a few; in later ones all get their turn."""
        self.patch(janitor, "_BATCH", 100)
        names = [bytes([number]) * 16 for number in range(30)]
        self.note_dropped(names)
        tried: list[bytes] = []

        def failing(blob: bytes) -> None:
            tried.append(blob)
            raise OSError("the store fails")

        self.store.delete = failing
        rounds = []
        for _ in range(5):
            self.successResultOf(Deferred.fromCoroutine(self.world.domain.files.janitor.tidy()))
            rounds.append(len(tried))
        self.assertEqual(rounds, [8, 16, 24, 30, 30])
        self.assertEqual(tried, names)
        self.assertEqual(self.world.domain.files.means.outage.reason, "the store fails")

    def note_dropped(self, names: list[bytes]) -> None:
        for name in names:
            self.world.database.execute("INSERT INTO dropped (blob) VALUES (?)", name)

    def test_message_that_was_never_stored(self) -> None:
        """A file whose message is not there belongs to nobody."""
        self.sent(b"12345")
        self.world.database.execute("DELETE FROM events WHERE chat IN (SELECT chat FROM files)")
        self.assertTidy()

    def test_erased_while_uploading(self) -> None:
        """A chat that is erased in the middle of an upload ends it, with nothing left."""
        octets = os.urandom(300_000)
        ticket, path = self.create(len(octets))
        self.patch_upload(ticket, path, 0, octets[:100_000])
        means = self.world.domain.files.means
        blind = self.world.vault.blinder.chat(self.chat)  # type: ignore[arg-type]
        original = means.threads

        def erased(work: Any) -> Any:
            object.__setattr__(means, "threads", original)
            self.successResultOf(self.world.database.transact(lambda c: files.drop_chat(c, blind)))
            return original(work)

        object.__setattr__(means, "threads", erased)
        self.assertEqual(self.patch_upload(ticket, path, 100_000, octets[100_000:]).code, "not_found")
        self.assertEqual(self.store.written, {})
        self.assertTidy()

    def test_rounds(self) -> None:
        """It runs at the start and at intervals, until it is stopped, and outlives a store that fails."""
        tidying = self.world.domain.files.janitor
        self.upload(b"12345")
        self.store.append(os.urandom(16), 0, b"left behind")
        tidying.start()
        self.assertEqual(len(self.store.written), 2)
        self.store.failing = True
        self.world.clock.advance(max(self.section.unsent_seconds, janitor.GRACE) + 1)
        self.assertEqual(len(self.store.written), 2)
        self.store.failing = False
        self.world.clock.advance(61)
        self.assertEqual(len(self.store.written), 1)
        self.world.clock.advance(janitor.COMPARE_EVERY)
        self.assertEqual(len(self.store.written), 0)
        stopped: Deferred[None] = tidying.stop()
        self.successResultOf(stopped)
        self.store.append(os.urandom(16), 0, b"left behind")
        self.world.clock.advance(2 * 86400)
        self.assertEqual(len(self.store.written), 1)
