"""Numbers of messages at the terminal: they mean what was on the screen when the line was begun."""

from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import DummyInput
from prompt_toolkit.output import DummyOutput
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.screen.terminal import Screen
from safeum_home.errors import Code, Problem
from tests.client_desk import DeskTestCase
from tests.client_double import CHAT, cursor, message
from tests.world import World
from tests.world_desk import WorldDesk, befriend


class NumberTests(DeskTestCase):
    """Ada types; Bob's three messages are on the screen."""

    def setUp(self) -> None:
        super().setUp()
        for method in ("message.delete", "message.edit", "message.react", "chat.pin", "message.reactions"):
            self.wire.answers[method] = lambda params: {}
        self.enter("/chat bob")

    def type(self, line: str) -> None:
        """As the screen tells of it."""
        self.desk.numbers.line(line)

    def send(self, line: str) -> str:
        """Enter what was typed."""
        self.enter(line)
        self.type("")
        return self.body()

    def meant(self, method: str = "message.delete") -> list[str]:
        return [params["message"] for params in self.params(method)]

    def test_a_message_that_comes_while_typing(self) -> None:
        """It has no number in this line; in the next one it is the last."""
        self.type("/del")
        self.wire.event(message(4, "in between"))
        self.type("/delete 1")
        self.assertEqual(self.info().strip(), "1 is of Bob: text 3")
        self.send("/delete 1")
        self.assertEqual(self.meant(), [cursor(3)])
        self.type("/delete 3")
        self.wire.event(message(5, "and again"))
        self.send("/delete 3")
        self.assertEqual(self.meant()[1:], [cursor(2)])
        self.type("/delete 1")
        self.assertEqual(self.info().strip(), "1 is of Bob: and again")
        self.send("/delete 1")
        self.assertEqual(self.meant()[2:], [cursor(5)])

    def test_an_emptied_line(self) -> None:
        """Whoever begins anew means what is there by now."""
        self.type("/delete 1")
        self.wire.event(message(4))
        self.type("")
        self.type("/delete 1")
        self.send("/delete 1")
        self.assertEqual(self.meant(), [cursor(4)])

    def test_what_is_older(self) -> None:
        """Pages that are loaded while somebody types go on where the numbers end."""
        self.type("/react 4 👍")
        self.desk.state.page(CHAT, [message(0, "older")], False)
        self.send("/react 4 👍")
        self.assertEqual(self.meant("message.react"), [cursor(0)])
        self.assertIn("Which message?", self.send("/react 5 👍"))

    def test_another_chat(self) -> None:
        """A command that was begun elsewhere counts in the chat that is open."""
        self.enter("/chat")
        self.type("/delete 1")
        self.wire.event(message(4, "now"))
        self.desk.open(CHAT)
        self.wire.event(message(5, "later"))
        self.send("/delete 1")
        self.assertEqual(self.meant(), [cursor(4)])

    def test_messages_on_their_way_are_counted(self) -> None:
        """As they are seen; one that has arrived meanwhile is the one that was seen."""
        del self.wire.answers["chat.send"]
        self.enter("on its way")
        self.assertIn("not on the node: wait", self.send("/react 1 👍"))
        self.type("/react 1 👍")
        self.assertEqual(self.info().strip(), "1 is not on the node: on its way")
        self.send("/delete 2")
        self.assertEqual(self.meant(), [cursor(3)])
        self.type("/react 1 👍")
        self.wire.reply(self.wire.of("chat.send")[0], {"id": cursor(50), "at": self.now})
        self.wire.event(message(51, "an answer"))
        self.send("/react 1 👍")
        self.assertEqual(self.meant("message.react"), [cursor(50)])

    def test_messages_that_were_refused_are_counted(self) -> None:
        """They stand on the screen, too, and are no others."""
        self.wire.answers["chat.send"] = lambda params: Problem(Code.LIMIT_REACHED)
        self.enter("never")
        self.assertIn("not on the node: /retry", self.send("/react 1 👍"))
        self.type("/delete 1")
        self.enter("/drop")
        self.assertIn("Which message?", self.send("/delete 1"))
        self.assertEqual(self.meant(), [])

    def test_what_is_on_the_screen_alone(self) -> None:
        """In a chat whose history is off the node forgets what it has delivered, and the words say so."""
        self.wire.answers["message.react"] = lambda params: Problem(Code.MESSAGE_GONE)
        self.assertIn("nothing is left of it", " ".join(self.send("/react 1 👍").split()))
        view = self.desk.chat
        assert view is not None
        view.history = False
        self.assertIn("your node no longer keeps this message", " ".join(self.send("/react 1 👍").split()))

    def test_without_a_connection(self) -> None:
        """Nothing is done to messages then, nor later; an answer waits as all that is written."""
        self.node.down = True
        self.wire.drop()
        for line in (
            "/delete 1",
            "/edit 1 x",
            "/react 1 👍",
            "/pin-message 1",
            "/unpin-message 1",
            "/forward 1 notes",
            "/reactions 1",
            "/pinned",
        ):
            self.assertTrue(" ".join(self.send(line).split()).endswith("Try again once you are."), line)
        self.type("/reply 1 yes")
        self.send("/reply 1 yes")
        self.node.answers["chat.send"] = lambda params: {"id": cursor(50), "at": self.now}
        self.node.down = False
        self.node.clock.advance(60)
        methods = self.node.wire.methods()
        self.assertEqual([each for each in methods if each.startswith(("message.", "chat.pin"))], [])
        self.assertEqual([each["params"]["reply_to"] for each in self.node.wire.of("chat.send")], [cursor(3)])


