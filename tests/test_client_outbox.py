"""Messages that the node does not take at once, or not at all: they wait, keep their place, are dropped."""

from collections.abc import Callable
from typing import Any

from safeum_home.errors import Code, Problem
from safeum_home.protocol.types import ContactState
from tests.client_desk import NOW, DeskTestCase
from tests.client_double import BOB, CHAT, cursor, message


def refusing(code: Code, retry_after: float | None = None) -> Callable[[dict[str, Any]], Any]:
    """The answer of a node that does not take a message."""
    return lambda params: Problem(code, None, retry_after)


class OutboxTests(DeskTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enter("/chat bob")

    def text(self) -> str:
        return " ".join(self.body(80).split())

    def wait(self, seconds: float) -> None:
        self.now += int(seconds * 1000)
        self.node.clock.advance(seconds)

    def sent(self) -> list[str]:
        return [params["body"]["text"] for params in self.params("chat.send")]

    def test_what_the_node_cannot_take_now_is_sent_again_by_itself_as_the_same(self) -> None:
        for code in (Code.STORAGE_UNAVAILABLE, Code.BUSY, Code.RATE_LIMITED):
            self.wire.requests.clear()
            self.wire.answers["chat.send"] = refusing(code, 4.0)
            self.enter(f"hello {code.code}")
            self.assertIn(f"hello {code.code} …", self.text())
            self.assertIn("It is sent again in 4 s.", self.text())
            self.assertIn("1 not sent", self.status())
            self.wait(2)
            self.assertIn("It is sent again in 2 s.", self.text())
            self.wire.answers["chat.send"] = lambda params: {"id": cursor(50 + len(self.text())), "at": NOW}
            self.wait(2)
            first, second = self.params("chat.send")
            self.assertEqual(first, second)
            self.assertNotIn("not sent", self.status())
        self.assertEqual(self.node.clock.getDelayedCalls(), [])

    def test_it_waits_longer_each_time_and_can_be_hurried(self) -> None:
        self.wire.answers["chat.send"] = refusing(Code.BUSY)
        self.enter("hello")
        for seconds in (1, 2, 4, 8, 16, 30, 30):
            self.assertIn(f"again in {seconds} s.", self.text())
            self.wait(seconds)
        count = len(self.sent())
        self.enter("/retry")
        self.assertEqual(len(self.sent()), count + 1)

    def test_messages_of_a_chat_go_in_their_order(self) -> None:
        self.wire.answers["chat.send"] = refusing(Code.STORAGE_UNAVAILABLE, 1.0)
        for text in ("one", "two", "three"):
            self.enter(text)
        self.assertEqual(self.sent(), ["one"])
        del self.wire.answers["chat.send"]
        self.wait(1)
        for place, text in enumerate(("one", "two", "three")):
            request = self.wire.of("chat.send")[-1]
            self.assertEqual(request["params"]["body"]["text"], text)
            self.wire.reply(request, {"id": cursor(60 + place), "at": NOW})
        self.assertEqual(self.desk.outbox.items, [])

    def test_what_is_refused_holds_nothing_up_and_keeps_its_place(self) -> None:
        self.wire.answers["chat.send"] = refusing(Code.TOO_LARGE)
        self.enter("refused")
        self.wire.answers["chat.send"] = lambda params: {"id": cursor(50), "at": NOW}
        self.enter("taken")
        self.wire.event(message(61, "an answer", at=1))
        text = self.text()
        places = [text.index(each) for each in ("text 3", "refused ✗", "/drop", "taken ✓", "an answer")]
        self.assertEqual(places, sorted(places))
        self.enter("/drop")
        self.assertNotIn("refused", self.text())
        self.enter("/drop")
        self.assertIn("There is nothing here", self.text())

    def test_nothing_to_send_again(self) -> None:
        """Is said; while there is no connection, /retry makes one."""
        self.enter("/retry")
        self.assertIn("There is nothing that could not be sent, and the node is there.", self.text())
        self.wire.drop()
        before = len(self.node.wires)
        self.enter("/retry")
        self.assertEqual(len(self.node.wires), before + 1)
        self.assertEqual(self.text().count("There is nothing that could not"), 1)

    def test_what_never_can_be_sent_is_not_offered_again(self) -> None:
        """/retry leaves it where it is; what it was refused for is left out where it can be."""
        self.wire.answers["chat.send"] = refusing(Code.TOO_LARGE)
        self.enter("too long")
        self.assertIn("/drop forgets it.", self.text())
        self.assertNotIn("/retry", self.text())
        self.wire.answers["chat.send"] = refusing(Code.MESSAGE_GONE)
        self.enter("/reply 2 to what is gone")
        self.assertIn(
            "What it answers is kept no longer. /retry sends it as a message of its own,", self.text()
        )
        self.wire.answers["chat.send"] = lambda params: {"id": cursor(50), "at": NOW}
        self.enter("/retry")
        self.assertEqual(self.sent(), ["too long", "to what is gone", "to what is gone"])
        first, second = self.params("chat.send")[1:]
        self.assertEqual((first["reply_to"], second.get("reply_to")), (cursor(3), None))
        self.assertEqual(first["client_id"], second["client_id"])
        self.assertIn("too long ✗", self.text())

    def test_what_waits_can_be_dropped_and_what_is_on_its_way_cannot(self) -> None:
        self.wire.answers["chat.send"] = refusing(Code.BUSY)
        self.enter("waits")
        del self.wire.answers["chat.send"]
        self.enter("behind")
        self.enter("/drop")
        self.assertEqual(self.sent(), ["waits", "behind"])
        self.enter("/drop")
        self.assertEqual([item.text for item in self.desk.outbox.items], ["behind"])

    def test_a_desk_that_is_left_leaves_no_timer(self) -> None:
        self.wire.answers["chat.send"] = refusing(Code.BUSY)
        self.enter("waits")
        self.desk.outbox.stop()
        self.assertEqual(self.node.clock.getDelayedCalls(), [])

    def test_nobody_leaves_unsent_messages_unknowingly(self) -> None:
        left: list[bool] = []
        self.desk.leave = lambda: left.append(True)
        self.wire.answers["chat.send"] = refusing(Code.BUSY)
        self.enter("waits")
        self.enter("/quit")
        self.assertEqual(left, [])
        self.assertIn("1 message was not sent; leave all the same?", self.text())
        self.enter("one more")
        self.enter("/quit")
        self.assertIn("2 messages were not sent", self.text())
        self.enter("/quit")
        self.assertEqual(left, [True])

    def test_nothing_is_sent_to_whom_it_would_not_reach(self) -> None:
        self.meet(ContactState.BLOCKED, "Bob", BOB)
        self.enter("hello")
        self.assertIn("hello ✗ Not sent: blocked", self.text())
        self.assertEqual(self.sent(), [])
        self.enter("/drop")
        self.assertNotIn("hello", self.text())

    def test_what_did_not_reach_somebody_is_sent_when_it_can_be(self) -> None:
        """The text stays in its place until they are contacts again; /retry sends it once."""
        self.meet(ContactState.REMOVED, "Bob", BOB)
        self.enter("hello")
        self.assertIn("hello ✗ Not sent: not your contact any more", self.text())
        self.meet(ContactState.ACCEPTED, "Bob", BOB)
        self.assertEqual(self.sent(), [])
        self.enter("/retry")
        self.assertEqual(self.sent(), ["hello"])
        self.assertEqual(self.desk.outbox.items, [])

    def test_what_does_not_reach_somebody_holds_up_nothing(self) -> None:
        """It is for the chat that it was written in."""
        self.meet(ContactState.BLOCKED, "Bob", BOB)
        self.enter("hello")
        self.assertEqual([item.error for item in self.desk.outbox.items], ["blocked: /unblock lifts it."])
        self.assertEqual(self.sent(), [])
        self.assertEqual(self.desk.current, CHAT)
