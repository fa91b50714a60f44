"""Downloads, in memory: ranges, conditions, who may fetch what, and what is noticed of damage."""

import contextlib
import os
from functools import partial
from typing import Any

from sqlalchemy import Connection as Database
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.chats.files.octets import CHUNK, SEALED
from safeum_home.chats.files.slots import HELD, MEMORY, Slots
from safeum_home.errors import Erased, Problem
from safeum_home.gateway import downloads
from safeum_home.gateway.downloads import disposition
from safeum_home.gateway.ranges import wanted
from safeum_home.ids import AccountId
from safeum_home.storage.folder import BATCH
from tests.file_case import ORIGIN, Answer, FileCase, request, tus_fields
from tests.world import Refused

_OCTETS = (b"\xff", b"\xff\xfe=\x80", b"bytes=\xd9\xa0-\xd9\xa1", b'"\xc3\xb6"')
_FIELDS = ("Range", "If-Range", "If-None-Match", "If-Match", "If-Modified-Since", "Authorization", "Cookie")
_OF_TRANSFERS = (
    *("Origin", "Access-Control-Request-Method", "Accept", "User-Agent", "Referer", "Content-Type", "Expect"),
    *("Tus-Resumable", "Upload-Length", "Upload-Offset", "Upload-Metadata", "Upload-Checksum"),
    *("X-HTTP-Method-Override", "Host", "X-\u00ff"),
)


