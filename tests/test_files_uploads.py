"""Uploads over tus, in memory: what is acknowledged is on disk, and what is wrong has a code."""

import hashlib
import os
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from safeum_home.chats.files.octets import CHUNK, sealed_size
from safeum_home.gateway.limits import EdgeLimits
from tests.file_case import ORIGIN, Answer, FileCase, Web, request, tus_fields


class UploadTests(FileCase):
    """The protocol, as far as one client goes."""

    def test_options(self) -> None:
        """What the node speaks is told to anybody."""
        answer = self.web.ask("OPTIONS", "/v1/uploads")
        self.assertEqual(answer["tus-version"], "1.0.0")
        self.assertEqual(answer["tus-extension"], "creation,termination,checksum,expiration")
        self.assertEqual(answer["tus-max-size"], str(4 * 1024**2))
        self.assertEqual(answer["tus-checksum-algorithm"], "sha1,sha256")

    def test_in_one_go(self) -> None:
        """A file of any size comes to the other side as it was."""
        for size in (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 300_001):
            octets = os.urandom(size)
            message = self.sent(octets)
            [received] = self.bob.take("chat.message")
            self.assertEqual(received["params"]["body"]["size"], size)
            answer = self.fetch(self.link(self.bob, message["id"]))
            self.assertEqual((answer.status, answer.body), (200, octets), size)
            self.assertEqual(sealed_size(size), len(list(self.store.synced.values())[-1]), size)

    def test_in_parts(self) -> None:
        """Parts of any length are put together, and each is on disk when it is acknowledged."""
        octets = os.urandom(400_000)
        ticket, path = self.create(len(octets))
        at = 0
        for step in (1, 70_000, 65_536 - 70_001 % 65_536, 3, 130_000, 200_000):
            part = octets[at : at + step]
            answer = self.patch_upload(ticket, path, at, part)
            at += len(part)
            self.assertEqual((answer.status, answer["upload-offset"]), (204, str(at)), answer.body)
            self.store.crash()
            self.assertEqual(self.offset(ticket, path), at)
        self.assertEqual(at, len(octets))
        message = self.send(self.body(path.rpartition("/")[2], at))
        self.assertEqual(self.fetch(self.link(self.bob, message["id"])).body, octets)

    def test_broken_connection(self) -> None:
        """What came before the break is kept, and the upload goes on behind it."""
        octets = os.urandom(500_000)
        ticket, path = self.create(len(octets))
        connection = self.begun(ticket, path, octets, 333_333)
        connection.lose()
        self.store.crash()
        self.assertEqual(self.offset(ticket, path), 333_333)
        self.assertEqual(self.patch_upload(ticket, path, 333_333, octets[333_333:]).status, 204)
        message = self.send(self.body(path.rpartition("/")[2], len(octets)))
        self.assertEqual(self.fetch(self.link(self.bob, message["id"])).body, octets)

    def test_after_a_crash(self) -> None:
        """What was written behind the last acknowledged octet does no harm."""
        octets = os.urandom(4 * CHUNK)
        ticket, path = self.create(len(octets))
        self.patch_upload(ticket, path, 0, octets[: CHUNK + 5])
        [held] = self.store.written.values()
        held += os.urandom(100_000)
        self.assertEqual(self.patch_upload(ticket, path, CHUNK + 5, octets[CHUNK + 5 :]).status, 204)
        message = self.send(self.body(path.rpartition("/")[2], len(octets)))
        self.assertEqual(self.fetch(self.link(self.bob, message["id"])).body, octets)

    def test_whoever_comes_later_goes_on(self) -> None:
        """A connection that is only half broken does not keep its client from resuming on another one."""
        octets = os.urandom(200_000)
        ticket, path = self.create(len(octets))
        stuck = self.begun(ticket, path, octets, 150_000)
        self.assertEqual(self.offset(ticket, path), 150_000)
        self.assertEqual(Answer(stuck.sent()).code, "wrong_offset")
        self.assertTrue(stuck.transport.disconnecting)
        stuck.send(octets[150_000:])
        self.assertEqual(self.offset(ticket, path), 150_000)
        self.assertEqual(self.patch_upload(ticket, path, 150_000, octets[150_000:]).status, 204)
        self.assertEqual(stuck.sent(), b"")

    def test_resumed_with_another_ticket(self) -> None:
        """A ticket that is over, or was lost with the node's memory, is asked for anew."""
        octets = os.urandom(100_000)
        ticket, path = self.create(len(octets))
        self.patch_upload(ticket, path, 0, octets[:5])
        self.world.clock.advance(16 * 60)
        self.assertEqual(self.web.tus("HEAD", path, ticket).status, 401)
        again = self.ticket(file=path.rpartition("/")[2])
        self.assertEqual(again["path"], path)
        self.assertEqual(self.offset(again["ticket"], path), 5)

    def test_checksum(self) -> None:
        """A part with the wrong checksum is not taken at all, one with the right one is."""
        octets = os.urandom(100_000)
        ticket, path = self.create(len(octets))
        for name in ("sha1", "sha256"):
            wrong = f"{name} {b64encode(hashlib.new(name, b'other').digest()).decode()}"
            answer = self.patch_upload(ticket, path, 0, octets, Upload_Checksum=wrong)
            self.assertEqual((answer.status, answer.code), (460, "wrong_checksum"))
            self.assertEqual(self.offset(ticket, path), 0)
        right = f"sha256 {b64encode(hashlib.sha256(octets).digest()).decode()}"
        self.assertEqual(self.patch_upload(ticket, path, 0, octets, Upload_Checksum=right).status, 204)
        for bad in ("md5 AAAA", "sha256", "sha256 !", "sha256 " + "A" * 40):
            answer = self.patch_upload(ticket, path, len(octets), b"", Upload_Checksum=bad)
            self.assertIn(answer.code, ("bad_request", "wrong_checksum"), bad)

    def test_termination(self) -> None:
        """A terminated upload is gone, from the disk as well."""
        ticket, path = self.create(100_000)
        self.patch_upload(ticket, path, 0, os.urandom(80_000))
        self.assertEqual(self.web.tus("DELETE", path, ticket).status, 204)
        self.assertEqual(self.web.tus("HEAD", path, ticket).status, 404)
        self.assertEqual(self.store.written, {})
        self.assertTidy()

    def test_created_anew(self) -> None:
        """Where the answer to the creation got lost, the second one takes the place of the first."""
        ticket, first = self.create(1000)
        answer = self.web.tus("POST", "/v1/uploads", ticket, Upload_Length="1000")
        self.assertEqual(answer.status, 201)
        self.assertNotEqual(answer["location"], first)
        self.assertEqual(self.web.tus("HEAD", first, ticket).status, 404)
        self.assertEqual(self.world.database.count("uploads"), 1)

    def test_method_override(self) -> None:
        """Clients that cannot PATCH say so in a field (tus 1.0)."""
        ticket, path = self.create(5)
        fields = {"Content_Type": "application/offset+octet-stream", "Upload_Offset": "0"}
        answer = self.web.tus("POST", path, ticket, b"12345", X_HTTP_Method_Override="PATCH", **fields)
        self.assertEqual((answer.status, answer["upload-offset"]), (204, "5"))

    def test_pages(self) -> None:
        """Pages of the configured origins may use it, others may not read an answer."""
        answer = self.web.ask("OPTIONS", "/v1/uploads", Origin=ORIGIN, Access_Control_Request_Method="PATCH")
        self.assertEqual(answer["access-control-allow-origin"], ORIGIN)
        self.assertIn("PATCH", answer["access-control-allow-methods"])
        self.assertIn("Upload-Offset", answer["access-control-allow-headers"])
        ticket, path = self.create(5)
        self.assertIn(
            "Upload-Offset",
            self.web.tus("HEAD", path, ticket, Origin=ORIGIN)["access-control-expose-headers"],
        )
        foreign = self.web.tus("HEAD", path, ticket, Origin="https://evil.example")
        self.assertNotIn("access-control-allow-origin", foreign.fields)


