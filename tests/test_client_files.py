"""Files at the terminal client: sent, listed, stored, stopped."""

import os
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, succeed

from safeum_home.client.errors import RemoteProblem
from safeum_home.client.pipe.files import SendFile, do
from safeum_home.client.slash.commands import submit
from safeum_home.client.words.text import words
from safeum_home.errors import Code, Problem
from safeum_home.protocol.files import File
from tests.answering_case import tone
from tests.client_double import CHAT
from tests.client_file_case import FILE, FakeWeb, TransferCase, of_file
from tests.test_answering_process import wav


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

    def test_voice(self) -> None:
        """A sound file as a voice note: with its length, and without its name."""
        (self.folder / "at home.wav").write_bytes(wav(tone(440, 0.05)))
        self.desk.secure.in_thread = lambda work: succeed(work())
        self.enter('/voice "at home.wav"')
        self.assertEqual(self.said(), "Sent: a voice note of 0:00.")
        assert self.desk.chat is not None
        body = self.desk.chat.messages[-1].body
        assert isinstance(body, File)
        self.assertEqual((body.name, body.type, body.duration), ("voice.wav", "audio/x-wav", 50))

    def test_quota(self) -> None:
        """How much there is, and in a refusal how to see it and to make room."""
        answer = {"quota": {"used": 600_000, "limit": 1_000_000}, "largest": 2_000_000}
        self.node.answers["file.quota"] = self.wire.answers["file.quota"] = lambda params: answer
        self.enter("/quota")
        told = " ".join(notice.text for notice in self.desk.notices)
        self.assertIn(
            "takes 600.0 KB of 1.0 MB: 400.0 KB are left, and no file may have more than 2.0 MB", told
        )
        self.assertIn("/delete N", told)
        self.assertIn("/quota", words(Problem(Code.FILE_QUOTA)))

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
