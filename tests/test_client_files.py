"""Files at a client: names from others, bars, what the terminal client does, and going on after a failure."""

import io
import json
import os
import stat
from collections.abc import Callable
from errno import ENOSPC, ENOTSUP, EOPNOTSUPP, EPERM
from pathlib import Path
from typing import Any, BinaryIO
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from safeum_home.client import web
from safeum_home.client.errors import BadAnswer, Closing, Disconnected, RemoteProblem, local
from safeum_home.client.file_names import LONGEST, free, sendable, storable, type_of
from safeum_home.client.file_text import file_text, size_text
from safeum_home.client.partial_file import PartialFile, Rest, partial_path
from safeum_home.client.pipe_files import SaveFile, SendFile, do
from safeum_home.client.progress import Transfers
from safeum_home.client.slash_commands import submit
from safeum_home.client.text import width
from safeum_home.client.trust import node_at
from safeum_home.errors import Code, Problem
from safeum_home.protocol.files import File
from safeum_home.protocol.types import Message
from tests.client_desk import DeskTestCase
from tests.client_double import BOB, CHAT, cursor

FILE = "F" + "a" * 26
NASTY = (
    *("", ".", "..", "...", "../../etc/passwd", "a/b", "a\\b", "C:\\x", "\x00", "a\nb", "a\x1b[2Jb"),
    *("\u202egpj.exe", "~", "-rf", ".bashrc", "con", "NUL.txt", " a ", "\u2003", "a\u2028b"),
    *("a" * 500 + ".jpeg", "ö" * 300, "x." + "y" * 300),
)


def of_file(name: str = "a.txt", size: int = 5, number: int = 9) -> Message:
    return Message(cursor(number), CHAT, BOB, 1_700_000_000_000, File(FILE, name, size, "text/plain"))


class NameTests(SynchronousTestCase):
    """Names that others have chosen do no harm."""

    def assertSafe(self, name: str) -> None:
        kept = storable(name)
        self.assertTrue(kept.isprintable() and kept == kept.strip(), kept)
        self.assertFalse(set(kept) & set('/\\:*?"<>|'), kept)
        self.assertFalse(kept.startswith((".", "-", "~")), kept)
        self.assertLessEqual(len(kept.encode()), LONGEST + 8)
        self.assertEqual((Path("/folder") / kept).parent, Path("/folder"))

    def test_nasty(self) -> None:
        """Paths, hidden files, options, devices, control characters."""
        for name in NASTY:
            self.assertSafe(name)
        self.assertEqual(storable("../../etc/passwd"), "_.._etc_passwd")
        self.assertEqual(storable("report (final).pdf"), "report (final).pdf")
        self.assertEqual(storable("Überweisung.pdf"), "Überweisung.pdf")
        self.assertEqual(storable("..."), "file")
        self.assertTrue(storable("a" * 500 + ".jpeg").endswith("a.jpeg"))

    def test_any(self) -> None:
        """Whatever the name is."""

        @given(st.text(max_size=300))
        def check(name: str) -> None:
            self.assertSafe(name)

        check()

    def test_free(self) -> None:
        """What is there is not replaced, and a link that leads nowhere is something, too."""
        folder = Path(self.mktemp())
        folder.mkdir()
        self.assertEqual(free(folder, "a.txt"), folder / "a.txt")
        (folder / "a.txt").write_text("x")
        (folder / "a (2).txt").symlink_to("/nowhere")
        self.assertEqual(free(folder, "a.txt"), folder / "a (3).txt")
        (folder / "b").write_text("x")
        self.assertEqual(free(folder, "b"), folder / "b (2)")

    def test_own(self) -> None:
        """One's own names fit into a message, and say what a file is."""
        self.assertEqual(sendable("a/b\n"), "a_b_")
        self.assertEqual([sendable(name) for name in ("", "..", " ")], ["file"] * 3)
        self.assertEqual(type_of("x.pdf"), "application/pdf")
        self.assertEqual(type_of("x"), "application/octet-stream")

    def test_texts(self) -> None:
        """Sizes for people, and a name that would rule the terminal."""
        sizes = {0: "0 B", 999: "999 B", 1000: "1.0 KB", 999_600: "1.0 MB", 2**31: "2.1 GB"}
        self.assertEqual({octets: size_text(octets) for octets in sizes}, sizes)
        body = File(FILE, "a\x1b[2J\u202e.txt", 5, "text/plain", "see\x07 this")
        self.assertTrue(all(line.isprintable() for line in file_text(body).splitlines()), file_text(body))


