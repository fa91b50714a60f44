"""Searching what a client has loaded."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.state.search import Found, folded, search
from safeum_home.protocol.types import LoginAlert, Message, Text
from tests.client_desk import DeskTestCase
from tests.client_double import CHAT, DEVICE, OTHER, SYSTEM, SYSTEM_CHAT, cursor, message


class SearchTests(DeskTestCase):
    """Bob's messages are `text 1` to `text 3`; the newest is loaded, and the others with the history."""

    def found(self, text: str, chat: str | None = None) -> list[str]:
        return [each.message.id for each in self.node.client.search(text, chat)]

    def test_what_is_loaded(self) -> None:
        """Of a chat that was not opened that is its last message; the newest comes first."""
        self.assertEqual(self.found("text"), [cursor(3)])
        self.enter("/chat bob")
        self.assertEqual(self.found("text"), [cursor(number) for number in (3, 2, 1)])
        self.assertEqual(self.found("2"), [cursor(2)])

    def test_all_words_in_any_order(self) -> None:
        for number, text in enumerate(("the red house", "House of the sun", "a red sun"), 10):
            self.wire.event(message(number, text))
        self.assertEqual(self.found("house the"), [cursor(11), cursor(10)])
        self.assertEqual(self.found("RED  hou"), [cursor(10)])
        self.assertEqual(self.found("red moon"), [])
        self.assertEqual(self.found("   "), [])

    def test_as_people_read(self) -> None:
        """Case, composed and decomposed letters, ligatures and widths make no difference, in any script."""
        pairs = (
            ("Straße", "STRASSE"),
            ("caf\u00e9", "CAFE\u0301"),
            ("\ufb01sh", "FISH"),
            ("\uff21\uff22\uff23", "abc"),
            ("ΑΣ", "ας"),
            ("ПРИВЕТ", "привет"),
            ("\u1e9e", "ss"),
        )
        for number, (written, sought) in enumerate(pairs, 20):
            self.wire.event(message(number, written))
            self.assertIn(cursor(number), self.found(sought), (written, sought))
            self.assertEqual(folded(written), folded(sought))

    @given(st.text(max_size=30))
    def test_folding_twice_is_folding_once(self, text: str) -> None:
        self.assertEqual(folded(folded(text)), folded(text))

    def test_chats(self) -> None:
        """In all chats, or in one; what has no text is not found and does no harm."""
        self.wire.event(message(30, "lunch?", chat=CHAT))
        self.wire.event(message(31, "Lunch!", chat=OTHER))
        self.wire.event(Message(cursor(32), SYSTEM_CHAT, SYSTEM, 5, LoginAlert(DEVICE, "lunch", "x", 5)))
        self.assertEqual(self.found("lunch", OTHER), [cursor(31)])
        self.assertEqual(set(self.found("lunch")) - {cursor(32)}, {cursor(30), cursor(31)})
        self.assertEqual(self.found("lunch", "!" + "q" * 26), [])
        [first, *_] = search(self.node.client.state, "lunch!")
        self.assertIsInstance(first, Found)
        self.assertEqual((first.chat.chat, first.message.body), (OTHER, Text("Lunch!")))

    def test_no_more_than_wanted(self) -> None:
        for number in range(40, 50):
            self.wire.event(message(number, "again"))
        found = self.node.client.search("again", limit=3)
        self.assertEqual([each.message.id for each in found], [cursor(number) for number in (49, 48, 47)])

    def test_nothing_is_asked(self) -> None:
        """The node hears nothing of what is searched for."""
        before = list(self.wire.methods())
        self.found("text")
        self.assertEqual(self.wire.methods(), before)


class SlashTests(DeskTestCase):
    def test_found(self) -> None:
        """In the open chat, or in all where none is open; told with who wrote it, and where."""
        self.wire.event(message(31, "Text elsewhere", chat=OTHER))
        self.enter("/search text")
        self.assertIn("text 3", self.body())
        self.assertIn("Text elsewhere", self.body())
        self.enter("/chat bob")
        self.enter("/search 2")
        self.assertIn("Bob: text 2", self.body())
        self.enter("/search elsewhere")
        self.assertIn("Nothing that is loaded here has that.", self.body())
        self.enter("/search")
        self.assertIn("What for?", self.body())

    def test_many(self) -> None:
        for number in range(40, 70):
            self.wire.event(message(number, f"again {number}"))
        self.enter("/search again")
        self.assertIn("and 10 before that", self.body(rows=60))


class FoldingTests(SynchronousTestCase):
    def test_different_letters_stay_different(self) -> None:
        self.assertNotEqual(folded("résumé"), folded("resume"))
        self.assertNotEqual(folded("\u043e"), folded("o"))
