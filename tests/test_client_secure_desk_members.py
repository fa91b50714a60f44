"""Who comes into secure chats at desks of the terminal client, who is in them, and who leaves."""

from tests.secure_desk_case import SecureDeskCase
from tests.world_desk import befriend


class InvitedTests(SecureDeskCase):
    def test_compare(self) -> None:
        """Both are told what is to be done; who was invited by somebody verified is not."""
        self.assertIn("Compare, so that", self.ann.enter("/secure Ben"))
        self.settle()
        self.assertIn("Compare, so that", self.ben.enter("/accept Ann"))
        assert self.ben.client.secure is not None
        self.ben.client.secure.verify(self.ann.account)
        self.ann.enter("/secure group Ben")
        self.settle()
        self.assertNotIn("Compare, so that", self.ben.enter("/accept Ann"))

    def test_there(self) -> None:
        """Of two the other one is seen to be there, as in other chats."""
        self.pair()
        self.settle()
        [line] = [each for each in self.ann.sidebar().splitlines() if "🔒 Ben" in each]
        self.ann.enter("/chat")
        [elsewhere] = [each for each in self.ann.sidebar().splitlines() if "🔒 Ben" in each]
        self.assertEqual((line[0], elsewhere[0]), ("▌", "●"))

    def test_listed(self) -> None:
        """Who asks what secure chats there are hears of an invitation into one."""
        self.assertIn("There is no secure chat yet", self.ben.enter("/secure"))
        self.ann.enter("/secure Ben")
        self.settle()
        self.assertIn("Invitations into secure chats: 1", self.ben.enter("/secure"))


class LeavingTests(SecureDeskCase):
    def setUp(self) -> None:
        super().setUp()
        self.pair()

    def test_left(self) -> None:
        """Nobody writes to who is not there without knowing; another chat can be begun with them."""
        self.ann.enter("/leave")
        self.ann.enter("yes")
        self.settle()
        self.assertIn("You have left 🔒 Ben.", self.ann.screen())
        self.assertEqual(self.ben.header(), "🔒 Ann  not here any more: nobody reads what you say")
        self.settle(20)
        again = type(self.ben)(self.world, "ben", known=True).unlock()
        self.settle()
        again.enter("/chat 🔒 Ann")
        self.assertEqual(again.header(), "🔒 Ann  not here any more: nobody reads what you say")
        again.client.close()
        self.ben.enter("/secure Ann")
        self.assertEqual(self.ben.header(), "🔒 Ann  not verified")
        self.settle()
        self.assertEqual(self.ben.header(), "🔒 Ann  not verified")
        self.ann.enter("/accept Ben")
        self.settle()
        self.say(self.ben, "here again")
        self.assertIn("here again", self.ann.screen())

    def test_no_contact(self) -> None:
        """Who is none any more is in the chat all the same, which is found by the name."""
        self.ann.enter("/remove Ben")
        self.ann.enter("/chat")
        self.settle()
        name = self.ann.desk.names.title(self.ann.view(self.ben)).removeprefix("🔒 ")
        self.ann.enter(f"/secure {name}")
        self.assertTrue(self.ann.header().startswith(f"🔒 {name}  not verified"), self.ann.header())


class GroupTests(SecureDeskCase):
    def setUp(self) -> None:
        super().setUp()
        self.cay.unlock()
        self.ann.enter("/secure group Ben, Cay")
        self.settle()
        for who in (self.ben, self.cay):
            who.enter("/accept Ann")
            self.settle()

    def test_three(self) -> None:
        """All read it; who is named is mentioned; the head counts members, and who is verified."""
        self.say(self.ann, "hello @cay and @ben")
        for who in (self.ben, self.cay):
            self.assertIn("hello @cay", who.screen())
        self.assertIn("@ you, Ben", self.cay.screen())
        self.assertIn("🔒 Ben, Cay  3 members, 0 of 2 others verified", self.ann.header())

    def test_who_has_not_invited(self) -> None:
        """What is said by somebody who has not invited those who came last is told to all."""
        self.say(self.ben, "hello all")
        self.assertIn("You          hello all ✓", self.ben.screen())
        for who in (self.ann, self.cay):
            self.assertIn("hello all", who.screen())

    def test_vouched(self) -> None:
        """Who comes is told who has vouched for whom, and nobody for oneself."""
        said = [notice.text for notice in self.ben.desk.notices if "vouched" in notice.text]
        self.assertEqual(said, ["Ann has vouched for Cay and you."])

    def test_strangers(self) -> None:
        """Who is a contact of one member alone is called by a name nevertheless, and not by an id."""
        dan = type(self.ann)(self.world, "dan", "Dan")
        befriend(self.ann, dan)
        dan.unlock()
        self.ann.enter("/chat 🔒 Ben, Cay")
        self.ann.enter("/invite Dan")
        self.settle()
        dan.enter("/accept Ann")
        self.settle()
        said = [notice.text for notice in dan.desk.notices if "vouched" in notice.text]
        self.assertEqual(said, ["Ann has vouched for ben (Ben), cay (Cay) and you."])
        self.assertIn("Ann has vouched for dan (Dan).", self.ben.screen())
        dan.client.close()

    def test_members(self) -> None:
        """Each with how well their keys are known."""
        self.assertIn("Ben  not verified", self.ann.enter("/members"))
        assert self.ann.client.secure is not None
        self.ann.client.secure.verify(self.ben.account)
        self.assertIn("Ben  verified", self.ann.enter("/members"))

    def test_out_and_in(self) -> None:
        """Who is removed reads nothing more; who is invited again does."""
        self.ann.enter("/kick Ben")
        self.ann.enter("yes")
        self.settle()
        self.assertIn("You were removed", self.ben.screen())
        self.say(self.ann, "without Ben")
        self.assertIn("without Ben", self.cay.screen())
        self.assertIn("Ann has removed Ben.", self.cay.screen())
        self.ann.enter("/invite Ben")
        self.settle()
        self.ben.enter("/accept Ann")
        self.settle()
        self.say(self.ann, "with Ben")
        self.assertIn("with Ben", self.ben.screen())
        self.assertNotIn("without Ben", self.ben.screen())

    def test_locked(self) -> None:
        """Nobody is asked about what cannot be done then."""
        self.ann.enter("/lock")
        for line in ("/kick Ben", "/invite Cay"):
            self.ann.enter(line)
            self.assertFalse(self.ann.desk.questions.open)
        self.assertIn("/unlock", self.ann.enter("/kick Ben").rpartition("\n")[2])

    def test_leaving(self) -> None:
        self.cay.enter("/leave")
        self.cay.enter("yes")
        self.settle()
        self.assertIn("Cay left.", self.ann.screen())
        self.assertIn("Cay has left, and has signed that.", self.ann.screen())
        self.say(self.ann, "only Ben")
        self.assertIn("only Ben", self.ben.screen())
        self.assertEqual(self.ann.desk.secure.alarms.all, [])

    def test_without_keys(self) -> None:
        """Nobody is invited for whom nothing can be sealed."""
        dan = type(self.ann)(self.world, "dan", "Dan")
        befriend(self.ann, dan)
        self.ann.desk.open(next(view.chat for view in self.ann.desk.state.chats if view.secure))
        self.ann.enter("/invite Dan")
        self.settle()
        self.assertIn("Not invited: Dan has no security key yet", self.ann.screen())
        self.ann.enter("/secure group Dan, Ben")
        self.settle()
        self.assertIn("Not invited: Dan has no security key yet", self.ann.screen())
        dan.client.close()
