"""What is written into a group of another node, as it is shown while it waits for that one."""

from msgspec import structs

from safeum_home.client.state import group_ids
from safeum_home.protocol.events import ChatUpdated, PostChanged
from safeum_home.protocol.types import ChatInfo, GroupInfo, Message, Text
from tests.client_desk import NOW, DeskTestCase
from tests.client_double import ADA, CHAT, cursor, message


class WaitingTests(DeskTestCase):
    """The chat is a group of far.test."""

    def setUp(self) -> None:
        super().setUp()
        # The id of the chat that the desk shows is taken for that of the group.
        self.patch(group_ids, "group_id", lambda _hub, _seed: CHAT)
        group = GroupInfo("far.test", "Walks", "", None, False, 3, seed="walks")
        self.wire.event(ChatUpdated(cursor(9), ChatInfo(CHAT, "group", group=group)))
        self.desk.open(CHAT)

    def post(self, words: str = "hi", code: str | None = None, place: int = 60) -> None:
        """What the node says of a post."""
        own = Message(cursor(50), CHAT, ADA, NOW, Text(words))
        self.wire.event(PostChanged(cursor(place), CHAT, cursor(50), own, None, code))

    def come(self, words: str = "hi") -> None:
        """It comes in the group's order."""
        self.wire.event(structs.replace(message(70, words), sender=ADA, origin=cursor(50)))

    def test_sent(self) -> None:
        """A message that waits is said to, until it comes."""
        self.wire.answers["chat.send"] = lambda params: {"id": cursor(50), "at": NOW, "waiting": True}
        self.enter("hi")
        self.assertIn("hi", self.body())
        self.assertIn("Waits for far.test", self.body())
        self.come()
        self.assertNotIn("Waits", self.body())
        self.assertEqual(self.body().count("hi"), 1)

    def test_other_device(self) -> None:
        """Another device of the account shows it as well; told again it is there once, and not any more."""
        self.post()
        self.post(place=61)
        self.assertEqual(self.body().count("Waits for far.test"), 1)
        self.come()
        self.post(place=71)
        self.assertNotIn("Waits", self.body())

    def test_loaded(self) -> None:
        """What waits is loaded with the history."""
        waiting = [Message(cursor(50), CHAT, ADA, NOW, Text("hi"))]
        view = self.desk.state.chat(CHAT)
        assert view is not None
        self.desk.state.page(CHAT, [], False, waiting)
        self.assertIn("Waits for far.test", self.body())
        self.desk.state.page(CHAT, [structs.replace(message(70, "hi"), origin=cursor(50))], False)
        self.assertNotIn("Waits", self.body())

    def test_refused(self) -> None:
        """What the group's node refuses stays, with why, until it is dropped."""
        self.post()
        self.post(code="not_a_contact", place=61)
        self.assertNotIn("Waits", self.body())
        self.assertIn("far.test has not taken it", self.body(columns=200))
        self.enter("/drop")
        self.assertNotIn("far.test has", self.body(columns=200))

    def test_dropped(self) -> None:
        """What waits is withdrawn by /drop, and nothing more is said of it."""
        self.wire.answers["message.delete"] = lambda params: {}
        self.post()
        self.enter("/drop")
        self.assertEqual([each["params"]["message"] for each in self.wire.of("message.delete")], [cursor(50)])
        self.wire.event(PostChanged(cursor(61), CHAT, cursor(50), None, None, "message_gone"))
        self.assertNotIn("Waits", self.body())
        self.assertNotIn("far.test has", self.body(columns=200))

    def test_one_of_them_deleted(self) -> None:
        """By its number, as any message; all else that is done to messages has to wait, and says for what."""
        self.wire.answers["message.delete"] = lambda params: {}
        self.post()
        lines = ("/edit 1 other words", "/react 1 👍", "/reply 1 yes", "/readers 1", "/pin-message 1")
        for done, line in enumerate(lines, 1):
            self.enter(line)
            self.assertEqual(self.body(columns=200).count("That message waits for far.test"), done, line)
        self.assertEqual(self.wire.of("message.delete"), [])
        self.desk.numbers.line("/delete 1")
        self.assertEqual(self.desk.numbers.aim(), "1 waits: hi")
        self.enter("/delete 1")
        self.assertEqual([each["params"]["message"] for each in self.wire.of("message.delete")], [cursor(50)])

    def test_came_while_the_line_was_typed(self) -> None:
        """A number means the message that it meant when the line was begun, where that is by now."""
        self.wire.answers["message.delete"] = lambda params: {}
        self.post()
        self.desk.numbers.line("/")
        self.come()
        self.wire.event(message(71, "later"))
        self.enter("/delete 1")
        self.assertEqual([each["params"]["message"] for each in self.wire.of("message.delete")], [cursor(70)])

    def test_left(self) -> None:
        """Whoever leaves is told what is not sent then."""
        self.post()
        self.enter("/leave")
        self.assertIn("1 message that waits is not sent then", self.desk.questions.prompt)

    def test_change_refused(self) -> None:
        """So is an edit or a reaction."""
        event = PostChanged(cursor(60), CHAT, cursor(50), None, cursor(3), "message_gone")
        self.wire.event(event)
        self.assertIn("far.test has not done what you wanted", self.body(columns=200))

    def test_change_waits(self) -> None:
        """Whoever edits or reacts is told that it is not done yet."""
        self.wire.answers["message.react"] = lambda params: {"waiting": True}
        self.enter("/react 1 👍")
        self.assertIn("it is done when that is back", self.body(columns=200))