class DownloadTests(FileCase):
    """One file, fetched in every way."""

    def setUp(self) -> None:
        super().setUp()
        self.octets = os.urandom(3 * CHUNK + 1000)
        self.message = self.sent(self.octets, name='böse\u202e "x".html')["id"]
        self.path = self.link(self.bob, self.message)

    def test_ranges(self) -> None:
        """Each range is what it should be, wherever chunks end; whatever is none gets all."""
        size = len(self.octets)
        for field, start, end in (
            ("bytes=0-0", 0, 1),
            ("bytes=0-", 0, size),
            (f"bytes={CHUNK - 1}-{CHUNK}", CHUNK - 1, CHUNK + 1),
            (f"bytes={CHUNK}-{2 * CHUNK - 1}", CHUNK, 2 * CHUNK),
            (f"bytes={size - 1}-{size + 100}", size - 1, size),
            ("bytes=-1", size - 1, size),
            (f"bytes=-{size * 2}", 0, size),
        ):
            answer = self.fetch(self.path, Range=field)
            self.assertEqual((answer.status, answer.body), (206, self.octets[start:end]), field)
            self.assertEqual(answer["content-range"], f"bytes {start}-{end - 1}/{size}")
            self.assertEqual(answer["content-length"], str(end - start))
        for field in ("bytes=", "bytes=-", "bytes=5-4", "bytes=0-1,3-4", "lines=0-1", "bytes=a-b", "0-1"):
            answer = self.fetch(self.path, Range=field)
            self.assertEqual((answer.status, answer.body), (200, self.octets), field)
        for field in (f"bytes={size}-", "bytes=-0", f"bytes={size + 5}-{size + 9}"):
            answer = self.fetch(self.path, Range=field)
            self.assertEqual((answer.status, answer.code), (416, "range_not_satisfiable"), field)
            self.assertEqual(answer["content-range"], f"bytes */{size}")

    def test_conditions(self) -> None:
        """A range of another version is not sent, and what is known need not be sent at all."""
        etag = self.fetch(self.path)["etag"]
        same = self.fetch(self.path, Range="bytes=0-4", If_Range=etag)
        self.assertEqual((same.status, same.body), (206, self.octets[:5]))
        for other in ('"other"', "W/" + etag, "Tue, 15 Nov 1994 12:45:26 GMT"):
            answer = self.fetch(self.path, Range="bytes=0-4", If_Range=other)
            self.assertEqual((answer.status, answer.body), (200, self.octets))
        for field in (f'"x", {etag}', f"W/{etag}", "*", " * "):
            known = self.fetch(self.path, If_None_Match=field)
            self.assertEqual((known.status, known.body), (304, b""), field)
        for field in ('"x"', '"*"', "**", ""):
            self.assertEqual(self.fetch(self.path, If_None_Match=field).body, self.octets, field)

    def test_head(self) -> None:
        """HEAD tells what GET would."""
        size = str(len(self.octets))
        answer = self.fetch(self.path, "HEAD")
        self.assertEqual(
            (answer.status, answer["content-length"], answer.body), (200, str(len(self.octets)), b"")
        )
        self.assertEqual(answer["accept-ranges"], "bytes")
        part = self.fetch(self.path, "HEAD", Range="bytes=1-2")
        self.assertEqual((part.status, part["content-length"], part.body), (200, size, b""))

    def test_browsers(self) -> None:
        """Nothing of a file is shown or run as a page of the node's, and nothing of it is kept on the way."""
        answer = self.fetch(self.path, Origin=ORIGIN)
        self.assertEqual(answer["content-type"], "application/octet-stream")
        self.assertEqual(answer["x-content-type-options"], "nosniff")
        self.assertEqual(answer["cache-control"], "private, no-store")
        self.assertEqual(answer["content-security-policy"], "default-src 'none'; sandbox")
        self.assertEqual(answer["referrer-policy"], "no-referrer")
        self.assertTrue(answer["content-disposition"].startswith("attachment; "))
        self.assertEqual(answer["access-control-allow-origin"], ORIGIN)
        self.assertIn("Content-Range", answer["access-control-expose-headers"])
        preflight = self.web.ask("OPTIONS", self.path, Origin=ORIGIN, Access_Control_Request_Method="GET")
        self.assertIn("Range", preflight["access-control-allow-headers"])

    def test_names(self) -> None:
        """A name cannot leave its field, and is whole in the form that RFC 6266 has for it."""
        self.assertEqual(
            disposition('a"; x=\u202e/\\.txt'),
            "attachment; filename=\"a__ x____.txt\"; filename*=UTF-8''a%22%3B%20x%3D%E2%80%AE%2F%5C.txt",
        )
        self.assertEqual(disposition("ö"), "attachment; filename=\"_\"; filename*=UTF-8''%C3%B6")

    def test_header_field(self) -> None:
        """The ticket may also stand in the field Authorization."""
        ticket = self.path.rpartition("/")[2]
        answer = self.fetch("/v1/downloads", Authorization=f"Bearer {ticket}")
        self.assertEqual(answer.body, self.octets)
        for wrong in (None, "", f"Basic {ticket}", "Bearer", f"Bearer {ticket}x"):
            answer = self.fetch("/v1/downloads", Authorization=wrong)
            self.assertEqual((answer.status, answer.code), (401, "bad_ticket"))

    def test_other_tickets(self) -> None:
        """A ticket for an upload fetches nothing."""
        ticket = self.ticket()["ticket"]
        answer = self.fetch(f"/v1/downloads/{ticket}")
        self.assertEqual((answer.status, answer.code), (401, "bad_ticket"))

    def test_time(self) -> None:
        """A ticket is over a quarter of an hour after it was used."""
        for _ in range(3):
            self.world.clock.advance(14 * 60)
            self.assertEqual(self.fetch(self.path).status, 200)
        self.world.clock.advance(15 * 60)
        self.assertEqual(self.fetch(self.path).code, "bad_ticket")

    def test_membership_now(self) -> None:
        """Being a member, and having a device, is looked at with each request."""
        self.bob.call("session.logout")
        self.assertEqual(self.fetch(self.path).code, "bad_ticket")
        bob = self.world.login("bob")
        path = self.link(bob, self.message)
        self.assertEqual(self.fetch(path).status, 200)
        blind = self.world.vault.blinder.account(bob.account)  # type: ignore[arg-type]
        visible = "UPDATE members SET visible = ? WHERE account = ?"
        self.world.database.execute(visible, 2**60, blind)
        self.assertEqual(self.fetch(path).code, "not_found")
        error = self.assertRaises(Refused, self.link, bob, self.message)
        self.assertEqual(error.code, "not_found")
        self.world.database.execute(visible, 0, blind)
        self.assertEqual(self.fetch(path).status, 200)
        self.world.database.execute("DELETE FROM members WHERE account = ?", blind)
        self.assertEqual(self.fetch(path).code, "bad_ticket")

    def test_slow_reader(self) -> None:
        """Who does not read is sent no more, and cut off in the end."""
        octets = os.urandom(1024**2)
        path = self.link(self.bob, self.sent(octets)["id"])
        connection = self.web.connect()
        connection.send(request("GET", path))
        self.assertEqual(Answer(connection.sent()).body, octets)
        store, asked = self.store, []
        read = store.read

        def reading(blob: bytes, offset: int, size: int) -> bytes:
            asked.append(size)
            connection.channel.pauseProducing()
            return bytes(read(blob, offset, size))

        store.read = reading
        connection.send(request("GET", path))
        self.assertEqual(len(asked), 1)
        self.world.clock.advance(60)
        connection.channel.resumeProducing()
        self.assertEqual(len(asked), 2)
        self.world.clock.advance(121)
        self.assertTrue(connection.transport.disconnected)
        connection.lose()
        self.assertEqual(self.world.domain.files.means.slots.total, 0)

    def test_gone_while_reading(self) -> None:
        """A connection that breaks gives back what it took."""
        connection = self.web.connect()
        store = self.store
        read = store.read

        def reading(blob: bytes, offset: int, size: int) -> bytes:
            connection.lose()
            return bytes(read(blob, offset, size))

        store.read = reading
        connection.send(request("GET", self.path))
        self.assertEqual(self.world.domain.files.means.slots.total, 0)

    def test_damage(self) -> None:
        """What was changed, moved, exchanged or cut off on the disk is not handed out, and told."""
        [blob] = self.store.written
        sound = bytes(self.store.written[blob])
        for damaged in (
            sound[:100] + b"\0" + sound[101:],
            sound[SEALED : 2 * SEALED] + sound[:SEALED] + sound[2 * SEALED :],
            sound[: 3 * SEALED],
            sound[:-1],
        ):
            self.store.written[blob] = bytearray(damaged)
            connection = self.web.connect()
            connection.send(request("GET", self.path))
            sent = connection.sent()
            self.assertNotIn(self.octets[-1000:], sent)
            if damaged[:SEALED] == sound[:SEALED]:
                self.assertTrue(connection.transport.disconnected)
            else:
                self.assertEqual((Answer(sent).status, Answer(sent).code), (410, "file_lost"))
                self.assertEqual(self.world.domain.files.means.slots.total, 0)
        self.store.written[blob] = bytearray(sound)
        self.assertEqual(self.fetch(self.path).body, self.octets)

    def test_sealed(self) -> None:
        """At rest there is nothing of a file, its name, its type, or who sent it."""
        text = b"the very words of this file " * 100
        self.sent(text, name="secret-name.txt")
        rows = b"".join(
            b"".join(str(value).encode() if not isinstance(value, bytes) else value for value in row)
            for table in ("files", "uploads", "blobs", "events")
            for row in self.world.database.now(partial(_rows, table))
        )
        everything = rows + b"".join(bytes(octets) for octets in self.store.written.values())
        for canary in (b"the very words", b"secret-name", b"octet-stream", self.alice.account.encode()):
            self.assertNotIn(canary, everything)


