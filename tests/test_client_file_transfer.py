"""Files on their way at a client: in one go, going on after a break, given up."""

import io
import json
import os
import stat
from errno import ENOSPC, ENOTSUP, EOPNOTSUPP, EPERM
from typing import Any
from unittest.mock import patch

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from safeum_home.client.connection import web
from safeum_home.client.connection.trust import node_at
from safeum_home.client.errors import BadAnswer, Disconnected, RemoteProblem, local
from safeum_home.client.files.partial_file import PartialFile, Rest, partial_path
from safeum_home.client.pipe.files import SaveFile, SendFile, do
from safeum_home.errors import Code, Problem
from tests.client_double import CHAT, cursor
from tests.client_file_case import FILE, FakeWeb, TransferCase, of_file


class ClientTransferTests(TransferCase):
    """Uploads and downloads of the SDK."""

    def test_upload(self) -> None:
        """A file is uploaded in one go, and what is done is told."""
        told: list[tuple[int, int]] = []
        source = io.BytesIO(b"0123456789")
        uploaded = self.wait(
            self.node.client.upload(CHAT, source, name="a/b.pdf", progress=lambda *done: told.append(done))
        )
        self.assertEqual((uploaded.file, uploaded.name, uploaded.size), (FILE, "a_b.pdf", 10))
        self.assertEqual((uploaded.type, told[-1]), ("application/pdf", (10, 10)))
        self.assertEqual(bytes(self.web.held), b"0123456789")
        self.assertEqual(self.web.fields[0]["Upload-Length"], "10")
        self.assertNotIn("a_b", str(self.web.fields))

    def test_upload_goes_on(self) -> None:
        """After each break it goes on where the node is, with a new ticket for the same file."""
        self.use(FakeWeb(breaks=(3, 0, local(Code.BUSY), 4)))
        uploaded = self.wait(self.node.client.upload(CHAT, io.BytesIO(b"0123456789"), name="x"))
        self.assertEqual(bytes(self.web.held), b"0123456789")
        self.assertEqual([each.get("file") for each in self.tickets], [None, FILE, FILE, FILE, FILE])
        self.assertEqual(uploaded.size, 10)

    def test_upload_gives_up(self) -> None:
        """What will not get better fails at once, and what does not get better in the end."""
        self.use(FakeWeb(breaks=(local(Code.FILE_QUOTA),)))
        doing = self.node.client.upload(CHAT, io.BytesIO(b"x"), name="x")
        self.assertTrue(self.failureResultOf(doing, RemoteProblem).value.of(Code.FILE_QUOTA))
        self.use(FakeWeb(breaks=(0,) * 8))
        doing = self.node.client.upload(CHAT, io.BytesIO(b"x"), name="x")
        for _ in range(100):
            self.node.clock.advance(1)
        self.failureResultOf(doing, Disconnected)

    def test_thrown_away_meanwhile(self) -> None:
        """An upload that the node has no more is begun anew."""
        answers = self.node.answers["file.upload"]

        def upload(params: dict[str, Any]) -> Any:
            if params.get("file"):
                self.web.held.clear()
                return Problem(Code.NOT_FOUND)
            return dict(answers(params))

        self.wire.answers["file.upload"] = upload
        self.use(FakeWeb(breaks=(3,)))
        self.wait(self.node.client.upload(CHAT, io.BytesIO(b"0123456789"), name="x"))
        self.assertEqual(bytes(self.web.held), b"0123456789")
        self.assertEqual([method for method, _ in self.web.asked], ["POST", "PATCH", "POST", "PATCH"])

    def test_download(self) -> None:
        """A file gets its name when it is complete; until then it is beside it, for its owner alone."""
        octets = os.urandom(20)
        self.use(FakeWeb(octets, breaks=(7, 0, 5)))
        target = self.folder / "a.txt"
        doing = self.node.client.download(of_file(size=20), target)
        [partial] = self.folder.iterdir()
        self.assertNotEqual(partial.name, "a.txt")
        self.assertEqual(stat.S_IMODE(partial.stat().st_mode), 0o600)
        self.assertEqual(self.wait(doing), 20)
        self.assertEqual({path.name: path.read_bytes() for path in self.folder.iterdir()}, {"a.txt": octets})

    def test_download_goes_on_later(self) -> None:
        """What is there of an earlier try is gone on with, beside a path and in an open file."""
        octets = os.urandom(20)
        self.use(FakeWeb(octets, breaks=(7, local(Code.FILE_LOST))))
        target = self.folder / "a.txt"
        doing = self.node.client.download(of_file(size=20), target)
        self.node.clock.advance(1)
        self.failureResultOf(doing, RemoteProblem)
        self.use(FakeWeb(octets))
        self.wait(self.node.client.download(of_file(size=20), target))
        self.assertEqual(self.web.fields[0]["Range"], "bytes=7-")
        self.assertEqual(target.read_bytes(), octets)
        partial = io.BytesIO(octets[:15])
        self.use(FakeWeb(octets))
        self.wait(self.node.client.download(of_file(size=20), partial))
        self.assertEqual((partial.getvalue(), self.web.fields[0]["Range"]), (octets, "bytes=15-"))
        self.use(FakeWeb(octets))
        self.wait(self.node.client.download(of_file(size=20), partial))
        self.assertEqual(self.web.asked, [])

    def test_a_node_that_is_away(self) -> None:
        """The file is another node's, which does not answer: it is asked for again, and goes on."""
        octets, away = os.urandom(20), local(Code.NODE_UNREACHABLE)
        self.use(FakeWeb(octets, breaks=(away, 7, away, away)))
        target = io.BytesIO()
        self.wait(self.node.client.download(of_file(size=20), target))
        self.assertEqual((target.getvalue(), len(self.web.asked)), (octets, 5))

    def test_a_lost_file(self) -> None:
        """It is not asked for again, and where nothing came nothing is left behind."""
        self.use(FakeWeb(b"x" * 20, breaks=(local(Code.FILE_LOST),)))
        doing = self.node.client.download(of_file(size=20), self.folder / "a.txt")
        self.assertTrue(self.failureResultOf(doing, RemoteProblem).value.of(Code.FILE_LOST))
        self.assertEqual(len(self.web.asked), 1)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_nothing_is_replaced(self) -> None:
        """Neither what is there, nor what comes into being meanwhile, nor what a link leads to."""
        self.use(FakeWeb(b"x" * 20))
        target = self.folder / "a.txt"
        target.write_text("mine")
        self.failureResultOf(self.node.client.download(of_file(size=20), target), FileExistsError)
        target.unlink()
        (self.folder / f"a.txt.{FILE[1:9]}.part").symlink_to(self.folder / "elsewhere")
        self.failureResultOf(self.node.client.download(of_file(size=20), target), OSError)
        self.assertFalse((self.folder / "elsewhere").exists())

    def test_without_hard_links(self) -> None:
        """Where the file system has none, a file gets its name all the same, and replaces nothing."""
        for code in {EPERM, EOPNOTSUPP, ENOTSUP}:
            with patch("os.link", side_effect=OSError(code, os.strerror(code))):
                target = self.folder / f"{code}.txt"
                self.use(FakeWeb(b"y" * 20))
                self.wait(self.node.client.download(of_file(size=20), target))
                self.assertEqual(target.read_bytes(), b"y" * 20)
                self.assertEqual(stat.S_IMODE(target.stat().st_mode), 0o600)
                other = PartialFile(self.folder / f"other-{code}.txt", FILE)
                with other.file:
                    (self.folder / f"other-{code}.txt").write_text("mine")
                    self.assertRaises(FileExistsError, other.complete)
                self.assertEqual((self.folder / f"other-{code}.txt").read_text(), "mine")
                partial_path(self.folder / f"other-{code}.txt", FILE).unlink()
        self.assertEqual([path for path in self.folder.iterdir() if path.suffix != ".txt"], [])

    def test_a_full_disk(self) -> None:
        """Another failure is told as what it is, and what is there is kept."""
        self.use(FakeWeb(b"y" * 20))
        target = self.folder / "a.txt"
        for link, replace in (
            (OSError(ENOSPC, "full"), None),
            (OSError(EPERM, "no"), OSError(ENOSPC, "full")),
        ):
            with patch("os.link", side_effect=link), patch("os.replace", side_effect=replace):
                doing = self.node.client.download(of_file(size=20), target)
            self.assertEqual(self.failureResultOf(doing, OSError).value.errno, ENOSPC)
            self.assertEqual(list(self.folder.iterdir()), [partial_path(target, FILE)])
        self.wait(self.node.client.download(of_file(size=20), target))
        self.assertEqual(target.read_bytes(), b"y" * 20)

    def test_a_node_that_lies(self) -> None:
        """An answer that is not the rest of the file is not taken for it."""
        self.use(FakeWeb(b"x" * 30))
        doing = self.node.client.download(of_file(size=20), self.folder / "a.txt")
        self.failureResultOf(doing, BadAnswer)
        self.assertFalse((self.folder / "a.txt").exists())

    def test_pipe(self) -> None:
        """Programs send and store files by their paths."""
        source = self.folder / "source.txt"
        source.write_bytes(b"0123456789")
        sent = self.wait(do(self.node.client, SendFile(CHAT, str(source), "look")))
        self.assertEqual(sent.id, cursor(50))
        self.use(FakeWeb(b"y" * 20))
        target = self.folder / "target.txt"
        saved = self.wait(do(self.node.client, SaveFile(CHAT, cursor(9), str(target))))
        self.assertEqual((saved.size, target.read_bytes()), (20, b"y" * 20))
        failed = do(self.node.client, SaveFile(CHAT, cursor(9), str(target)))
        self.assertEqual(self.failureResultOf(failed, RemoteProblem).value.detail, "path: File exists")


