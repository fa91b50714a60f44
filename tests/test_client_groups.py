"""Groups at the terminal: three desks at one node, and nobody passes for somebody else."""

from msgspec import structs
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.slash import groups as slash_groups
from safeum_home.client.words.group_words import notice_text
from safeum_home.client.words.names import GROUP_MARK, SYSTEM_MARK
from safeum_home.errors import Code
from safeum_home.protocol.types import Notice
from safeum_home.storage import contacts, roster
from tests.world import World
from tests.world_desk import WorldDesk, befriend


class GroupDeskCase(SynchronousTestCase):
    """Ann knows Ben and Cay, who do not know each other."""

    def setUp(self) -> None:
        self.world = World()
        self.ann = WorldDesk(self.world, "ann", "Ann")
        self.ben = WorldDesk(self.world, "ben", "Ben")
        self.cay = WorldDesk(self.world, "cay", "Ann")
        for one in (self.ben, self.cay):
            befriend(self.ann, one)

    def group(self) -> None:
        """Everybody is in it, and has it open."""
        self.ann.enter("/group Walks")
        for one in (self.ben, self.cay):
            self.ann.enter(f"/invite {one.desk.state.address}")
            one.enter("/accept walks")
            one.enter("/chat walks")


class StoryTests(GroupDeskCase):
    def test_making_one(self) -> None:
        """It is open at once, and says who made it and whose it is."""
        screen = self.ann.enter("/group Walks")
        self.assertIn("You made this group.", screen)
        self.assertEqual(self.ann.header(), f"{GROUP_MARK} Walks  1 member, you are the owner")
        self.assertIn(f"{GROUP_MARK} Walks", self.ann.sidebar())

    def test_invitation(self) -> None:
        """Who is invited is told by whom and into what, and answers by the group's name."""
        self.ann.enter("/group Walks")
        self.assertIn("Ben (ben) is invited", self.ann.enter("/invite ben"))
        self.assertIn("Ann invites you into Walks (1 member): /accept Walks", self.ben.screen())
        self.assertIn("1  Walks, with 1 member, invited by Ann", self.ben.enter("/invitations"))
        self.assertIn("You have joined Walks", self.ben.enter("/accept 1"))
        self.assertIn("No invitation waits", self.ben.enter("/invitations"))
        screen = self.ben.enter("/chat walks")
        self.assertIn("You joined, invited by Ann.", screen)
        self.assertEqual(self.ben.header(), f"{GROUP_MARK} Walks  2 members")
        self.assertIn("Ben joined, invited by you.", self.ann.screen())

    def test_an_invitation_into_what_is_renamed(self) -> None:
        """It goes by the new name, is told of once, and stands where it stood in the list."""
        self.ann.enter("/group Walks")
        self.ann.enter("/invite ben")
        self.ann.enter("/group Films")
        self.ann.enter("/invite ben")
        self.ann.enter("/chat walks")
        self.ann.enter("/rename Hikes")
        self.assertIn("Walks, into which you are invited, is called Hikes now.", self.ben.screen())
        self.ann.enter("/describe Far and wide")
        self.assertEqual(self.ben.screen().count("invites you into"), 2)
        screen = self.ben.enter("/invitations")
        self.assertIn("1  Hikes, with 1 member, invited by Ann", screen)
        self.assertIn("2  Films, with 1 member", screen)
        self.assertIn("You have joined Hikes", self.ben.enter("/accept hikes"))

    def test_why_somebody_is_not_invited(self) -> None:
        """What the node knows better than the contacts and the roster that are shown here."""
        self.ann.enter("/group Walks")
        why = {
            "too many invitations wait for an answer, of Ben or of this group.": (
                roster,
                "count_own",
                10_000,
            ),
            "Ben does not have you as a contact.": (contacts, "contact", None),
        }
        for words, (module, asked, answer) in why.items():
            patched = self.patch(module, asked, lambda *_, answer=answer: answer)
            self.assertIn(f"Not invited: {words}", self.ann.enter("/invite ben"))
            patched.restore()
        self.assertNotIn("ben", self.ann.enter("/members").split("owner")[-1])
        self.ann.enter("/invite ben")
        self.ben.enter("/accept walks")
        self.patch(slash_groups, "present", lambda *_: [])
        self.assertIn("Not invited: Ben is here already.", self.ann.enter("/invite ben"))
        self.assertLessEqual(slash_groups._WHY.keys(), {code.code for code in Code})

    def test_declining(self) -> None:
        """It is gone here, and at the others' it is no member."""
        self.ann.enter("/group Walks")
        self.ann.enter("/invite ben")
        self.assertIn("Declined to join Walks.", self.ben.enter("/decline"))
        self.assertIn("No invitation waits", self.ben.enter("/invitations"))
        self.assertNotIn("invited", self.ann.enter("/members").split("owner")[-1])

    def test_a_contact_comes_first(self) -> None:
        """Somebody who asks to be a contact is not mistaken for a group of that name."""
        dan = WorldDesk(self.world, "dan")
        self.ann.enter("/group Dan")
        self.ann.enter("/invite ben")
        dan.enter("/add ben")
        self.assertIn(f"Which one? {dan.desk.state.address}, {GROUP_MARK} Dan", self.ben.enter("/accept dan"))
        self.ben.enter(f"/accept {dan.desk.state.address}")
        self.assertIn("Dan, with 1 member", self.ben.enter("/invitations"))
        self.assertIn("You have joined Dan", self.ben.enter(f"/accept {GROUP_MARK} Dan"))

    def test_accepting_what_has_another_name_by_now(self) -> None:
        """The words name the list in which it is."""
        self.ann.enter("/group Sunday Walks")
        self.ann.enter("/invite ben")
        self.ann.enter("/rename Monday Walks")
        screen = self.ben.enter("/accept Sunday Walks")
        self.assertIn("/invitations", screen.split("\n")[-1])
        self.assertIn("Monday Walks", self.ben.enter("/invitations"))

    def test_who_asks_under_the_beginning_of_a_groups_name(self) -> None:
        """All of a group's name is the group's, whatever those who ask call themselves."""
        dan = WorldDesk(self.world, "dan", "Big Ships captain Dan")
        self.ann.enter("/group Big Ships")
        self.ann.enter("/invite ben")
        dan.enter("/add ben")
        self.assertIn("You have joined Big Ships", self.ben.enter("/accept big ships"))
        self.assertIn("asks to be", self.ben.enter("/contacts"))

    def test_writing(self) -> None:
        """Each message says of whom it is; a stranger who calls itself like a contact is seen as one."""
        self.group()
        self.cay.enter("hello from cay")
        line = next(line for line in self.ben.screen().split("\n") if "hello from cay" in line)
        self.assertIn("cay (Ann)", line)
        self.ann.enter("hello from ann")
        line = next(line for line in self.ben.screen().split("\n") if "hello from ann" in line)
        self.assertIn("Ann ", line)
        self.assertNotIn("ann (", line)
        self.ben.enter("/chat")
        self.cay.enter("more")
        self.assertEqual(self.ben.info(), f"{GROUP_MARK} Walks, cay (Ann): more")
        self.assertRegex(self.ben.sidebar(), r"Walks +1")

    def test_members_and_roles(self) -> None:
        """The list begins with the owner; roles are given by name or number."""
        self.group()
        screen = self.ann.enter("/members")
        self.assertIn("1  You  ann  owner", screen)
        self.assertIn("Ben  ben", screen)
        self.assertIn("You made Ben an admin.", self.ann.enter("/role ben admin"))
        self.assertIn("you are an admin", self.ben.header())
        self.assertIn("does not allow", self.ben.enter("/role cay admin"))
        self.ann.enter("/role ben owner")
        self.assertIn("you are the owner", self.ann.header())
        self.assertIn("You made Ben the owner.", self.ann.enter("yes"))
        self.assertIn("you are an admin", self.ann.header())
        self.assertIn("/role NAME admin", self.ann.enter("/role ben king"))

    def test_an_invitation_that_is_accepted_while_the_question_is_open(self) -> None:
        """Yes to taking it back removes no member: that is another question."""
        self.ann.enter("/group Walks")
        self.ann.enter("/invite ben")
        self.ann.enter("/kick ben")
        self.assertIn("Take back the invitation of Ben?", self.ann.desk.questions.prompt)
        self.ben.enter("/accept walks")
        self.assertIn("Ben has joined since you were asked.", self.ann.enter("yes"))
        self.assertIn(GROUP_MARK, self.ben.sidebar())
        self.assertIn("Remove Ben?", self.ann.desk.questions.prompt)
        self.assertIn("Nothing was changed.", self.ann.enter("no"))
        self.ann.enter("/kick ben")
        self.ben.enter("/chat walks")
        self.ben.enter("/leave")
        self.ben.enter("yes")
        self.assertIn("was not removed by you", self.ann.enter("yes"))
        self.ann.enter("/invite ben")
        self.assertIn("You have joined Walks", self.ben.enter("/accept walks"))
        self.ann.enter("/kick ben")
        self.ann.enter("yes")
        self.assertNotIn(GROUP_MARK, self.ben.sidebar())

    def test_no_question_about_what_is_not_allowed(self) -> None:
        """It is refused at once, and no line that follows is eaten."""
        self.group()
        for line in ("/kick cay", "/kick ann", "/kick", "/role cay owner", "/role cay admin"):
            self.assertIn("does not allow", self.ben.enter(line).split("\n")[-1], line)
            self.assertFalse(self.ben.desk.questions.open, line)
            self.ben.enter("and on")
        self.ann.enter("/role ben admin")
        self.assertIn("does not allow", self.ben.enter("/kick ann").split("\n")[-1])
        self.ben.enter("/kick cay")
        self.assertTrue(self.ben.desk.questions.open)

    def test_going(self) -> None:
        """Who is removed, or leaves, has the chat no more; the others see it."""
        self.group()
        self.ann.enter("/kick cay")
        self.assertIn("No link lets them in again", self.ann.desk.questions.prompt)
        self.assertIn("Nothing was changed", self.ann.enter(""))
        self.assertIn(GROUP_MARK, self.cay.sidebar())
        self.ann.enter("/kick cay")
        self.assertIn("You removed ", self.ann.enter("yes"))
        self.assertNotIn(GROUP_MARK, self.cay.sidebar())
        self.assertIn(f"You were removed from {GROUP_MARK} Walks.", self.cay.screen())
        self.ben.enter("/leave")
        self.assertIn(GROUP_MARK, self.ben.sidebar())
        self.assertIn("You have left the group.", self.ben.enter("yes"))
        self.assertIn("Ben left.", self.ann.screen())
        self.assertIn("You are the last one", self.ann.enter("/leave") + self.ann.desk.questions.prompt)
        self.ann.enter("yes")
        self.assertNotIn(GROUP_MARK, self.ann.sidebar())
        self.assertIn("is not among those", self.ann.enter("/chat walks"))

    def test_links(self) -> None:
        """A link is made, joined by, and ended."""
        self.ann.enter("/group Walks")
        self.assertIn("There is no link", self.ann.enter("/link"))
        screen = self.ann.enter("/link new")
        link = next(word for word in screen.split() if word.startswith("https://"))
        self.ann.enter("/link off")
        self.assertIn("of no group", self.ben.enter(f"/join {link}"))
        link = next(word for word in self.ann.enter("/link new").split() if "#" in word and word != link)
        self.ann.enter("/describe Up the hills")
        screen = self.ben.enter(f"/join {link}")
        self.assertIn(f"{GROUP_MARK} Walks, 1 member", screen)
        self.assertIn("About: Up the hills", screen)
        self.assertIn("You have not joined.", self.ben.enter("no"))
        self.assertNotIn(GROUP_MARK, self.ben.sidebar())
        self.ben.enter(f"/join {link}")
        self.assertIn("You joined.", self.ben.enter("yes"))
        self.assertIn("Ben joined.", self.ann.screen())

    def test_joining_again(self) -> None:
        """Whoever is in it already has it opened, and nothing is asked."""
        self.group()
        link = next(word for word in self.ann.enter("/link new").split() if "#" in word)
        self.ben.enter("/chat")
        self.ben.enter(f"/join {link}")
        self.assertIn(f"{GROUP_MARK} Walks", self.ben.header())
        self.assertFalse(self.ben.desk.questions.open)

    def test_what_cannot_be(self) -> None:
        """Oneself, who is in it already, names that are too long: told before the node is asked."""
        self.group()
        for line in ("/role ann member", "/kick You", "/kick ann"):
            self.assertIn("That is you", self.ann.enter(line), line)
        self.assertIn("Ben (ben) is in this group already.", self.ann.enter("/invite ben"))
        self.assertIn("70 characters, and 64 is the most", self.ann.enter("/group " + "x" * 70))
        self.assertIn("65 characters, and 64 is the most", self.ann.enter("/rename " + "x" * 65))
        self.assertIn("513 characters, and 512 is the most", self.ann.enter("/describe " + "x" * 513))
        self.assertIn("In a group only its owner", self.ben.enter("/history off"))
        self.assertFalse(self.ben.desk.questions.open)

    def test_inviting_again(self) -> None:
        """An invitation that waits is not given again; one that was taken back is."""
        self.ann.enter("/group Walks")
        self.ann.enter("/invite ben")
        self.assertIn("Ben (ben) is invited already.", self.ann.enter("/invite ben"))
        self.ann.enter("/kick ben")
        self.assertIn("Take back the invitation of Ben?", self.ann.desk.questions.prompt)
        self.ann.enter("yes")
        self.assertIn("will be here once they accept", self.ann.enter("/invite ben"))
        self.assertNotIn("You were removed", self.ben.screen())

    def test_what_newcomers_see(self) -> None:
        """It is switched on and off, and said in words that are right for who did it."""
        self.group()
        self.assertIn("sees what was written before: you changed that.", self.ann.enter("/earlier on"))
        self.assertIn("sees what was written before: Ann changed that.", self.ben.screen())
        self.assertIn("does not see what was written before: you", self.ann.enter("/earlier off"))
        self.assertIn("Which?", self.ann.enter("/earlier"))

    def test_numbers_are_of_messages(self) -> None:
        """What the node tells of a group has no number: the last message is 1, whatever came after it."""
        self.group()
        self.ann.enter("hello all")
        self.ann.enter("/rename Hikes")
        self.ann.enter("/edit 1 hello both")
        self.assertIn("hello both (edited)", self.ben.screen())
        self.assertIn("Which message?", self.ann.enter("/edit 2 more"))

    def test_above_the_others(self) -> None:
        """A chat that is pinned in the list stands first, on whatever comes in elsewhere."""
        self.ann.enter("/group Walks")
        self.ann.enter("/pin-chat")
        self.ben.enter("/chat ann")
        self.ben.enter("hello")
        rows = self.ann.sidebar()
        self.assertLess(rows.index("Walks"), rows.index("Ben"))
        self.ann.enter("/unpin-chat")
        rows = self.ann.sidebar()
        self.assertGreater(rows.index("Walks"), rows.index("Ben"))

    def test_renaming(self) -> None:
        """The header and the list follow, and a line says who did it."""
        self.group()
        self.assertIn('You named the group "Hikes".', self.ann.enter("/rename Hikes"))
        self.assertIn(f"{GROUP_MARK} Hikes", self.ben.header())
        self.assertIn("Ann named the group", self.ben.screen())

    def test_no_group_is_open(self) -> None:
        """What is about the open group says so where there is none."""
        for line in ("/members", "/invite ben", "/kick ben", "/rename x", "/link", "/leave"):
            self.assertIn("No group is open", self.ben.enter(line), line)
            self.ben.enter("/chat ann")


