"""/sync, /ask and /findable in the terminal client."""

from base64 import b64decode
from functools import partial
from pathlib import Path
from typing import Any

from safeum_home.client.slash.commands import completions
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.protocol import oprf
from safeum_home.protocol.contact_sync import entry
from safeum_home.protocol.types import ContactState
from tests.client_desk import DeskTestCase
from tests.client_double import ADA
from tests.sync_support import need_group, text
from tests.test_protocol_oprf import KEY

CAROL = "@" + "e" * 26 + ":home.test"
CAROLS = "+447700900123"
NOBODY = "+447700900456"


class SyncTests(DeskTestCase):
    """Ada's desk; Carol can be found by her number, on a node that is played here."""

    def setUp(self) -> None:
        need_group()
        super().setUp()
        self.findable = False
        self.page = entry(oprf.evaluate(KEY, CAROLS.encode()), AccountId(CAROL))
        self.wire.answers |= {
            "contacts.directory": lambda params: {"period": 7, "until": 1, "pages": [text(bytes(6))]},
            "contacts.page": lambda params: {"page": text(bytes(6)), "pages": 1, "entries": text(self.page)},
            "contacts.sync": self.evaluate,
            "contact.request": lambda params: {},
            "contact.accept": lambda params: {},
            "account.findable": self.set_findable,
        }

    def evaluate(self, params: dict[str, Any]) -> dict[str, Any]:
        points = [decoded(point) for point in params["points"]]
        return {"points": [text(point) for point in oprf.blind_evaluate(KEY, points)]}

    def set_findable(self, params: dict[str, Any]) -> dict[str, Any]:
        if params["findable"] is not None:
            self.findable = params["findable"]
        return {"findable": self.findable}

    def asked(self) -> list[str]:
        return [method for method in self.wire.methods() if method.startswith("contacts.")]

    def test_permission_is_asked_first(self) -> None:
        """Nothing is sent before; the question says what the node learns."""
        self.enter(f"/sync {CAROLS}, {NOBODY} and 0171 1234567")
        shown = " ".join(self.body(120).split())
        self.assertIn("2 numbers (1 more name no country and are left out).", shown)
        self.assertIn("Your node learns how many numbers you look up and when, but not which", shown)
        self.assertEqual(self.asked(), [])
        self.enter("/sync no")
        self.assertIn("Nothing was looked up.", self.body())
        self.enter("/sync yes")
        self.assertIn("Of whom?", self.body())
        self.assertEqual(self.asked(), [])

    def test_a_file(self) -> None:
        """vCards are read; who is found can be asked, by the number in the list."""
        path = Path(self.mktemp())
        path.write_text(f"BEGIN:VCARD\nTEL:{CAROLS}\nTEL:{NOBODY}\nEND:VCARD\n")
        self.enter(f"/sync {path}")
        self.enter("/sync yes")
        self.assertIn(f"1  {CAROLS}", self.body())
        self.assertNotIn(NOBODY, self.body())
        self.enter("/ask 2")
        self.assertIn("Whom?", self.body())
        self.enter("/ask 1")
        (request,) = self.params("contact.request")
        self.assertEqual(request, {"account": CAROL, "address": f"{CAROLS}@home.test"})
        self.enter("/ask +44 7700 900-123")
        self.assertEqual(self.params("contact.request"), [request, request])
        self.enter(f"/ask {NOBODY}")
        self.assertIn(f"{NOBODY} is not among those that /sync found last.", self.body(80))
        self.assertEqual([each for each, _ in completions(self.desk, "/ask +")], [CAROLS])

    def test_who_is_known_already(self) -> None:
        """Is named in the list, and not asked again."""
        self.meet(ContactState.ACCEPTED, "Carol", account=CAROL)
        self.enter(f"/sync {CAROLS}")
        self.enter("/sync yes")
        self.assertIn(f"1  {CAROLS}  Carol", self.body())
        self.enter("/ask 1")
        self.assertEqual(self.params("contact.request"), [])
        self.meet(ContactState.INCOMING, "Carol", account=CAROL)
        self.enter("/ask 1")
        self.assertEqual(self.params("contact.accept"), [{"account": CAROL}])

    def test_nobody(self) -> None:
        """And /ask does not go by the list before."""
        self.enter(f"/sync {CAROLS}")
        self.enter("/sync yes")
        self.enter(f"/sync {NOBODY}")
        self.enter("/sync yes")
        self.assertIn("None of them can be found here.", self.body())
        self.enter("/ask 1")
        self.assertIn("Whom?", self.body())
        self.assertEqual(self.params("contact.request"), [])

    def test_oneself(self) -> None:
        """Is nobody who can be found."""
        self.page = entry(oprf.evaluate(KEY, CAROLS.encode()), AccountId(ADA))
        self.enter(f"/sync {CAROLS}")
        self.enter("/sync yes")
        self.assertIn("None of them can be found here.", self.body())

    def test_mistakes(self) -> None:
        """Are told in words."""
        for line, words in (
            ("/sync", "Of whom?"),
            ("/sync nobody", "no number in it"),
            ("/sync 0171/1234567", "1 more name no country"),
            ("/sync /no/such/file", "There is no file /no/such/file."),
            ("/sync +447700900123.vcf", "There is no file +447700900123.vcf."),
            ("/sync cards/+447700900123.Eve", "There is no file cards/+447700900123.Eve."),
            ("/sync +447700900123 c/o Eve", "1 number."),
            ("/sync ~/+447700900123", "There is no file ~/+447700900123."),
            ("/sync /dev", "There is no file /dev."),
            ("/add +44 7700 900123", "Numbers are found with /sync."),
            ("/ask 999999999999", "Whom?"),
            ("/findable perhaps", "/findable on"),
            ("/ask", "Whom?"),
        ):
            self.enter(line)
            self.assertIn(words, " ".join(self.body().split()))
        self.assertEqual(self.asked() + self.params("contact.find"), [])

    def test_too_many_for_a_day(self) -> None:
        """What was asked for is kept, so that /sync yes goes on."""
        self.wire.answers["contacts.sync"] = lambda params: Problem(Code.RATE_LIMITED, retry_after=7200)
        self.enter(f"/sync {CAROLS}")
        self.enter("/sync yes")
        self.assertIn("in about 2 hours.", " ".join(self.body().split()))
        self.wire.answers["contacts.sync"] = self.evaluate
        self.enter("/sync yes")
        self.assertIn(f"1  {CAROLS}", self.body())

    def test_a_node_that_does_not_keep_to_the_protocol(self) -> None:
        """Its answers are refused: points that are none, too few of them, half an entry."""
        good = text(oprf.blind_evaluate(KEY, [oprf.hash_to_group(b"1")])[0])
        wrong: list[list[str]] = [[text(bytes(32))], [text(b"\xff" * 32)], [good, good]]
        for points in wrong:
            self.wire.answers["contacts.sync"] = partial(answered, points)
            self.enter(f"/sync {CAROLS}")
            self.enter("/sync yes")
            self.assertNotIn(f"1  {CAROLS}", self.body())
        self.wire.answers["contacts.sync"] = self.evaluate
        self.page = self.page[:-1]
        self.enter(f"/sync {CAROLS}")
        self.enter("/sync yes")
        self.assertNotIn(f"1  {CAROLS}", self.body())

    def test_being_found_without_a_number(self) -> None:
        """Cannot be: that is said here, and the node is not asked. What is off can be put off."""
        for line in ("/findable", "/findable on"):
            self.enter(line)
            self.assertIn("You have no number here", self.body())
        self.assertEqual(self.params("account.findable"), [])
        self.enter("/findable off")
        self.assertIn("Nobody can find you by your phone number.", self.body())
        self.assertNotIn("/findable on", self.body().rpartition("Nobody")[2])

    def test_being_found(self) -> None:
        """/findable says how it stands, and changes it."""
        self.desk.state.address = "+447700900999@home.test"
        self.enter("/findable")
        self.assertIn("Nobody can find you", self.body())
        self.enter("/findable on")
        self.assertIn("can find you. /findable off", " ".join(self.body().split()))
        self.enter("/findable OFF")
        self.assertEqual(
            self.params("account.findable"), [{"findable": None}, {"findable": True}, {"findable": False}]
        )
        self.assertEqual([each for each, _ in completions(self.desk, "/findable o")], ["on", "off"])


def decoded(point: str) -> bytes:
    """What `text` makes a text of."""
    return b64decode(point)


def answered(points: list[str], params: dict[str, Any]) -> dict[str, Any]:
    """The same points, whatever was asked."""
    return {"points": points}