@implementer(IStreamClientEndpoint)
class Silence:
    """A node that takes everything, and says only what it is told to."""

    def __init__(self) -> None:
        self.transport = StringTransport()

    def connect(self, protocolFactory: Any) -> "Deferred[Any]":
        self.protocol = protocolFactory.buildProtocol(None)
        self.protocol.makeConnection(self.transport)
        return succeed(self.protocol)


class GivenUpTests(SynchronousTestCase):
    """A request that is cancelled was given up; one on which nothing moves has failed."""

    def setUp(self) -> None:
        self.patch(web, "wrapClientTLS", lambda tls, endpoint, clock: endpoint)
        self.clock, self.node = MemoryReactorClock(), Silence()
        self.web = web.Web(self.clock, node_at("home.test"), endpoint=self.node)

    def sending(self) -> "Deferred[Any]":
        """In the middle of a file."""
        source = (io.BytesIO(bytes(10**6)), 0, 10**6)
        doing = self.web.ask("PATCH", "/v1/uploads/x", {}, source=source)
        self.clock.advance(0)
        return doing

    def waiting(self) -> "Deferred[Any]":
        """For an answer."""
        return self.web.ask("GET", "/v1/downloads/x", {})

    def fetching(self) -> "Deferred[Any]":
        """In the middle of an answer."""
        doing = self.web.ask("GET", "/v1/downloads/x", {}, sink=lambda reply: io.BytesIO())
        self.node.protocol.dataReceived(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        return doing

    def test_cancelled(self) -> None:
        """It is not tried again: that takes a `Disconnected`."""
        for begin in (self.sending, self.waiting, self.fetching):
            self.setUp()
            doing = begin()
            self.assertNoResult(doing)
            doing.cancel()
            self.failureResultOf(doing, CancelledError)
            self.assertTrue(self.node.transport.disconnecting)
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_without_end(self) -> None:
        """An answer that goes on behind the rest of a file, or behind a problem, is cut off there."""
        sunk = io.BytesIO()
        for status, sink in ((200, lambda reply: Rest(sunk, 5)), (403, None)):
            self.setUp()
            doing = self.web.ask("GET", "/v1/downloads/x", {}, sink=sink)
            head = b"HTTP/1.1 %d x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n" % status
            self.node.protocol.dataReceived(head)
            self.assertNoResult(doing)
            for _ in range(20):
                self.node.protocol.dataReceived(b"2000\r\n" + bytes(0x2000) + b"\r\n")
                if doing.called:
                    break
            self.failureResultOf(doing, BadAnswer)
            self.assertTrue(self.node.transport.disconnecting)
            self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(sunk.getvalue(), b"abc")

    def test_refused(self) -> None:
        """A problem has the number that it has elsewhere."""
        for code, number in (("file_quota", Code.FILE_QUOTA.value.rpc), ("of_a_newer_node", -32603)):
            self.setUp()
            doing = self.waiting()
            told = json.dumps({"type": "x", "title": "x", "status": 413, "code": code}).encode()
            head = b"HTTP/1.1 413 x\r\nContent-Length: %d\r\n\r\n" % len(told)
            self.node.protocol.dataReceived(head + told)
            self.assertEqual(self.failureResultOf(doing, RemoteProblem).value.rpc, number)

    def test_counted(self) -> None:
        """What is said instead of a file is none of its octets: a transfer goes on where the file is."""
        for status, counted in ((200, [2]), (502, [])):
            self.setUp()
            moved: list[int] = []
            doing = self.web.ask("GET", "/v1/x", {}, sink=lambda reply: io.BytesIO(), moved=moved.append)
            self.node.protocol.dataReceived(b"HTTP/1.1 %d x\r\nContent-Length: 2\r\n\r\n{}" % status)
            self.assertEqual(moved, counted)
            doing.addErrback(lambda failure: None)

    def test_strange_fields(self) -> None:
        """A field that is no text is one as any other."""
        doing = self.waiting()
        self.node.protocol.dataReceived(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nLocation: \xff\r\n\r\n")
        self.assertEqual(self.successResultOf(doing)["Location"], "\xff")

    def test_stalled(self) -> None:
        """The same from within is a connection that failed."""
        for begin in (self.waiting, self.fetching):
            self.setUp()
            doing = begin()
            self.clock.advance(web.STALL)
            self.failureResultOf(doing, Disconnected)
