"""How well others are known stands beside secure chats wherever they are named; no name looks like that."""

from msgspec import structs

from safeum_home.client.screen import render
from safeum_home.client.screen.blocks import text_of
from safeum_home.client.slash.commands import completions
from safeum_home.client.words.names import label
from safeum_home.client.words.secure_words import COMPARE
from safeum_home.client.words.text import width
from tests.secure_desk_case import OTHER, SecureDeskCase, SecureWorldDesk


class StandingTests(SecureDeskCase):
    def setUp(self) -> None:
        super().setUp()
        self.pair()

    def verify(self) -> None:
        assert self.ann.client.secure is not None
        self.ann.client.secure.verify(self.ben.account)

    def change(self) -> None:
        """Ben has another security key, of which nobody vouches."""
        self.say(self.ben, "/lock")
        for line in ("/unlock new", "yes", OTHER, OTHER):
            self.ben.enter(line)
        self.settle(5)

    def places(self) -> list[str]:
        """All places where the chat is named."""
        self.say(self.ann, "a red house")
        places = [self.ann.header(), self.ann.sidebar(), self.ann.enter("/secure")]
        self.ann.enter("/chat")
        places.append(self.ann.enter("/search red house"))
        self.say(self.ben, "psst")
        places.append(self.ann.info())
        places += [text for text, _ in completions(self.ann.desk, "/chat 🔒 B")]
        return places

    def test_not_verified(self) -> None:
        self.assertEqual([each for each in self.places() if "🔒 Ben" not in each], [])

    def test_verified(self) -> None:
        self.verify()
        self.assertEqual([each for each in self.places() if "🔒✓ Ben" not in each], [])
        self.ann.enter("/chat 🔒 Ben")
        self.assertEqual(self.ann.header(), "🔒✓ Ben  verified")

    def test_changed(self) -> None:
        """Until it is accepted, and until it is verified after that."""
        self.verify()
        self.change()
        self.assertIn("🔒⚠ Ben", self.ann.sidebar())
        self.ann.enter("/verify Ben accept")
        self.ann.enter("yes")
        self.assertEqual(self.ann.header(), "🔒⚠ Ben  other keys than before, not verified")
        self.verify()
        self.assertEqual(self.ann.header(), "🔒✓ Ben  verified")

    def test_others_are_offered(self) -> None:
        """Who was verified is so with those keys alone: not where somebody shows others in that name."""
        self.cay.unlock()
        self.ann.enter("/secure group Ben, Cay")
        self.settle()
        for invited in (self.ben, self.cay):
            invited.enter("/accept")
            self.settle()
        self.verify()
        self.assertIn("1 of 2 others verified", self.ann.header())
        self.change()
        self.assertIn("0 of 2 others verified", self.ann.header())
        self.assertIn("🔒⚠", self.ann.header())
        self.ben.enter("/secure group Ann")
        self.settle()
        self.assertIn(COMPARE, self.ann.enter("/accept"))

    def test_locked(self) -> None:
        """Nothing is known then, and nothing is claimed."""
        self.verify()
        self.ann.enter("/lock")
        self.assertEqual(self.ann.header(), "🔒 Ben  locked: /unlock")
        for line in ("/profile Ben", "/contacts"):
            self.assertNotIn("verified", self.ann.enter(line))

    def test_people(self) -> None:
        """Beside somebody wherever that one is looked up, or invites."""
        self.assertIn("Security key: not verified", self.ann.enter("/profile Ben"))
        self.verify()
        self.assertIn("Security key: verified", self.ann.enter("/profile Ben"))
        self.assertIn("Ben  ben@home.example  verified", self.ann.enter("/contacts"))
        self.assertTrue(self.ann.enter("/profile Cay").endswith("Cay <cay@home.example>"))
        self.ben.enter("/secure group Ann")
        self.settle()
        self.assertIn("invited by Ben (verified)", self.ann.enter("/invitations"))

    def test_group(self) -> None:
        """All have to be verified, and one who has other keys is enough for the sign of that."""
        self.cay.unlock()
        self.ann.enter("/secure group Ben, Cay")
        for who in (self.ben, self.cay):
            self.settle()
            who.enter("/accept Ann")
        self.settle()
        self.verify()
        self.assertTrue(self.ann.header().startswith("🔒 Ben, Cay  3 members, 1 of 2 "), self.ann.header())
        assert self.ann.client.secure is not None
        self.ann.client.secure.verify(self.cay.account)
        self.assertTrue(self.ann.header().startswith("🔒✓ Ben, Cay  3 members, 2 of 2 "), self.ann.header())
        self.change()
        self.assertTrue(self.ann.header().startswith("🔒⚠ Ben, Cay"), self.ann.header())

    def test_whom_the_node_names(self) -> None:
        """Of two it is the one for whom it is sealed."""
        view = self.ann.view(self.ben)
        roster = self.ann.desk.state.groups.rosters[view.chat]
        roster[self.cay.account] = roster.pop(self.ben.account)
        self.ann.desk.names.forget()
        self.assertTrue(self.ann.header().startswith("🔒 Ben  "), self.ann.header())

    def test_which_of_two(self) -> None:
        """Whoever has a chat in clear with the same person sees in which of the two the line is."""
        self.assertEqual(self.ann.desk.prompt, "🔒> ")
        self.ann.enter("/chat Ben")
        self.assertEqual(self.ann.desk.prompt, "> ")
        self.assertTrue(self.ann.header().endswith("· not sealed: /secure"), self.ann.header())
        self.ann.enter("/chat Cay")
        self.assertNotIn("not sealed", self.ann.header())
        self.ann.enter("/chat 🔒 Ben")
        self.ann.enter("/leave")
        self.assertEqual(self.ann.desk.prompt, "Leave 🔒 Ben? Type yes: ")
        self.ann.enter("no")
        self.ann.enter("/lock")
        self.assertEqual(self.ann.desk.prompt, "> ", "nothing is sealed then, nor sent")