class BarTests(SynchronousTestCase):
    """Bars."""

    def test_bar(self) -> None:
        """It shows how much is done and how quickly, in the room there is."""
        transfers = Transfers()
        self.assertEqual(transfers.line(0, 80), "")
        transfer = transfers.begin("↑ a.txt", 0)
        transfer.moved(1_000_000, 10_000_000)
        transfer.moved(5_000_000, 10_000_000)
        line = transfers.line(2000, 80).rstrip()
        self.assertEqual(line, "↑ a.txt [########--------]  50 %  5.0 MB of 10.0 MB  2.0 MB/s")
        for columns in range(10, 100):
            self.assertLessEqual(width(transfers.line(2000, columns)), columns)
        other = transfers.begin("↓ " + "ü" * 100, 0)
        other.moved(0, 0)
        self.assertIn("  0 %", transfers.line(0, 60))
        self.assertTrue(transfers.line(0, 60).endswith(" (+1)"))
        transfers.end(other)
        transfers.end(transfer)
        self.assertEqual(transfers.line(0, 80), "")


class FakeWeb:
    """HTTPS to a node in memory that knows one file. `breaks` are the octets after which a request breaks."""

    def __init__(self, held: bytes = b"", breaks: tuple[int | Exception, ...] = ()) -> None:
        self.held = bytearray(held)
        self.breaks = list(breaks)
        self.asked: list[tuple[str, str]] = []
        self.fields: list[dict[str, str]] = []

    def ask(
        self,
        method: str,
        path: str,
        fields: dict[str, str],
        *,
        source: tuple[BinaryIO, int, int] | None = None,
        sink: Callable[[Any], Any] | None = None,
        moved: Callable[[int], object] = lambda octets: None,
    ) -> "Deferred[Any]":
        self.asked.append((method, path))
        self.fields.append(fields)
        broken = self.breaks.pop(0) if self.breaks and method in ("PATCH", "GET") else None
        if isinstance(broken, Exception):
            return fail(broken)
        if method == "POST":
            return succeed(FakeReply(201, {"Location": f"/v1/uploads/{FILE}"}))
        if method == "HEAD":
            return succeed(FakeReply(200, {"Upload-Offset": str(len(self.held))}))
        if method == "PATCH":
            assert source is not None
            file, offset, length = source
            assert offset == len(self.held) == int(fields["Upload-Offset"])
            file.seek(offset)
            data = file.read(length)[:broken]
            self.held += data
            moved(len(data))
        else:
            assert sink is not None
            start = int(fields["Range"].removeprefix("bytes=").rstrip("-"))
            span = f"bytes {start}-{len(self.held) - 1}/{len(self.held)}"
            data = bytes(self.held[start:])[:broken]
            sink(FakeReply(206, {"Content-Range": span})).write(data)
            moved(len(data))
        if broken is not None:
            return fail(Disconnected(Closing(1006, "the connection was lost")))
        return succeed(FakeReply(204, {"Upload-Offset": str(len(self.held))}))


class FakeReply:
    def __init__(self, status: int, fields: dict[str, str]) -> None:
        self.status = status
        self._fields = fields

    def __getitem__(self, name: str) -> str | None:
        return self._fields.get(name)