class KeyTests(DeskTestCase):
    """The same with the line of the screen."""

    def test_a_key_fixes_the_numbers(self) -> None:
        """From the first character to the end of the line."""
        session = create_app_session(DummyInput(), DummyOutput())
        session.__enter__()
        self.addCleanup(session.__exit__, None, None, None)
        screen = Screen(self.desk)
        self.wire.answers["message.delete"] = lambda params: {}
        self.enter("/chat bob")
        screen._input.buffer.insert_text("/delete ", fire_event=False)
        self.wire.event(message(4))
        screen._input.buffer.insert_text("1", fire_event=False)
        screen._submit(screen._input.text)
        self.assertEqual(self.params("message.delete")[-1]["message"], cursor(3))
        screen._input.buffer.insert_text("/delete 1", fire_event=False)
        screen._submit(screen._input.text)
        self.assertEqual(self.params("message.delete")[-1]["message"], cursor(4))


class ModeratorTests(SynchronousTestCase):
    """Who may delete what others wrote is asked before."""

    def test_deleting_what_another_wrote(self) -> None:
        """With its words; what is one's own goes at once."""
        world = World()
        ann, ben = WorldDesk(world, "ann", "Ann"), WorldDesk(world, "ben", "Ben")
        befriend(ann, ben)
        ann.enter("/group Walks")
        ann.enter("/invite ben")
        ben.enter("/accept walks")
        ben.enter("/chat walks")
        ann.enter("my typo")
        ben.enter("my words")
        ann.enter("/delete 1")
        self.assertIn("It is not yours. Delete for all: Ben: my words?", ann.desk.questions.prompt)
        self.assertIn("Nothing was deleted.", ann.enter("no"))
        self.assertIn("my words", ben.screen())
        ann.enter("/delete 2")
        self.assertFalse(ann.desk.questions.open)
        self.assertNotIn("my typo", ben.screen())
        ann.enter("/delete 1")
        ann.enter("yes")
        self.assertNotIn("my words", ben.screen())
        ann.enter("of the owner")
        ben.enter("/delete 1")
        self.assertFalse(ben.desk.questions.open, "a member may not, and need not be asked")
        self.assertIn("of the owner", ann.screen())
