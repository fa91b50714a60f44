"""Phone numbers out of vCards and pasted text."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.entry.address_book import LARGEST_FILE, Numbers, number, of_file, of_text, of_vcards

# The first is of RFC 6350, section 6.4.1; the others as telephones and programs write them.
CARDS = """\
BEGIN:VCARD\r
VERSION:4.0\r
FN:Somebody with TEL:+15550000000 in the name\r
TEL;VALUE=uri;PREF=1;TYPE="voice,home":tel:+1-555-555-5555;ext=5555\r
TEL;VALUE=uri;TYPE=home:tel:+33-01-23-45-67\r
END:VCARD\r
BEGIN:VCARD
VERSION:3.0
item1.TEL;type=pref;X-NOTE="a:b":+49 (0) 171 123 45
 67
tel;TYPE=CELL:0044 7700 900123
TEL:0171 1234567
TEL;TYPE=CELL:
TEL:+49 30 1234567 x12
NOTE:TEL:+15551111111
END:VCARD
BEGIN:VCARD
VERSION:2.1
TEL;CELL;PREF:+12025550147
TEL;WORK:+1
END:VCARD
"""


class NumberTests(SynchronousTestCase):
    """One number."""

    def test_as_people_write_them(self) -> None:
        """International form, whatever stands in between."""
        for written in (
            "+49 171 1234567",
            "0049-171/1234567",
            "+49 (0)171 123.45.67",
            " +49\u00a0171\u20111234567",
        ):
            self.assertEqual(number(written), "+491711234567", written)

    def test_no_country(self) -> None:
        """What names none cannot be told apart from another country's."""
        for written in ("0171 1234567", "1234567", "+12", "+0171234567", "00", "", "+", "+1234567890123456"):
            self.assertIsNone(number(written), written)

    def test_pasted(self) -> None:
        """Several in a text, with what is around them."""
        pasted = "Bob +49 171 1234567, +44 7700 900123; office: 0030 21 0123 4567 on 2024-11-05\n0171 7654321"
        self.assertEqual(
            of_text(pasted), Numbers(frozenset({"+491711234567", "+447700900123", "+302101234567"}), 1)
        )
        self.assertEqual(of_text("nobody"), Numbers(frozenset(), 0))


class CardTests(SynchronousTestCase):
    """Files."""

    def test_cards(self) -> None:
        """Groups, parameters, quotes, folded lines, URIs, extensions, and old versions."""
        expected = {
            "+15555555555",
            "+3301234567",
            "+491711234567",
            "+447700900123",
            "+49301234567",
            "+12025550147",
        }
        self.assertEqual(of_vcards(CARDS), Numbers(frozenset(expected), 3))

    def test_files(self) -> None:
        """A file of vCards, or of numbers; one that is none, or has no end, is refused."""
        path = Path(self.mktemp())
        path.write_text(CARDS)
        self.assertEqual(len(of_file(path).numbers), 6)
        path.write_bytes(b"+447700900123\n\xff\xfe+447700900124")
        self.assertEqual(len(of_file(path).numbers), 2)
        with self.assertRaises(ValueError):
            of_file(Path("/dev/zero"))
        self.assertGreater(LARGEST_FILE, 10_000 * 200)
        with self.assertRaises(OSError):
            of_file(path.parent)