class OctetsTests(FileCase):
    """Fields of a request with octets that are no text: they are left out of account, or have a code."""

    def setUp(self) -> None:
        super().setUp()
        self.slots = self.world.domain.files.means.slots
        self.uploading, self.upload_path = self.create(10)
        self.path = self.link(self.bob, self.sent(b"12345")["id"])

    def ask(self, method: str, path: str, fields: dict[str, str | None], name: str, value: bytes) -> Answer:
        head, _, body = request(
            method, path, b"1" if method in ("PATCH", "POST") else None, **fields
        ).partition(b"\r\n\r\n")
        kept = [
            line for line in head.split(b"\r\n") if not line.lower().startswith(name.lower().encode() + b":")
        ]
        connection = self.web.connect()
        connection.send(b"\r\n".join([*kept, name.encode() + b": " + value, b"", b""]) + body)
        return Answer(connection.sent())

    def test_downloads(self) -> None:
        """A download is given as if the field were not there, and gives its place back."""
        fields: dict[str, str | None] = {"Range": "bytes=0-1"}
        for name in (*_FIELDS, *_OF_TRANSFERS):
            for value in _OCTETS:
                answer = self.ask("GET", self.path, fields, name, value)
                self.assertIn(answer.status, (200, 206, 400), (name, value))
                self.assertIn(answer.body if answer.status != 400 else b"", (b"", b"12", b"12345"))
                self.assertEqual(self.slots.total, 0, (name, value))
        for _ in range(2 * self.section.transfers):
            self.ask("GET", self.path, fields, "If-Range", _OCTETS[0])
        self.assertEqual(self.fetch(self.path).body, b"12345")

    def test_key(self) -> None:
        """Whatever fails before an octet is sent, the key is wiped, and the place given back."""
        self.patch(downloads, "disposition", lambda name: name.encode("ascii").decode())
        path = self.link(self.bob, self.sent(b"12345", name="\u00f6")["id"])
        opened: list[Any] = []
        opening = self.world.domain.files.transfers.open

        async def noted(ticket: str) -> Any:
            reading = await opening(ticket)
            opened.append(reading)
            return reading

        self.patch(self.world.domain.files.transfers, "open", noted)
        self.assertEqual(self.fetch(path).code, "internal_error")
        self.assertEqual(len(self.flushLoggedErrors(UnicodeEncodeError)), 1)
        self.assertEqual(self.slots.total, 0)
        self.assertRaises(Erased, opened[0]._open.key.seal, b"", b"")

    def test_uploads(self) -> None:
        """An upload is refused with a code, or goes on."""
        tus = tus_fields(self.uploading, {})
        patching = {**tus, "Content_Type": "application/offset+octet-stream", "Upload_Offset": "0"}
        for method, path, fields in (
            ("POST", "/v1/uploads", {**tus, "Upload_Length": "10"}),
            ("HEAD", self.upload_path, tus),
            ("PATCH", self.upload_path, patching),
            ("OPTIONS", "/v1/uploads", tus),
            ("DELETE", self.upload_path, tus),
        ):
            for name in (*_FIELDS, *_OF_TRANSFERS):
                for value in _OCTETS:
                    answer = self.ask(method, path, fields, name, value)
                    self.assertLess(answer.status, 500, (method, name, value))
                    if answer.status >= 400 and method != "HEAD":
                        self.assertTrue(answer.code, (method, name, value))
                    self.assertEqual(self.slots.total, 0, (method, name, value))

    def test_other_resources(self) -> None:
        """So are they wherever else HTTP is answered."""
        for path in ("/health", "/v1/nothing", "/", "/v1/downloads"):
            for method in ("GET", "HEAD", "POST", "OPTIONS"):
                for name in (*_FIELDS, *_OF_TRANSFERS):
                    status = self.ask(method, path, {}, name, _OCTETS[0]).status
                    self.assertIn(status, (200, 400, 401, 404, 405, 503), (method, path, name))


