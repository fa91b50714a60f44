"""Text of others in a terminal: harmless, and never wider than its place."""

from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.utils import get_cwidth
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.errors import Closing, Disconnected, TimedOut, local
from safeum_home.client.words import text as text_module
from safeum_home.client.words.text import clock, day, duration, explain, fit, safe, stamp, width, wrap
from safeum_home.client.words.widths import shadow
from safeum_home.errors import Code, Problem

NOW = 1_795_489_447_564  # 2026-11-24 03:04 UTC
DAY = 86_400_000


class SafeTests(SynchronousTestCase):
    def test_what_a_terminal_would_obey_is_shown_as_a_mark(self) -> None:
        for attack in (
            "\x1b[2J",
            "\x1b]52;c;ZXZpbA==\x07",
            "\x9b31m",
            "\x90q\x9c",
            "\r",
            "\x7f",
            "\x08",
            "\u202e",
            "\u2066",
            "\u200f",
            "\u2028",
            "\ufeff",
            "\U000e0041",
            "\ud800",
        ):
            shown = safe(f"a{attack}b", newlines=True)
            self.assertTrue(shown.isprintable(), ascii(shown))

    def test_what_people_write_stays(self) -> None:
        for text in ("Grüße", "שלום", "नमस्ते", "नि\u200cनि", "日本語", "👩 👍", "العَرَبِيَّة"):
            self.assertEqual(safe(text), text)

    def test_glyphs_whose_width_is_uncertain_are_made_certain(self) -> None:
        for text, shown in (
            ("👩\u200d👩\u200d👧!", "👩👩👧!"),
            ("👍🏽", "👍"),
            ("🇩🇪", "DE"),
            ("❤\ufe0f", "❤"),
            ("1\ufe0f\u20e3", "1\u20e3"),
            ("\u2630", "\ufffd"),
            ("a" + 9 * "\u0316" + "b", "a" + 4 * "\u0316" + "b"),
            ("e\u0301", "é"),
        ):
            self.assertEqual(safe(text), shown)

    def test_spacing_vowel_signs_take_a_column(self) -> None:
        self.assertEqual([width(text) for text in ("नि", "क्षत्रिय", "தமிழ்")], [2, 6, 4])

    def test_a_line_that_is_edited_keeps_its_places(self) -> None:
        for text in ("👩\u200d👩", "🇩🇪 ok", "👍🏽", "❤\ufe0f"):
            self.assertEqual(len(shadow(text)), len(text))
            self.assertEqual(width(shadow(text)), width(safe(text)))

    def test_line_breaks_only_where_they_are_wanted(self) -> None:
        self.assertEqual(safe("a\nb\tc"), "a b c")
        self.assertEqual(safe("a\nb\tc", newlines=True), "a\nb c")

    @given(st.text())
    def test_nothing_but_the_non_joiner_is_unprintable(self, text: str) -> None:
        shown = safe(text)
        self.assertTrue(shown.replace("\u200c", "").isprintable())
        self.assertEqual(safe(shown), shown)


class WidthTests(SynchronousTestCase):
    @given(st.text(), st.integers(2, 60))
    def test_lines_fit(self, text: str, columns: int) -> None:
        text = safe(text, newlines=True)
        for line in wrap(text, columns):
            self.assertLessEqual(width(line), columns)
        self.assertEqual("".join("".join(wrap(text, columns)).split()), "".join(text.split()))

    @given(st.text(), st.integers(1, 40))
    def test_columns_are_filled_exactly(self, text: str, columns: int) -> None:
        self.assertEqual(width(fit(safe(text), columns)), columns)

    def test_a_long_text_is_measured_once(self) -> None:
        """Each redraw fits what may be a whole message: that takes no more looks than columns are shown."""
        looks: list[str] = []

        def looked(text: str) -> int:
            looks.append(text)
            return get_cwidth(text)

        self.patch(text_module, "width", looked)
        self.assertEqual(text_module.fit("a" * 8192, 10), "a" * 9 + "…")
        self.assertLess(len(looks), 20)

    def test_wrapping_prefers_spaces(self) -> None:
        self.assertEqual(wrap("one two three", 8), ["one two", "three"])
        self.assertEqual(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"])
        self.assertEqual(wrap("", 4), [""])
        self.assertEqual(wrap("  1  one two", 8), ["  1  one", "two"])


class TimeTests(SynchronousTestCase):
    def test_days_and_times(self) -> None:
        self.assertEqual(clock(NOW, UTC), "03:04")
        self.assertEqual(day(NOW, NOW, UTC), "Today")
        self.assertEqual(day(NOW - DAY, NOW, UTC), "Yesterday")
        self.assertEqual(day(NOW - 3 * DAY, NOW, UTC), "Saturday, 21 November")
        self.assertEqual(day(NOW - 400 * DAY, NOW, UTC), "Monday, 20 October 2025")
        self.assertEqual(stamp(NOW, NOW, UTC), "03:04")
        self.assertEqual(stamp(NOW - DAY, NOW, UTC), "23 Nov")
        self.assertEqual(stamp(NOW - 400 * DAY, NOW, UTC), "2025")

    def test_no_time_is_too_late_to_be_shown(self) -> None:
        self.assertEqual(stamp(2**53 - 1, NOW, UTC), "9999")

    def test_durations(self) -> None:
        self.assertEqual([duration(s) for s in (0.1, 8, 300, 7300)], ["1 s", "8 s", "5 min", "2 h"])


class WordTests(SynchronousTestCase):
    def test_every_error_has_words(self) -> None:
        for code in Code:
            self.assertTrue(explain(local(code)).endswith("."), code)
            self.assertEqual(explain(local(code)), explain(Problem(code)))
        self.assertTrue(explain(TimedOut("x")))
        self.assertIn("refused", explain(Disconnected(Closing(1006, "refused"))))

    def test_it_says_when_to_try_again(self) -> None:
        self.assertTrue(explain(Problem(Code.RATE_LIMITED, None, 120)).endswith("Try again in 2 min."))
