"""Secure chats at desks of the terminal client: what is said in them, and that the node reads none of it."""

from itertools import cycle
from typing import Any

from twisted.internet.defer import Deferred

from safeum_home.client.secure.payloads import Unknown
from safeum_home.client.slash.commands import completions
from safeum_home.client.unlocked.items import FORMER_KEYS
from safeum_home.protocol.commands import History
from tests.secure_desk_case import SecureDeskCase


class TalkTests(SecureDeskCase):
    def setUp(self) -> None:
        super().setUp()
        self.pair()

    def test_two(self) -> None:
        """Both read what the other says; the lock stands in the list, and who has read is known."""
        self.say(self.ann, "hello Ben")
        self.assertIn("Ann hello Ben", self.ben.screen())
        self.say(self.ben, "hello Ann")
        self.assertIn("Ben hello Ann", self.ann.screen())
        self.assertIn("You hello Ben ✓", self.ann.screen())
        self.assertIn("✓✓ Ben", self.ann.enter("/readers 2"))
        self.assertIn("🔒 Ben", self.ann.sidebar())
        self.assertEqual(self.ann.header(), "🔒 Ben  not verified")
        self.assertIn("unlocked", self.ann.status())
        self.assertEqual(self.ann.desk.secure.alarms.all + self.ben.desk.secure.alarms.all, [])

    def test_pages_without_end(self) -> None:
        """A node that leads to and fro through the past is not followed for ever."""
        for text in "abc":
            self.say(self.ann, text)
        view = self.ann.desk.state.held(self.ann.view(self.ben).chat)
        assert view is not None
        pages, asked = cycle([[each] for each in view.messages[-3:]]), list[str | None]()

        async def history(_chat: str, before: str | None = None, _limit: int = 50) -> History:
            asked.append(before)
            if len(asked) > 100:
                raise AssertionError("it has no end")
            return History(next(pages), True)

        conversation = self.ann.within(self.ben)
        self.patch(self.ann.client, "history", history)
        conversation.more, conversation._oldest = True, view.messages[-1].id
        reached = Deferred.fromCoroutine(self.ann.desk.secure.reach(view))
        self.assertIsNone(self.successResultOf(reached))
        self.assertLessEqual(len(asked), len(view.messages))

    def test_as_in_other_chats(self) -> None:
        """Answers, edits, reactions and deletions are shown on both sides."""
        self.say(self.ann, "the meeting is at nine")
        self.say(self.ben, "/reply 1 which meeting?")
        for who in (self.ann, self.ben):
            self.assertIn("the meeting is at nine", who.screen().partition("↪")[2])
        self.say(self.ann, "/edit 2 the meeting is at ten")
        self.assertIn("the meeting is at ten (edited)", self.ben.screen())
        self.say(self.ben, "/react 2 👍")
        self.assertIn("👍 1", self.ann.screen())
        self.assertIn("👍 1*", self.ben.screen())
        self.assertIn("👍  Ben", self.ann.enter("/reactions 2"))
        self.say(self.ben, "/react 2")
        self.assertNotIn("👍 1", self.ann.screen())
        self.say(self.ann, "/delete 2")
        for who in (self.ann, self.ben):
            self.assertIn("[deleted]", who.screen())
            self.assertNotIn("is at ten", who.screen())

    def test_what_others_wrote(self) -> None:
        """Nobody edits or deletes it, though both are owners of the group that it is for the node."""
        self.say(self.ann, "mine")
        for line in ("/edit 1 yours", "/delete 1"):
            self.assertIn("theirs to change", self.ben.enter(line).rpartition("\n")[2])
        self.assertFalse(self.ben.desk.questions.open)
        self.assertIn("mine", self.ann.screen())

    def test_not_known(self) -> None:
        """What a later version says is shown as that, whatever its sender calls it."""
        for kind in ("poll", FORMER_KEYS, "sealed: /unlock"):
            later: Any = Unknown(kind, "tea or coffee?")
            self.ann.within(self.ben).say(later)
            self.settle(5)
            self.assertIn(f"[not known here: {kind}]: tea or coffee?", self.ben.screen())

    def test_the_node_reads_nothing(self) -> None:
        """Not what is said, changed, answered, or only begun to be written."""
        desk = self.ann.desk
        desk.typed("whispered")
        self.settle(5)
        self.say(self.ann, "whispered")
        self.say(self.ann, "/reply 1 whispered")
        self.say(self.ann, "/edit 1 whispered")
        desk.typed("whispered once more")
        self.ann.enter("/draft whispered again")
        self.ann.enter("/chat Cay")
        self.settle(5)
        self.assertNotIn(b"whispered", b"".join(self.ann.line.given))
        desk.typed("in clear")  # where it may be kept: so the test would see it
        self.settle(5)
        self.assertIn(b"in clear", b"".join(self.ann.line.given))

    def test_what_was_begun(self) -> None:
        """It stands in the line again, on other devices as well, and after locking."""
        self.ann.desk.typed("half of it")
        self.settle(5)
        other = type(self.ann)(self.world, "ann", known=True)
        begun: list[str] = []
        other.desk.opened = begun.append
        other.desk.open(self.ann.view(self.ben).chat)
        self.assertEqual(begun, [""])
        self.settle(20)
        other.unlock()
        self.settle()
        self.assertEqual(begun[1:], ["half of it"])
        other.client.close()
        self.ann.enter("/chat Cay")
        lines: list[str] = []
        self.ann.desk.opened = lines.append
        self.ann.enter("/secure Ben")
        self.assertEqual(lines, ["half of it"])

    def test_elsewhere(self) -> None:
        """What comes while another chat is open is announced with its words, and once."""
        self.ann.enter("/chat Cay")
        self.say(self.ben, "psst")
        self.assertEqual(self.ann.info(), "🔒 Ben: psst")
        self.assertIn("1 unread", self.ann.status())
        self.ann.enter("/chat 🔒 Ben")
        self.settle()
        self.assertNotIn("unread", self.ann.status())

    def test_found(self) -> None:
        """Words that were said are searched for as in other chats, and names lead to the chat."""
        self.say(self.ann, "a red house")
        self.ann.enter("/search house red")
        self.assertIn("You: a red house", self.ann.screen())
        self.assertIn(("🔒 Ben", ""), list(completions(self.ann.desk, "/chat Be")))
        self.ann.enter("/chat")
        self.assertIn("in 🔒 Ben: a red house", self.ann.enter("/search house"))
        self.ann.enter("/chat Ben")
        self.assertTrue(self.ann.header().startswith("Ben  "), "the chat in clear is the one without a lock")

    def test_what_makes_no_sense(self) -> None:
        """It says why, and nothing of it goes to the node."""
        self.say(self.ann, "secret")
        for line, words in (
            ("/forward 1 Cay", "stays there"),
            ("/rename Plans", "has no name"),
            ("/describe Plans", "has no name"),
            ("/link new", "by a link"),
            ("/invite Cay", "/secure group"),
            ("/invite Ben", "/secure group"),
            ("/kick Ben", "neither has a say"),
            ("/role Ben member", "neither has a say"),
        ):
            self.assertIn(words, self.ann.enter(line).replace("\n", " "), line)
        self.ann.enter("/chat Cay")
        self.say(self.ann, "plain")
        self.assertIn("stays there", self.ann.enter("/forward 1 🔒 Ben"))

    def test_erased(self) -> None:
        """Nothing of what was said is left on any side, nor in memory; what follows is read."""
        self.say(self.ann, "to be forgotten")
        for line in ("/history off", "yes"):
            self.say(self.ann, line)
        self.settle(20)
        for who, other in ((self.ann, self.ben), (self.ben, self.ann)):
            self.assertNotIn("forgotten", who.screen())
            self.assertEqual([item.text for item in who.within(other).items.all], [])
        self.say(self.ben, "afterwards")
        self.assertIn("afterwards", self.ann.screen())

    def test_older(self) -> None:
        """Pages of the past are opened as they are loaded, whichever was loaded first."""
        for number in range(70):
            self.say(self.ann, f"number {number}.")
        other = type(self.ann)(self.world, "ben", known=True)
        other.enter("/chat")
        [view] = [each for each in other.desk.state.chats if each.secure]
        other.desk.open(view.chat)
        self.settle()
        other.enter("/history")
        self.settle()
        self.assertNotIn("number", other.screen(rows=400))
        self.assertGreater(other.screen(rows=400).count("[sealed: /unlock]"), 60)
        other.unlock()
        self.settle()
        shown = other.screen(rows=400)
        self.assertNotIn("[sealed: /unlock]", shown)
        for number in range(70):
            self.assertIn(f"number {number}.", shown)
        other.client.close()