class NarrowTests(SecureDeskCase):
    """Windows of all sizes, and names of people who want to be taken for verified."""

    def drawn(self, who: SecureWorldDesk, columns: int) -> list[str]:
        lines = [render.header(who.desk, columns), render.info(who.desk, columns, 10)]
        return [text_of([line]) for line in lines]

    def test_long_name(self) -> None:
        """However long it is, how well it is known is to be seen; nothing is wider than the window."""
        self.pair()
        self.ben.enter("/name " + "verified " * 7)
        self.settle()
        for columns in (200, 80, 40, 25):
            header, _ = self.drawn(self.ann, columns)
            self.assertEqual(width(header), columns)
            self.assertTrue(header.rstrip().endswith("  not verified"), header)
        for columns in (1, 5, 12):
            self.assertEqual([width(line) for line in self.drawn(self.ann, columns)], [columns] * 2)
            self.ann.screen(columns)

    def test_another_name(self) -> None:
        """Nobody becomes somebody else unseen, in a secure chat neither."""
        self.pair()
        self.ben.enter("/name Cay")
        self.settle()
        self.assertIn("ben is now called Cay (before: Ben).", self.ann.screen())

    def test_alarm_of_a_long_name(self) -> None:
        """What has to be seen stands in the line above the input."""
        self.pair()
        self.ben.enter("/name " + "B" * 64)
        self.settle()
        self.ann.enter("/chat Cay")
        self.ann.desk.secure.alarms.sound(self.ann.view(self.ben).chat, "Something is missing.")
        self.assertIn("…: Something is missing.", self.drawn(self.ann, 80)[1])

    def test_what_looks_like_a_sign(self) -> None:
        """It is taken out of names, with what is blank and yet a letter."""
        for sign in "✓✔☑✅√🗸⍻ꪜ𐄂🮱⚠🔒🔏🔐🔑":
            self.assertNotIn(sign, label(f"{sign} Ben"), f"U+{ord(sign):04X}")
        for filler in "\u2800\u180b\u180f\u3164\U00016fe4\U0001d159":
            self.assertEqual(label(f"Ben{filler}{filler}verified"), "Ben��verified", f"U+{ord(filler):04X}")
        for blank in ("\u200c", "\u3000", "\u00a0", " \u200c "):
            self.assertEqual(label(blank), "")
        for override in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200e\u200f\u061c":
            self.assertEqual(label(f"{override}Ben"), "�Ben")

    def test_sign_of_a_name(self) -> None:
        """A chat that is not secure bears no lock, whatever it is called."""
        self.ben.enter("/name 🔒✓ Ben")
        self.ben.enter("/group 🔒✓ Ben")
        self.ben.enter("/invite Ann")
        self.settle()
        self.ann.enter("/accept")
        self.settle()
        for sign in "🔒✓":
            self.assertNotIn(sign, self.ann.sidebar())
        self.assertIn("▣ �� Ben", self.ann.sidebar())

    def test_sign_of_a_login(self) -> None:
        """Nor is there one in what a node says that somebody's login is."""
        contact = self.ann.desk.state.contacts[self.cay.account]
        view = self.ann.desk.state.chat(contact.chat)
        assert view is not None
        false = structs.replace(contact, address="🔒✓ Ben", display_name="")
        self.ann.desk.state.contacts[self.cay.account] = false
        view.address, view.display_name = false.address, ""
        self.ann.desk.names.forget()
        self.ann.enter("/chat Ben")
        shown = (self.ann.desk.names.title(view), self.ann.sidebar(), render.header(self.ann.desk, 80, None))
        self.assertNotIn("✓", f"{shown}")

    def test_a_group_is_nobody(self) -> None:
        """Where the node names somebody as the other side of a group that one is not called by it."""
        self.pair()
        view = self.ann.view(self.ben)
        self.ann.enter("/remove Ben")
        self.ann.enter("yes")
        for account in (self.ben.account, self.cay.account):
            view.peer = account
            self.ann.desk.names.forget()
            self.assertNotIn("🔒", self.ann.desk.names.name(account))
            self.assertIn("🔒", self.ann.desk.names.title(view))