class TransferCase(DeskTestCase):
    """A client whose node has a `FakeWeb`."""

    def setUp(self) -> None:
        super().setUp()
        self.tickets: list[dict[str, Any]] = []
        quota = {"used": 0, "limit": 1000}
        ticket = {"ticket": "t" * 43, "expires": 1, "file": FILE, "name": "a.txt", "type": "text/plain"}

        def upload(params: dict[str, Any]) -> dict[str, Any]:
            self.tickets.append(params)
            return {**ticket, "path": "/v1/uploads", "largest": 1000, "quota": quota}

        self.node.answers |= {
            "file.upload": upload,
            "file.download": lambda params: {**ticket, "path": "/v1/downloads/x", "size": 20},
        }
        self.wire.answers |= self.node.answers
        self.use(FakeWeb())
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()

    def use(self, web: FakeWeb) -> FakeWeb:
        self.web = web
        dial: Any = self.node.client._dial
        self.patch(type(self.node.client), "_web", lambda _: web)
        assert dial is not None
        return web

    def wait(self, doing: "Deferred[Any]") -> Any:
        """What comes of it, with time for all that it waits for."""
        for _ in range(200):
            if doing.called and not isinstance(doing.result, Deferred):
                break
            self.node.clock.advance(1)
        return self.successResultOf(doing)


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


