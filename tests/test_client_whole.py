"""The parts of the terminal client together: several desks at one node in memory."""

from safeum_home.client.slash.commands import completions
from safeum_home.client.words.names import GROUP_MARK
from safeum_home.protocol.message_types import MAX_DRAFT
from safeum_home.protocol.types import Message
from tests.test_client_groups import GroupDeskCase
from tests.world_desk import WorldDesk


class ForwardTests(GroupDeskCase):
    def test_into_any_chat(self) -> None:
        """A message goes wherever /chat goes: to a contact, into a group, into the notes; nowhere else."""
        self.group()
        self.ann.enter("/chat ben")
        self.ann.enter("the way")
        self.assertIn(f"Forwarded to {GROUP_MARK} Walks.", self.ann.enter("/forward 1 walks"))
        self.assertIn("[forwarded from Ann]", self.ben.screen())
        self.assertIn(f"Forwarded to {GROUP_MARK} Walks.", self.ann.enter(f"/forward 1 {GROUP_MARK} Walks"))
        self.assertIn("Forwarded to cay (Ann)", self.ann.enter("/forward 1 cay"))
        self.assertIn("Copied into your notes.", self.ann.enter("/forward 1 notes"))
        self.assertIn("not among those you know", self.ann.enter("/forward 1 nobody"))
        choices = [choice for choice, _ in completions(self.ann.desk, "/forward 1 w")]
        self.assertEqual(choices, ["1 Walks"])


class MentionTests(GroupDeskCase):
    def last(self, desk: WorldDesk) -> Message:
        view = desk.desk.chat
        assert view is not None and view.last is not None
        return view.last

    def test_names_in_a_text(self) -> None:
        """`@login` and `@name` of members become mentions; parts of words, and strangers, do not."""
        self.group()
        ben, cay = self.ben.account, self.cay.account
        for text, meant in (
            ("@ben look", (ben,)),
            ("(@Ben, @cay!)", (ben, cay)),
            ("@ben @BEN", (ben,)),
            ("mail@ben, @benny, @ben@far.example, @nobody, @ann", ()),
        ):
            self.ann.enter(text)
            self.assertEqual(self.last(self.ann).mentions, meant, text)
            self.assertEqual(self.last(self.ben).mentions, meant, text)
        self.ann.enter("/edit 1 only @cay")
        self.assertEqual(self.last(self.ben).mentions, (cay,))
        self.ben.enter("/reply 1 @cay yes")
        self.assertEqual(self.last(self.cay).mentions, (cay,))
        self.assertEqual([choice for choice, _ in completions(self.ann.desk, "and @b")], ["@ben"])

    def test_the_members_are_known_before_they_have_written(self) -> None:
        """Who has the group open can mention whoever is in it, though they never said anything."""
        self.group()
        self.ben.desk.state.groups.rosters.clear()
        self.ben.enter("/chat")
        self.ben.enter("/chat walks")
        self.ben.enter("@cay hello")
        self.assertEqual(self.last(self.ben).mentions, (self.cay.account,))


class ReaderTests(GroupDeskCase):
    def test_who_has_read(self) -> None:
        """In a group it is asked for; elsewhere the ticks say it, and the command refuses."""
        self.group()
        self.ann.enter("read this")
        self.world.settle()
        screen = self.ann.enter("/readers 1")
        self.assertIn("✓✓ Ben", screen)
        self.assertIn("✓✓ cay (Ann)", screen)
        self.ann.enter("/chat ben")
        self.assertIn("No group is open", self.ann.enter("/readers 1"))
        for line in ("/members", "/kick ben", "/rename x", "/link", "/leave"):
            self.assertIn("No group is open", self.ann.enter(line), line)


class ListTests(GroupDeskCase):
    def test_a_group_whose_history_was_erased_stays(self) -> None:
        """It is in the list and can be opened, and says that its history is off; muted it says, too."""
        self.world.domain.fleeting.start()
        self.addCleanup(self.world.domain.fleeting.stop)
        self.group()
        self.ann.enter("/history off")
        self.ann.enter("yes")
        self.world.clock.pump([0.05] * 40)
        self.world.settle()
        view = self.ben.desk.chat
        assert view is not None
        view.messages.clear()  # as after a login: nothing is kept of it
        self.assertIn("history off", self.ben.header())
        self.ben.enter("/chat")
        self.assertIn(f"{GROUP_MARK} Walks", self.ben.sidebar())
        self.ben.enter("/chat walks")
        self.assertIn("Walks", self.ben.header())
        self.ben.enter("/mute")
        self.assertIn("muted", self.ben.header())


