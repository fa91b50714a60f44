"""Uploads that the node refuses: each with its status and its code, and nothing of it is kept."""

import os
from base64 import b64encode

from tests.file_case import Answer, FileCase, chunked


class RefusedTests(FileCase):
    """Each thing that can be wrong has a code, and leaves nothing behind."""

    def assertRefused(self, answer: Answer, status: int, code: str) -> None:
        self.assertEqual((answer.status, answer.code), (status, code))
        self.assertEqual(answer["tus-resumable"], "1.0.0")

    def test_versions(self) -> None:
        """Another version of tus is refused, with the one that is spoken."""
        ticket, path = self.create(5)
        for method, where in (("POST", "/v1/uploads"), ("HEAD", path), ("DELETE", path)):
            for version in (None, "0.2.2"):
                answer = self.web.tus(method, where, ticket, Tus_Resumable=version)
                self.assertEqual((answer.status, answer["tus-version"]), (412, "1.0.0"))

    def test_tickets(self) -> None:
        """Without the right ticket nothing is done, whatever is tried."""
        ticket, path = self.create(5)
        other, _ = self.create(5, client=self.bob)
        message = self.sent(b"12345")
        download = self.link(self.bob, message["id"]).rpartition("/")[2]
        for wrong, status, code in (
            ("", 401, "bad_ticket"),
            ("x" * 43, 401, "bad_ticket"),
            (download, 401, "bad_ticket"),
            (self.alice.token, 401, "bad_ticket"),
            (other, 404, "not_found"),
        ):
            fields = {"Content_Type": "application/offset+octet-stream", "Upload_Offset": "0"}
            self.assertRefused(self.web.tus("PATCH", path, wrong, b"12345", **fields), status, code)
            self.assertEqual(self.web.tus("HEAD", path, wrong).status, status)
            self.assertRefused(self.web.tus("DELETE", path, wrong), status, code)
        self.assertRefused(
            self.web.tus("POST", "/v1/uploads", "x" * 43, Upload_Length="5"), 401, "bad_ticket"
        )
        self.assertEqual(self.offset(ticket, path), 0)

    def test_paths(self) -> None:
        """No path leads out of the store: names are ids, or they are nothing."""
        ticket, _ = self.create(5)
        fields = {"Content_Type": "application/offset+octet-stream", "Upload_Offset": "0"}
        for name in (
            "..",
            "../../etc/passwd",
            "%2e%2e%2fetc%2fpasswd",
            "F" + "a" * 25,
            "F" + "A" * 26,
            "",
            "x/y",
        ):
            answer = self.web.tus("PATCH", f"/v1/uploads/{name}", ticket, b"12345", **fields)
            self.assertRefused(answer, 404, "not_found")
            self.assertEqual(self.web.tus("HEAD", f"/v1/uploads/{name}", ticket).status, 404)
            self.assertEqual(self.fetch(f"/v1/downloads/{name}").status, 401)

    def test_content_type(self) -> None:
        """A body of another type is refused, and so is what is no media type."""
        ticket, path = self.create(5)
        for kind in (None, "application/octet-stream", "multipart/form-data; boundary=x"):
            answer = self.patch_upload(ticket, path, 0, b"12345", Content_Type=kind)
            self.assertRefused(answer, 415, "wrong_content_type")
        for kind in ("text", "text/html/x", "text/ht ml", "a" * 128 + "/b"):
            metadata = "filename Li4vLi4=,filetype " + b64encode(kind.encode()).decode()
            answer = self.web.tus("POST", "/v1/uploads", ticket, Upload_Length="5", Upload_Metadata=metadata)
            self.assertRefused(answer, 415, "wrong_content_type")

    def test_lengths(self) -> None:
        """Lengths that are none, too large, or untrue."""
        ticket = self.ticket()["ticket"]
        for length in (None, "", "-1", "1.5", "0x10", "01", "9" * 17):
            answer = self.web.tus("POST", "/v1/uploads", ticket, Upload_Length=length)
            self.assertRefused(answer, 400, "bad_request")
        answer = self.web.tus("POST", "/v1/uploads", ticket, Upload_Length=str(4 * 1024**2 + 1))
        self.assertRefused(answer, 413, "too_large")
        ticket, path = self.create(100)
        self.assertRefused(self.patch_upload(ticket, path, 0, b"x" * 101), 413, "too_large")
        self.assertRefused(self.patch_upload(ticket, path, 0, b"x" * 500_000), 413, "too_large")
        many = chunked([b"x" * 60, b"x" * 60])
        answer = self.patch_upload(ticket, path, 0, many, Transfer_Encoding="chunked")
        self.assertRefused(answer, 413, "too_large")
        self.assertEqual(self.offset(ticket, path), 0)
        fine = chunked([b"x" * 60, b"x" * 39])
        self.assertEqual(self.patch_upload(ticket, path, 0, fine, Transfer_Encoding="chunked").status, 204)
        file = path.rpartition("/")[2]
        self.assertEqual(self.refused(self.body(file, 100)), "upload_incomplete")
        self.assertEqual(self.patch_upload(ticket, path, 99, b"x").status, 204)
        self.assertEqual(self.refused(self.body(file, 99)), "file_mismatch")
        self.assertEqual(self.refused(self.body(file, 100, "text/html")), "file_mismatch")
        self.send(self.body(file, 100))
        self.assertTidy(blobs=1)

    def test_offsets(self) -> None:
        """A body for another place is refused, and changes nothing."""
        ticket, path = self.create(100)
        self.patch_upload(ticket, path, 0, b"x" * 10)
        for offset in (0, 9, 11, 99):
            self.assertRefused(self.patch_upload(ticket, path, offset, b"x"), 409, "wrong_offset")
        for wrong in (None, "", "-1", "1e1"):
            answer = self.patch_upload(ticket, path, 0, b"x", Upload_Offset=wrong)
            self.assertRefused(answer, 400, "bad_request")
        self.assertEqual(self.offset(ticket, path), 10)

    def test_truncated(self) -> None:
        """An upload that never becomes complete can be sent by nobody, and goes after its time."""
        ticket, path = self.create(100_000)
        self.patch_upload(ticket, path, 0, b"x" * 99_999)
        self.assertEqual(self.refused(self.body(path.rpartition("/")[2], 100_000)), "upload_incomplete")
        self.assertTidy(blobs=1)
        self.world.clock.advance(self.section.unfinished_seconds + 1)
        self.assertTidy()
        self.assertEqual(self.refused(self.body(path.rpartition("/")[2], 100_000)), "not_found")

    def test_slow(self) -> None:
        """Who drips is cut off with a code; what came is kept for as long as any upload is."""
        octets = os.urandom(200_000)
        ticket, path = self.create(len(octets))
        connection = self.begun(ticket, path, octets, 100_000)
        for at in range(100_000, 100_100):
            self.world.clock.advance(1)
            connection.send(octets[at : at + 1])
        self.assertEqual(Answer(connection.sent()).code, "too_slow")
        self.assertTrue(connection.transport.disconnecting)
        connection.lose()
        self.assertGreaterEqual(self.offset(ticket, path), 100_000)
        self.world.clock.advance(self.section.unfinished_seconds + 1)
        self.assertTidy()

    def test_foreign_chat(self) -> None:
        """Nobody uploads for, sends into, or fetches from a chat that is not theirs."""
        carol = self.world.register("carol")
        from tests.world import Refused

        error = self.assertRaises(Refused, self.ticket, carol)
        self.assertEqual(error.code, "not_a_contact")
        other = self.world.befriend(carol, self.bob)
        file = self.upload(b"12345")
        self.assertEqual(self.refused(self.body(file, 5), carol, other), "not_found")
        self.assertEqual(self.refused(self.body(file, 5), self.bob, other), "not_found")
        message = self.send(self.body(file, 5))
        self.assertEqual(self.refused(self.body(file, 5), carol, other), "not_found")
        for chat in (self.chat, other):
            error = self.assertRaises(Refused, self.link, carol, message["id"], chat)
            self.assertEqual(error.code, "not_found")
        self.assertTidy(blobs=1)

    def test_quota(self) -> None:
        """What is uploaded counts from its beginning, until it is gone."""
        self.assertEqual(self.ticket()["quota"], {"used": 0, "limit": 8 * 1024**2})
        ticket, path = self.create(3 * 1024**2)
        self.create(4 * 1024**2)
        self.assertEqual(self.alice.call("file.quota")["quota"]["used"], 7 * 1024**2)
        other = self.ticket()["ticket"]
        answer = self.web.tus("POST", "/v1/uploads", other, Upload_Length=str(1024**2 + 1))
        self.assertRefused(answer, 403, "file_quota")
        self.web.tus("DELETE", path, ticket)
        self.create(1024**2 + 1)
        self.assertEqual(self.bob.call("file.quota")["quota"]["used"], 0)

    def test_many(self) -> None:
        """There are only so many uploads that were not sent."""
        for _ in range(5):
            self.create(1)
        answer = self.web.tus("POST", "/v1/uploads", self.ticket()["ticket"], Upload_Length="1")
        self.assertRefused(answer, 403, "limit_reached")

    def test_store_fails(self) -> None:
        """A store that cannot write acknowledges nothing; afterwards the upload goes on."""
        ticket, path = self.create(100_000)
        self.patch_upload(ticket, path, 0, b"x" * 70_000)
        self.store.failing = True
        answer = self.patch_upload(ticket, path, 70_000, b"y" * 30_000)
        self.assertRefused(answer, 503, "storage_unavailable")
        outage = self.world.domain.files.means.outage
        self.assertEqual(outage.reason, "the store fails")
        self.store.failing = False
        self.assertEqual(self.offset(ticket, path), 70_000)
        self.assertEqual(self.patch_upload(ticket, path, 70_000, b"y" * 30_000).status, 204)
        self.assertIsNone(outage.reason)

    def test_database_fails(self) -> None:
        """What the database does not note is not acknowledged, and nor is it in the way afterwards."""
        octets = os.urandom(300_000)
        ticket, path = self.create(len(octets))
        self.patch_upload(ticket, path, 0, octets[:100_000])
        self.world.database.failing = True
        answer = self.patch_upload(ticket, path, 100_000, octets[100_000:])
        self.assertRefused(answer, 503, "storage_unavailable")
        self.world.database.failing = False
        self.assertEqual(self.offset(ticket, path), 100_000)
        self.assertEqual(self.patch_upload(ticket, path, 100_000, octets[100_000:]).status, 204)
        message = self.send(self.body(path.rpartition("/")[2], len(octets)))
        self.assertEqual(self.fetch(self.link(self.bob, message["id"])).body, octets)

    def refused(self, body: dict[str, object], client: object = None, chat: str | None = None) -> str:
        from tests.world import Refused

        return str(self.assertRaises(Refused, self.send, body, client, chat).code)


class RateTests(FileCase):
    """Requests are counted for each account."""

    limits = {"file_requests_per_account": 1.0, "file_requests_per_account_burst": 6}

    def test_rate(self) -> None:
        """Over its rate an account is told to wait, and others are not."""
        ticket, path = self.create(5)
        answers = [self.web.tus("HEAD", path, ticket) for _ in range(6)]
        self.assertEqual([answer.status for answer in answers], [200, 200, 200, 200, 429, 429])
        self.assertEqual(answers[-1]["retry-after"], "1")
        self.create(5, client=self.bob)