class MemoryTests(FileCase):
    """However much is sent, little of it is held."""

    def test_held_back(self) -> None:
        """While the disk is busy, the connection is not read; the wait is not the client's."""
        octets = os.urandom(2 * 1024**2)
        ticket, path = self.create(len(octets))
        web = Web(self.world, EdgeLimits())
        from twisted.internet.defer import Deferred

        means = self.world.domain.files.means
        held: Deferred[Any] = Deferred()
        original = means.threads

        def slow(work: Callable[[], object]) -> Deferred[Any]:
            return held.addCallback(lambda _: original(work))

        object.__setattr__(means, "threads", slow)
        connection = web.connect()
        fields = {"Content_Type": "application/offset+octet-stream", "Upload_Offset": "0"}
        head = request(
            "PATCH", path, b"", **tus_fields(ticket, {**fields, "Content_Length": str(len(octets))})
        )
        connection.send(head)
        sent = 0
        while connection.transport.producerState == "producing" and sent < len(octets):
            connection.send(octets[sent : sent + 16_384])
            sent += 16_384
        self.assertEqual(connection.transport.producerState, "paused")
        self.assertLess(sent, 600_000)
        self.world.clock.advance(600)
        self.assertFalse(connection.transport.disconnecting)
        object.__setattr__(means, "threads", original)
        held.callback(None)
        self.assertEqual(connection.transport.producerState, "producing")
        connection.send(octets[sent:])
        self.assertEqual(Answer(connection.sent()).status, 204)