class TrustTests(GroupDeskCase):
    def test_names_of_groups(self) -> None:
        """A group's name has no marks of the screen, and passes for neither node nor person."""
        self.ann.enter(f"/group {SYSTEM_MARK} SafeUM")
        self.assertIn(f"{GROUP_MARK} \N{REPLACEMENT CHARACTER} SafeUM", self.ann.sidebar())
        self.ann.enter("/invite ben")
        self.assertNotIn(f"{SYSTEM_MARK} SafeUM (", self.ben.screen())

    def test_a_notice_that_the_node_did_not_write(self) -> None:
        """Is shown behind a warning, whoever sends it."""
        self.group()
        view = self.ben.desk.chat
        assert view is not None
        genuine = next(message for message in view.messages if isinstance(message.body, Notice))
        self.assertTrue(self.ben.desk.state.authentic(genuine))
        forged = structs.replace(genuine, body=Notice("owner", who=self.cay.account))
        for sender in (genuine.sender, self.cay.account):
            lie = structs.replace(forged, id="x" * 22, sender=sender)
            self.assertIs(self.ben.desk.state.authentic(lie), False)
        view.messages.append(lie)
        self.assertIn("Not from your node", self.ben.screen())

    def test_words(self) -> None:
        """Every action has words; what is not known is told by its name, safely."""
        notice = Notice("danced", "@a", "@b", "x\x1b[31m")
        self.assertIn("danced", notice_text(notice, str))
        self.assertNotIn("\x1b", notice_text(structs.replace(notice, action="named"), str))

    def test_words_for_you(self) -> None:
        """Sentences are right where it is about oneself, at their beginning and within them."""

        def called(account: str) -> str:
            return "You" if account == "@me" else "Ann"

        for notice, words in (
            (Notice("owner", who="@me"), "You are the owner now."),
            (Notice("owner", who="@ann"), "Ann is the owner now."),
            (Notice("admin", who="@me", by="@ann"), "Ann made you an admin."),
            (Notice("member", who="@me", by="@ann"), "You are an admin no more, by Ann."),
            (Notice("joined", who="@ann", by="@me"), "Ann joined, invited by you."),
            (Notice("removed", who="@ann", by="@me"), "You removed Ann."),
            (Notice("left"), "Somebody left."),
            (
                Notice("earlier", by="@me"),
                "Who joins from now on sees what was written before: you changed that.",
            ),
        ):
            self.assertEqual(notice_text(notice, called), words)

    def test_braces_in_names(self) -> None:
        """Are letters like others."""
        self.ann.enter("/group {who} {0}")
        self.ann.enter("/rename {by.__class__} {}")
        self.assertIn('You named the group "{by.__class__} {}".', self.ann.screen())


class InvitationTests(GroupDeskCase):
    def test_asked_for(self) -> None:
        """Asking for invitations fills the state, also where they were given before this device came."""
        self.ann.enter("/group Walks")
        self.ann.enter("/invite ben")
        second = WorldDesk(self.world, "ben", known=True)
        second.desk.state.groups.invitations.clear()
        asked = second.client.invitations()
        self.world.settle()
        assert isinstance(asked, Deferred)
        [listed] = self.successResultOf(asked).invitations
        self.assertEqual(second.desk.state.groups.invitations, {listed.chat: listed})
