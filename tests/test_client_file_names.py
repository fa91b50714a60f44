"""How files are called and shown at a client: names from others do no harm, and bars fit their room."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.desk.progress import Transfers
from safeum_home.client.files.file_names import LONGEST, free, sendable, storable, type_of
from safeum_home.client.words.file_text import file_text, size_text
from safeum_home.client.words.text import width
from safeum_home.protocol.files import File
from tests.client_file_case import FILE

NASTY = (
    *("", ".", "..", "...", "../../etc/passwd", "a/b", "a\\b", "C:\\x", "\x00", "a\nb", "a\x1b[2Jb"),
    *("\u202egpj.exe", "~", "-rf", ".bashrc", "con", "NUL.txt", " a ", "\u2003", "a\u2028b"),
    *("a" * 500 + ".jpeg", "ö" * 300, "x." + "y" * 300),
)


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
