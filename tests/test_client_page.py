"""The window over a chat of the terminal client: its order, and that it stays where its person put it."""

from datetime import UTC

from safeum_home.client.screen import page
from safeum_home.client.slash.slash import SLASHES
from safeum_home.client.words.text import width
from safeum_home.protocol.types import Message
from tests.client_desk import COLUMNS, NOW, ROWS, DeskTestCase
from tests.client_double import ADA, BOB, cursor, message


class PageTestCase(DeskTestCase):
    def setUp(self) -> None:
        super().setUp()
        older = [message(100 + number, f"text {number:02}", at=NOW) for number in range(60)]
        self.history = [*older, self.history[-1]]
        self.enter("/chat bob")

    def scroll(self, lines: int) -> None:
        page.scroll(self.desk, lines, COLUMNS, ROWS, UTC)


class OrderTests(PageTestCase):
    def test_the_order_of_pages_and_arrival_counts_and_no_clock(self) -> None:
        self.wire.event(message(200, "later one", at=NOW + 5))
        self.wire.event(message(201, "later two", at=NOW + 5))
        self.desk.note("a notice")
        self.wire.event(message(202, "later three", at=1))
        self.wire.event(message(203, "later four", sender=ADA, at=NOW + 5))
        self.wire.answers["chat.history"] = lambda params: {"messages": older, "more": False}
        older: list[Message] = [message(300 - number, f"old {number}", at=NOW + 9) for number in range(9)]
        view = self.desk.chat
        assert view is not None
        view.more = True
        self.enter("/history")
        text = self.body(rows=200)
        wanted = [*(f"old {number}" for number in range(9)), "text 00", "text 59"]
        wanted += ["later one", "later two", "a notice", "later three", "later four"]
        places = [text.index(each) for each in wanted]
        self.assertEqual(places, sorted(places))


class WindowTests(PageTestCase):
    def test_new_messages_do_not_move_a_window_that_is_further_up(self) -> None:
        self.scroll(30)
        before = self.body()
        self.wire.event(message(200, "new one\nof two lines"))
        self.wire.event(message(201, "new two"))
        self.wire.event(message(202, "own", sender=ADA))
        self.desk.tell("something happened")
        self.assertEqual(self.body(), before)
        self.assertIn("↓ 2 new below", self.info())
        self.assertEqual([params["upto"] for params in self.params("chat.read")], [cursor(3)])
        self.scroll(-3)
        self.assertNotEqual(self.body(), before)
        self.scroll(3)
        self.assertEqual(self.body(), before)
        self.scroll(-100)
        self.assertTrue(self.body().endswith("something happened"))
        self.assertNotIn("below", self.info())
        self.assertEqual(self.params("chat.read")[-1]["upto"], cursor(202))

    def test_writing_returns_to_the_newest(self) -> None:
        self.scroll(30)
        self.enter("hello")
        self.assertIn("hello", self.body())

    def test_the_window_ends_at_the_top(self) -> None:
        for _ in range(10):
            self.scroll(30)
        self.assertIn("text 00", self.body())
        self.scroll(-1000)
        self.assertIn("text 3", self.body())

    def test_typing_and_banners_are_below_what_is_new(self) -> None:
        self.scroll(30)
        self.assertIn("PageDown for the newest", self.info())
        self.desk.mark = None
        self.desk.banner = f"{BOB}\nx"
        self.assertNotIn("\n", self.info())


class HelpTests(PageTestCase):
    def test_the_help_begins_at_its_top_and_is_paged(self) -> None:
        self.enter("/help")
        pages = [self.body()]
        self.assertTrue(pages[0].startswith("Chats\n/chat [NAME]"))
        self.assertIn("PageDown for more", self.info())
        while "PageDown" in self.info(COLUMNS):
            self.scroll(-(ROWS - 2))
            pages.append(self.body())
            self.assertNotEqual(pages[-1], pages[-2])
        self.scroll(-(ROWS - 2))
        self.assertEqual(self.body(), pages[-1])
        self.assertTrue(" ".join(pages[-1].split()).endswith("starts with a slash"))
        for name in SLASHES:
            self.assertIn(f"/{name}", "".join(pages))
        for line in "\n".join(pages).split("\n"):
            self.assertLessEqual(width(line), COLUMNS)
        self.enter("")
        self.assertIn("text 59", self.body())

    def test_lines_that_are_too_long_hang_below_their_own_column(self) -> None:
        self.enter("/help")
        lines = self.body(50, 150).split("\n")
        place = next(index for index, line in enumerate(lines) if line.startswith("/block"))
        self.assertTrue(lines[place + 1].startswith(" " * 20))
        self.assertFalse(lines[place + 1].startswith(" " * 21))

    def test_what_comes_while_help_is_read_is_not_seen(self) -> None:
        count = len(self.params("chat.read"))
        self.enter("/help")
        self.wire.event(message(200, "unseen"))
        self.assertEqual(len(self.params("chat.read")), count)
        self.enter("")
        self.assertEqual(self.params("chat.read")[-1]["upto"], cursor(200))