class TerminalTests(TransferCase):
    """`/send`, `/files`, `/save`, `/stop`."""

    def setUp(self) -> None:
        super().setUp()
        self.history += [of_file(".\u202enasty.txt", 20, 4), of_file("b.txt", 20, 5)]
        self.begin()
        self.desk.open(CHAT)
        before = Path.cwd()
        self.addCleanup(os.chdir, before)
        os.chdir(self.folder)

    def test_shown(self) -> None:
        """A file is somebody's message like any other, with what it is, and no word of the node's."""
        shown = self.body()
        self.assertIn("File: b.txt (text/plain, 20 B)", shown)
        self.assertIn("Bob", shown)
        self.assertNotIn("◆", shown)
        self.assertNotIn("⚠", shown)

    def said(self) -> str:
        return self.desk.notices[-1].text

    def enter(self, line: str) -> None:
        submit(self.desk, line)
        for _ in range(20):
            self.node.clock.advance(1)

    def test_send(self) -> None:
        """A file of a name with blanks, with a caption."""
        (self.folder / "my notes.txt").write_bytes(b"0123456789")
        self.enter('/send "my notes.txt" look at this')
        self.assertEqual(self.said(), "Sent: my notes.txt.")
        self.assertEqual(bytes(self.web.held), b"0123456789")
        assert self.desk.chat is not None
        body = self.desk.chat.messages[-1].body
        assert isinstance(body, File)
        self.assertEqual((body.name, body.caption, body.size), ("my notes.txt", "look at this", 10))

    def test_send_mistakes(self) -> None:
        """What is no file, or not named, is told."""
        for line, told in (
            ("/send", "Which file?"),
            ("/send nothing.txt", "There is no file nothing.txt."),
            ('/send "x', "There is a quotation mark"),
            ("/send my notes.txt", 'quotation marks: /send "my file.pdf"'),
            (f"/send {self.folder}", "is a folder"),
            ("/send /dev/null", "/dev/null is no file that could be sent."),
        ):
            self.enter(line)
            self.assertIn(told, self.said())
        self.desk.open(None)
        self.enter("/send x")
        self.assertIn("No chat is open", self.said())

    def test_too_large(self) -> None:
        """What the node does not take is not begun, and the limit is said."""
        (self.folder / "a.txt").write_bytes(bytes(1001))
        self.enter("/send a.txt")
        self.assertEqual(self.said(), "a.txt is too large, with 1.0 KB: your node takes 1.0 KB.")
        self.assertEqual(self.web.asked, [])
        doing = do(self.node.client, SendFile(CHAT, "a.txt"))
        error = self.failureResultOf(doing, RemoteProblem).value
        self.assertEqual((error.rpc, error.detail), (-32025, "1000 octets are the most"))

    def test_caption(self) -> None:
        """One's own is changed as a text is; without one it is taken away."""
        self.enter("/edit 1 see")
        self.enter("/edit 1")
        bodies = [request["body"] for request in self.params("message.edit")]
        self.assertEqual(bodies[0], {"kind": "text", "text": "see"})
        self.assertEqual(
            bodies[1], {"kind": "file", "file": FILE, "name": "b.txt", "size": 20, "type": "text/plain"}
        )

    def test_leaving(self) -> None:
        """Whoever leaves while a file is on its way is asked, once for each."""
        left: list[bool] = []
        self.desk.leave = lambda: left.append(True)
        transfer = self.desk.transfers.begin("a.txt", 0)
        self.desk.quit()
        self.assertEqual(left, [])
        self.assertIn("1 file is on its way; leave all the same?", self.said())
        self.desk.transfers.begin("b.txt", 0)
        self.desk.quit()
        self.assertIn("2 files are on their way", self.said())
        self.desk.transfers.end(transfer)
        self.desk.quit()
        self.assertEqual(left, [True])

    def test_files_and_save(self) -> None:
        """Files are numbered, and stored under names that do no harm, replacing nothing."""
        self.use(FakeWeb(b"y" * 20))
        self.enter("/files")
        listed = [notice.text for notice in self.desk.notices]
        self.assertTrue(
            any(text.startswith("  1  .\N{REPLACEMENT CHARACTER}nasty.txt (20 B)") for text in listed), listed
        )
        self.enter("/save 1")
        self.assertEqual((self.folder / "_nasty.txt").read_bytes(), b"y" * 20)
        self.enter("/save 1")
        self.assertIn("_nasty (2).txt", self.said())
        self.enter("/save")
        self.assertTrue((self.folder / "b.txt").exists())
        self.enter("/save 2 other.txt")
        self.assertTrue((self.folder / "other.txt").exists())
        self.enter("/save 2 other.txt")
        self.assertIn("There is a file other.txt already.", self.said())
        self.enter("/save 3")
        self.assertIn("Which one?", self.said())

    def test_erased_while_it_is_stored(self) -> None:
        """Of a file of a chat that is erased nothing is left, and of others what is there is kept."""
        octets = b"secret" + bytes(14)
        for give_up, left in (
            (lambda: self.desk.transfers.wipe(CHAT), []),
            (self.desk.transfers.cancel, [6]),
        ):
            self.use(FakeWeb(octets, breaks=(6,)))
            submit(self.desk, "/save kept.txt")
            self.node.clock.advance(0)
            self.assertEqual([path.name for path in self.folder.iterdir()], [f"kept.txt.{FILE[1:9]}.part"])
            give_up()
            self.node.clock.advance(1)
            self.assertEqual([path.stat().st_size for path in self.folder.iterdir()], left)
            self.assertIn("Given up", self.said())

    def test_stop(self) -> None:
        """What is under way shows a bar, and can be given up."""
        held: Deferred[Any] = Deferred()
        asked = self.web.ask

        def slow(method: str, path: str, fields: dict[str, str], **more: Any) -> "Deferred[Any]":
            if method == "PATCH":
                more["moved"](5)
                return held
            return asked(method, path, fields, **more)

        self.patch(self.web, "ask", slow)
        (self.folder / "a.txt").write_bytes(b"0123456789")
        self.enter("/send a.txt")
        self.assertIn("↑ a.txt [########--------]  50 %", self.desk.transfers.line(self.now, 80))
        self.enter("/stop")
        self.assertEqual(self.said(), "Given up: a.txt.")
        self.assertEqual(self.desk.transfers.line(self.now, 80), "")
        self.enter("/stop")
        self.assertIn("Nothing is being sent", self.said())
