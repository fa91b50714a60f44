"""The history of a chat in the terminal client and in the view: switching it, and being told of it."""

from pathlib import Path
from typing import Any

import msgspec
from twisted.internet.defer import Deferred

from safeum_home.client.words.receipts import UNKNOWN_KEY, verify
from safeum_home.protocol.events import ChatUpdated
from safeum_home.protocol.types import ChatInfo
from tests.client_desk import DeskTestCase
from tests.client_double import CHAT, OTHER, cursor, message
from tests.test_client_receipts import VECTORS

RECEIPT: dict[str, Any] = msgspec.json.decode(VECTORS.read_bytes())["vectors"][0]["receipt"]


def updated(number: int, history: bool, erased: int | None) -> ChatUpdated:
    upto = None if erased is None else cursor(erased)
    return ChatUpdated(cursor(number), ChatInfo(CHAT, "direct", history, upto))


class HistoryTests(DeskTestCase):
    def begin(self) -> None:
        self.node.answers |= {
            "chat.history.set": lambda params: {"history": params["enabled"], "receipt": RECEIPT},
            "chat.history.receipt": lambda params: {"receipt": RECEIPT},
        }
        super().begin()
        self.enter("/chat bob")

    def erased(self) -> None:
        self.history = []
        self.wire.event(updated(60, False, 60))

    def test_off(self) -> None:
        """It is asked about once, in words; then the screen is wiped, and says so above."""
        self.enter("/history off")
        self.assertIn("Nobody can bring anything back", " ".join(self.body().split()))
        self.assertEqual(self.params("chat.history.set"), [])
        self.enter("yes")
        self.assertEqual(self.params("chat.history.set"), [{"chat": CHAT, "enabled": False}])
        self.erased()
        shown = self.body()
        self.assertNotIn("text 3", shown)
        self.assertIn("The history is off", shown)
        self.assertIn("history off", self.header())
        self.assertEqual(self.params("chat.send"), [])

    def test_not_off(self) -> None:
        """Whatever is no yes leaves everything as it is, and is not sent to anybody."""
        for answers in (("",), ("no",), ("maybe", "hello", "")):
            self.enter("/history off")
            for answer in answers:
                self.enter(answer)
            self.assertIn("Nothing was erased.", self.body())
        self.assertEqual(self.params("chat.history.set"), [])
        self.assertEqual(self.params("chat.send"), [])
        self.assertIn("text 3", self.body(rows=60))

    def test_neither(self) -> None:
        """What is neither yes nor no is said to be none, and the question stands."""
        self.enter("/history off")
        self.enter("y")
        self.assertIn("Write the whole word, yes or no.", self.body())
        self.assertTrue(self.desk.questions.open)
        self.assertEqual(self.params("chat.history.set"), [])

    def test_on(self) -> None:
        self.erased()
        self.enter("/history on")
        self.assertEqual(self.params("chat.history.set"), [{"chat": CHAT, "enabled": True}])
        self.wire.event(updated(61, True, 60))
        self.assertNotIn("history off", self.header())
        self.assertIn("messages are kept from now on", self.body())

    def test_off_already(self) -> None:
        self.erased()
        self.enter("/history off")
        self.assertIn("off already", self.body())
        self.assertFalse(self.desk.questions.open)

    def test_older_messages(self) -> None:
        """Without more it is what it was."""
        self.enter("/history")
        self.assertIn("There are no older messages.", self.body())
        self.enter("/history maybe")
        self.assertIn("/history off or /history on", self.body())

    def test_wiped_by_others(self) -> None:
        """The other side has done it: messages, unread ones and lines of the chat are gone, others stay."""
        self.enter("/frobnicate")
        self.assertIn("frobnicate", self.body())
        self.erased()
        shown = self.body()
        for gone in ("text", "frobnicate", "PageUp"):
            self.assertNotIn(gone, shown)
        view = self.desk.state.chat(CHAT)
        assert view is not None
        self.assertEqual((view.unread, view.messages, view.history, view.erased), (0, [], False, cursor(60)))
        self.wire.event(message(61, "new"))
        self.assertIn("new", self.body())
        self.wire.event(updated(62, False, 60))  # something else has changed
        self.assertIn("new", self.body())

    def new_chat(self, number: int, erased: int) -> list[str]:
        """What is held of a chat of which a message was told first, and then what it is."""
        info = ChatInfo(OTHER, "group", erased=cursor(erased))
        self.wire.event(message(60, chat=OTHER))
        self.wire.event(ChatUpdated(cursor(number), info))
        view = self.desk.state.chat(OTHER)
        assert view is not None
        self.assertEqual(view.erased, cursor(erased))
        return [held.id for held in view.messages]

    def test_an_erasure_of_before(self) -> None:
        """A chat that is new here keeps what came before it was told of a past that was erased earlier."""
        self.assertEqual(self.new_chat(61, 50), [cursor(60)])
        self.wire.event(ChatUpdated(cursor(62), ChatInfo(OTHER, "group", erased=cursor(62))))
        view = self.desk.state.chat(OTHER)
        self.assertEqual(view and view.messages, [])

    def test_what_is_told_of_a_chat_that_is_new(self) -> None:
        """Nothing that was told there goes for an erasure of before, and all of it for a new one."""
        for place, left in ((71, ["told"]), (70, [])):
            chat = "!" + "nm"[place == 70] * 26
            self.desk.notices.clear()
            self.desk.tell("told", chat=chat)
            self.wire.event(ChatUpdated(cursor(place), ChatInfo(chat, "group", erased=cursor(70))))
            self.assertEqual([one.text for one in self.desk.notices if one.text == "told"], left)

    def test_an_erasure_in_a_chat_that_is_new(self) -> None:
        """What the erasure itself tells of wipes, whatever was known of the chat."""
        self.assertEqual(self.new_chat(61, 61), [])

    def test_a_page_that_was_asked_for_before(self) -> None:
        """It is not put into the view that was wiped."""
        view = self.desk.state.chat(CHAT)
        assert view is not None
        del self.wire.answers["chat.history"]
        self.desk.run(self.desk.pages.older(view))
        asked = self.wire.of("chat.history")[-1]
        self.erased()
        self.wire.reply(asked, {"messages": [message(1, "gone")], "more": True})
        self.assertEqual(view.messages, [])

    def test_receipt(self) -> None:
        """It is saved to a file that is not there yet, and verifies."""
        path = Path(self.mktemp()).absolute()
        self.enter(f"/receipt {path}")
        shown = " ".join(self.body(columns=200).split())
        self.assertIn("home.example says that it erased", shown)
        key = self.desk.state.voice.fingerprint
        self.assertIn(f'safeum verify-receipt {path} --key "{key or "FINGERPRINT"}"', shown)
        self.assertEqual(verify(path, None)[0], UNKNOWN_KEY)
        self.assertEqual(verify(path, RECEIPT["key"])[0], 0)
        before = path.read_bytes()
        self.enter(f"/receipt {path}")
        self.assertIn("is there already", self.body(columns=200))
        self.assertEqual(path.read_bytes(), before)
        self.enter("/receipt")
        self.assertIn("To which file?", self.body())
        self.enter("/receipt /nowhere/at/all")
        self.assertIn("cannot be written", self.body())

    def test_no_chat(self) -> None:
        self.enter("/chat")
        for line in ("/history off", "/history", "/receipt x"):
            self.enter(line)
            self.assertIn("No chat is open.", self.body())

    def test_methods(self) -> None:
        """The SDK's own."""
        answer = self.node.client.set_history(CHAT, False)
        assert isinstance(answer, Deferred)
        done = self.successResultOf(answer)
        self.assertEqual(msgspec.to_builtins(done.receipt), RECEIPT)
        receipt = self.node.client.history_receipt(CHAT)
        assert isinstance(receipt, Deferred)
        self.assertEqual(self.successResultOf(receipt).receipt, done.receipt)
