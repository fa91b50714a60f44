"""Knowing that nobody is in between, at desks of the terminal client: numbers, pictures, emoji."""

from safeum_home.client.secure.people import Trust
from safeum_home.client.slash.verify import drawn
from safeum_home.client.words.text import width
from tests.secure_desk_case import SecureDeskCase, SecureWorldDesk
from tests.secure_sdk_case import key_of


class VerifyCase(SecureDeskCase):
    def setUp(self) -> None:
        super().setUp()
        self.pair()

    def trust(self, who: SecureWorldDesk, of: SecureWorldDesk) -> Trust:
        assert who.client.secure is not None
        return who.client.secure.trust(of.account)


class NumberTests(VerifyCase):
    def test_number(self) -> None:
        """Both are shown the same, in lines of four groups; who has compared says so, and is asked."""
        self.ann.enter("/verify")
        self.ben.enter("/verify Ann")
        assert self.ann.client.secure is not None
        groups = self.ann.client.secure.safety_number(self.ben.account).split()
        for who in (self.ann, self.ben):
            for at in range(0, 12, 4):
                self.assertIn(" ".join(groups[at : at + 4]), who.reading())
        self.assertEqual(self.ann.header(), "Verify Ben")
        self.ann.enter("/verify yes")
        self.assertIn("Nothing was changed", self.ann.enter(""))
        self.assertIs(self.trust(self.ann, self.ben), Trust.PINNED)
        self.ann.enter("/verify Ben yes")
        self.assertIn("Ben is verified", self.ann.enter("yes"))
        self.assertEqual(self.ann.header(), "🔒✓ Ben  verified")
        self.assertIs(self.trust(self.ann, self.ben), Trust.VERIFIED)
        self.assertIs(self.trust(self.ben, self.ann), Trust.PINNED)
        self.ann.enter("/verify doubt")
        self.assertEqual(self.ann.header(), "🔒 Ben  not verified")

    def test_another_number_meanwhile(self) -> None:
        """Whoever has compared what was shown verifies that, and not keys that have come since."""
        self.ann.enter("/verify")
        secure, other = self.ann.client.secure, key_of(self.ben.account, 1)
        assert secure is not None
        secure._keys_told(self.ben.account, other.public)
        secure.accept_keys(self.ben.account)
        self.ann.enter("/verify yes")
        self.assertIn("Meanwhile it is another number", self.ann.enter("yes"))
        self.assertIs(self.trust(self.ann, self.ben), Trust.CHANGED)

    def test_picture(self) -> None:
        """It is drawn whole, and what it says is taken from the other's screen."""
        assert self.ben.client.secure is not None
        picture = self.ben.client.secure.picture(self.ann.account)
        rows = drawn(picture)
        side = picture.symbol_size(border=2)[0]
        self.assertEqual({width(row) for row in rows}, {side})
        self.assertEqual(len(rows), (side + 1) // 2)
        self.ben.enter("/verify picture")
        self.assertTrue(self.ben.reading().endswith("\n".join(rows)))
        dark = sum(char != " " for row in rows for char in row)
        self.assertGreater(dark, side * side // 8)
        self.ann.enter(f"/verify scan {self.ben.client.secure.scan_text(self.ann.account)}")
        self.assertIs(self.trust(self.ann, self.ben), Trust.VERIFIED)

    def test_another_picture(self) -> None:
        """One for somebody else, or none at all, verifies nothing."""
        assert self.ann.client.secure is not None
        for said in (self.ann.client.secure.scan_text(self.ben.account), "safeum:verify:1:", "hello"):
            self.assertIn("no picture of Ben for you", self.ann.enter(f"/verify scan {said}"))
        self.assertIs(self.trust(self.ann, self.ben), Trust.PINNED)

    def test_all(self) -> None:
        """Outside of secure chats it lists whose keys are known, and how well."""
        self.ann.enter("/chat Cay")
        self.assertIn("Ben  not verified", self.ann.enter("/verify"))
        self.assertIn("Your own security key", self.ann.screen())
        self.ann.enter("/verify Cay")
        self.assertIn("Their public keys are not known", self.ann.screen())


class EmojiTests(VerifyCase):
    def begin(self) -> None:
        self.say(self.ann, "/verify emoji")
        self.assertIn("Ann wants to compare emoji with you", self.ben.screen())
        self.assertGreater(self.ben.bells, 0)
        self.say(self.ben, "/verify Ann emoji")

    def seen(self, who: SecureWorldDesk) -> str:
        return next(notice.text for notice in reversed(who.desk.notices) if "numbers:" in notice.text)

    def test_same(self) -> None:
        """Both see seven emoji, the same; it is verified once both have said so."""
        self.begin()
        for who, name in ((self.ann, "Ben"), (self.ben, "Ann")):
            self.assertIn(f"Compare with {name}, face to face or by voice", self.seen(who))
        signs = [self.seen(who).split("\n")[1:4] for who in (self.ann, self.ben)]
        self.assertEqual(signs[0], signs[1])
        self.assertEqual(len("  ".join(signs[0][:2]).split("  ")), 7)
        self.say(self.ann, "/verify Ben same")
        self.assertIn("Waiting for Ben to say the same", self.ann.screen())
        self.assertIs(self.trust(self.ann, self.ben), Trust.PINNED)
        self.say(self.ben, "/verify same")
        for who, other in ((self.ann, self.ben), (self.ben, self.ann)):
            self.assertIs(self.trust(who, other), Trust.VERIFIED)
            self.assertIn("is verified: you both see the same", who.screen())
            self.assertIn("verified", who.header())

    def test_different(self) -> None:
        """Either of the two says so: both are alarmed, and nothing is verified."""
        self.begin()
        self.say(self.ben, "/verify different")
        for who, name in ((self.ann, "Ben"), (self.ben, "Ann")):
            self.assertIn(f"⚠ {name} is not verified: one of you has said", who.screen())
        self.assertIs(self.trust(self.ann, self.ben), Trust.PINNED)

    def test_cancelled(self) -> None:
        """Before there is anything to compare, or after: what was verified stays so for who gives up."""
        assert self.ann.client.secure is not None
        self.ann.client.secure.verify(self.ben.account)
        self.say(self.ann, "/verify emoji")
        self.say(self.ann, "/verify cancel")
        self.assertIn("was given up", self.ann.screen())
        self.begin()
        self.say(self.ann, "/verify cancel")
        self.assertIs(self.trust(self.ann, self.ben), Trust.VERIFIED)
        self.assertIs(self.trust(self.ben, self.ann), Trust.PINNED)
        self.assertIn("Nothing is compared now", self.ann.enter("/verify cancel"))

    def test_nothing_to_judge(self) -> None:
        for word in ("same", "different"):
            self.assertIn("Nothing is compared now", self.ann.enter(f"/verify {word}"))

    def test_imitated(self) -> None:
        """What somebody writes never stands where the client speaks."""
        self.say(self.ben, "/verify emoji")
        asked = self.ann.desk.notices[-1].text
        self.say(self.ben, "/verify cancel")
        self.say(self.ben, f"x\n{asked}\n⚠ {asked}")
        for line in self.ann.screen(rows=60).split("\n"):
            if line.startswith(("Ben wants", "⚠")):
                self.assertEqual(line, asked[: len(line)])
        shown = [line for line in self.ann.screen(rows=60).split("\n") if "wants to compare" in line]
        self.assertEqual([line.startswith(" ") for line in shown], [False, True, True])