class DraftTests(GroupDeskCase):
    def kept(self, desk: WorldDesk) -> str:
        view = desk.desk.chat
        assert view is not None
        return "" if view.settings.draft is None else view.settings.draft.text

    def wait(self) -> None:
        self.world.clock.pump([1.0] * 3)
        self.world.settle()

    def test_what_was_begun_is_there_again(self) -> None:
        """It is offered where the chat is opened, here and after a login, and gone once it was sent."""
        offered: list[str] = []
        self.ann.desk.opened = offered.append
        self.ann.enter("/chat ben")
        self.ann.desk.typed("begun")
        self.ann.enter("/chat cay")
        self.ann.enter("/chat ben")
        self.assertEqual(offered, ["", "", "begun"])
        self.wait()
        self.assertEqual(self.kept(self.ann), "begun")
        self.ann.enter("begun and done")
        self.wait()
        self.assertEqual(self.kept(self.ann), "")

    def test_too_long_to_be_kept_whole(self) -> None:
        """Here nothing of it is lost; the other devices have its beginning."""
        offered: list[str] = []
        self.ann.desk.opened = offered.append
        self.ann.enter("/chat ben")
        self.ann.desk.typed("x" * (MAX_DRAFT + 1))
        self.wait()
        self.assertEqual(self.kept(self.ann), "x" * MAX_DRAFT)
        self.ann.enter("/chat")
        self.ann.enter("/chat ben")
        self.assertEqual(offered, ["", "", "x" * (MAX_DRAFT + 1)])

    def test_sent_while_it_is_being_kept(self) -> None:
        """The node is not left with a draft of what was sent a moment after the pause."""
        self.ann.enter("/chat ben")
        self.ann.desk.typed("begun")
        self.world.clock.advance(2.0)
        self.ann.desk.write("begun")
        self.wait()
        self.assertEqual(self.kept(self.ann), "")

    def test_where_nothing_is_kept(self) -> None:
        """A draft does not outlive the messages of a chat without history: it stays on this device."""
        self.world.domain.fleeting.start()
        self.addCleanup(self.world.domain.fleeting.stop)
        offered: list[str] = []
        self.ann.enter("/chat ben")
        self.ann.enter("/draft from before")
        self.wait()
        self.assertEqual(self.kept(self.ann), "from before")
        self.ann.enter("/history off")
        self.ann.enter("yes")
        self.world.clock.pump([0.05] * 40)
        self.assertEqual(self.kept(self.ann), "")
        self.assertIn("no drafts", self.ann.enter("/draft begun"))
        self.assertIn("No draft any more.", self.ann.enter("/draft"))
        self.ann.desk.opened = offered.append
        self.ann.desk.typed("begun")
        self.wait()
        self.assertEqual(self.kept(self.ann), "")
        self.ann.enter("/chat")
        self.ann.enter("/chat ben")
        self.assertEqual(offered, ["", "begun"])

    def test_on_its_way_at_the_switch(self) -> None:
        """The node refuses a draft that comes behind the switch: nothing of it is left, here or there."""
        self.world.domain.fleeting.start()
        self.addCleanup(self.world.domain.fleeting.stop)
        self.ann.enter("/chat ben")
        self.ben.enter("/chat ann")
        self.ann.desk.typed("begun")
        self.world.database.hold = True
        self.ben.enter("/history off")
        self.ben.enter("yes")
        self.world.clock.advance(2.0)
        self.world.database.hold = False
        for _ in range(3):
            self.world.database.release()
        self.world.clock.pump([0.05] * 40)
        view = self.ann.desk.chat
        assert view is not None
        self.assertIs(view.history, False)
        self.assertEqual(self.kept(self.ann), "")
        self.assertIsNone(self.ann.desk.drafts.of(view.chat))