class TicketTests(FileCase):
    """Tickets are few and forgotten."""

    def test_bounds(self) -> None:
        """An account that asks for many loses its oldest, and nobody else's."""
        message = self.sent(b"12345")["id"]
        mine = [self.link(self.alice, message) for _ in range(65)]
        theirs = self.link(self.bob, message)
        self.assertEqual(self.fetch(mine[0]).status, 401)
        self.assertEqual(self.fetch(mine[1]).status, 200)
        self.assertEqual(self.fetch(theirs).status, 200)
        self.assertEqual(len(self.world.domain.files.means.tickets), 65)

    def test_many_at_once(self) -> None:
        """Over so many transfers at a time an account is told to wait."""
        message = self.sent(os.urandom(500_000))["id"]
        path = self.link(self.bob, message)
        read = self.store.read
        opened: list[Any] = []

        def reading(blob: bytes, offset: int, size: int) -> bytes:
            opened[-1].channel.pauseProducing()
            return bytes(read(blob, offset, size))

        self.store.read = reading
        for _ in range(self.section.transfers):
            opened.append(self.web.connect())
            opened[-1].send(request("GET", path))
        self.assertEqual(self.fetch(path).code, "busy")
        opened[0].lose()
        opened.append(self.web.connect())
        opened[-1].send(request("GET", path))
        self.assertTrue(opened[-1].sent().startswith(b"HTTP/1.1 200 "))


class SlotTests(SynchronousTestCase):
    """How many transfers there may be at once."""

    def test_memory(self) -> None:
        """All of them together fit into what there is for them, whatever the store likes to be given."""
        for batch, most in ((64, 512), (BATCH, 409), (1024**2, 51), (2**40, 1)):
            slots = Slots(512, batch)
            self.assertEqual(slots.most, most)
            if most > 1:
                self.assertLessEqual(most * HELD * batch, MEMORY)

    def test_everybody(self) -> None:
        """No account takes all, and all together take no more than there are; what is given back is free."""
        slots = Slots(16, 1024**2)
        accounts = [AccountId(f"@{number}") for number in range(20)]
        for account in accounts:
            for _ in range(20):
                with contextlib.suppress(Problem):
                    slots.take(account)
        self.assertEqual((slots.total, slots._taken[accounts[0]]), (51, 6))
        self.assertRaises(Problem, slots.take, accounts[-1])
        slots.release(accounts[0])
        slots.take(accounts[-1])
        self.assertEqual(slots.total, 51)


class RangeTests(FileCase):
    """The field Range alone."""

    def test_empty_file(self) -> None:
        """An empty file has no range."""
        path = self.link(self.bob, self.sent(b"")["id"])
        self.assertEqual(self.fetch(path).status, 200)
        self.assertEqual(self.fetch(path, Range="bytes=0-").status, 416)

    def test_long_numbers(self) -> None:
        """Numbers of any length do no harm."""
        self.assertEqual(wanted("bytes=0-" + "9" * 19, None, '"e"', 10), (0, 10))
        self.assertIsNone(wanted("bytes=0-" + "9" * 2000, None, '"e"', 10))


def _rows(table: str, c: Database) -> list[Any]:
    return list(c.exec_driver_sql(f"SELECT * FROM {table}").all())
