"""Files of SafeNUMs, and the operator's ranges."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.config_safenum import ASSIGN
from safeum_home.safenum.numbers.inventory import MOST_RANGES, Range
from safeum_home.safenum.numbers.stock import MOST_OF_RANGE, State, permuted
from safeum_home.safenum.numbers.stock_file import CAPABILITIES, MOST_LINES, MOST_MISTAKES, BadFile, parse
from tests.safenum_case import DAY, HEADER, SafenumCase, file

GOOD = "+3544900000,+3544900009,IS,voice-in"


COMMANDS = {"status", "list", "withdraw", "restore", "assign", "release"}


class FileTests(SynchronousTestCase):
    def mistakes(self, text: str) -> list[str]:
        bad: BadFile = self.assertRaises(BadFile, parse, text)
        return bad.mistakes

    def test_good(self) -> None:
        """Ranges and single numbers, of countries that share a code, and of none."""
        text = f"{HEADER}{GOOD}\n+12125550100,,US,voice-in voice-out sms\n"
        text += "+88351000000,+88351000001,001,voice-in\n"
        found = {line.first: line for line in parse(text)}
        self.assertEqual(set(found), {"+3544900000", "+12125550100", "+88351000000"})
        self.assertEqual(found["+12125550100"].last, "+12125550100")
        self.assertEqual(found["+12125550100"].capabilities, ("voice-in", "voice-out", "sms"))
        self.assertEqual(len(parse(text.replace("\n", "\r\n"))), 3)

    def test_mistakes(self) -> None:
        """Each has the number of its line."""
        for line, about in (
            ("+3544900000,+3544900009,IS", "fields"),
            ("3544900000,,IS,voice-in", "E.164"),
            ("+354 490 0000,,IS,voice-in", "E.164"),
            ("+3544900009,+3544900000,IS,voice-in", "behind"),
            ("+3544900000,+35449000000,IS,voice-in", "as long"),
            ("+35400000000,+35499999999,IS,voice-in", "at most"),
            ("+3544900000,,DE,voice-in", "country"),
            ("+3544900000,,is,voice-in", "country"),
            ("+9994900000,,IS,voice-in", "country"),
            ("+3544900000,,IS,voice", "capability"),
            ("+3544900000,,IS,", "capability"),
            ("+3544900000,,IS,voice-in voice-in", "twice"),
            ("+3544900000,,IS,voice-out", "voice-in"),
            ("", "fields"),
            ('"+3544900000,,IS,voice-in', ""),
        ):
            text = f"{HEADER}+3545550000,,IS,voice-in\n{line}\n"
            [mistake] = self.mistakes(text)
            self.assertTrue(mistake.startswith("line 3: "), mistake)
            self.assertIn(about, mistake)

    def test_header(self) -> None:
        for text in ("", GOOD, "\ufeff" + HEADER + GOOD, HEADER.upper() + GOOD):
            self.assertEqual(len(self.mistakes(text)), 1, text)
        self.assertIn("no number", self.mistakes(HEADER)[0])

    def test_overlap(self) -> None:
        """All that have numbers of another line are told, and no more mistakes than are read."""
        text = f"{HEADER}{GOOD}\n+3544900009,,IS,voice-in\n+3544900010,,IS,voice-in\n"
        self.assertEqual(self.mistakes(text), ["line 3: it has numbers of line 2"])
        self.assertEqual(len(self.mistakes(HEADER + "x\n" * 100)), MOST_MISTAKES)

    def test_too_many(self) -> None:
        lines = "".join(f"+354490{number:04},,IS,voice-in\n" for number in range(2501))
        self.assertIn("split it", self.mistakes(HEADER + lines)[0])


class OrderTests(SynchronousTestCase):
    @settings(max_examples=40, deadline=None)
    @given(st.binary(min_size=16, max_size=16), st.integers(1, 300))
    def test_each_once(self, key: bytes, count: int) -> None:
        self.assertEqual(sorted(permuted(key, at, count) for at in range(count)), list(range(count)))

    def test_another_order(self) -> None:
        """With another key it is another one, and it is not that of the numbers."""
        orders = [[permuted(bytes([key]) * 16, at, 1000) for at in range(50)] for key in range(3)]
        self.assertEqual(len({tuple(order) for order in orders}), 3)
        for order in orders:
            self.assertGreater(sum(abs(a - b) > 10 for a, b in pairwise(order)), 25)


class InventoryTests(SafenumCase):
    def ranges(self) -> list[Range]:
        return self.world.database.now(self.world.domain.numbers.inventory.ranges)

    def withdraw(self, number: str) -> bool:
        inventory = self.world.domain.numbers.inventory
        return self.successResultOf(self.world.database.transact(lambda c: inventory.withdraw(c, number)))

    def test_load(self) -> None:
        """With `check` nothing is stored. What was loaded before, if in part, is refused whole."""
        self.start()
        text = file("+3544900000", "+3544900999")
        self.assertEqual(self.load(text, check=True), (1, 1000, 0))
        self.assertEqual(self.ranges(), [])
        self.assertEqual(self.load(text), (1, 1000, 0))
        overlapping = ("+3544900999", ""), ("+3544899999", "+3544900000"), ("+3544900000", "+3544900999")
        for first, last in overlapping:
            more = f"{file(first, last)}+3545550000,,IS,voice-in\n"
            error = self.assertRaises(BadFile, self._load_now, more)
            self.assertEqual(error.mistakes, ["line 2: it has numbers that were loaded before"])
        self.assertEqual(len(self.ranges()), 1)
        self.load(file("+3544901000"))
        self.assertEqual([each.size for each in self.ranges()], [1000, 1])

    def _load_now(self, text: str) -> None:
        inventory, lines = self.world.domain.numbers.inventory, parse(text)
        self.world.database.now(lambda c: inventory.load(c, lines, True))

    def test_a_million(self) -> None:
        """Ten ranges of a million numbers are ten rows, and one more for each number that is given."""
        world = self.start()
        lines = "".join(f"+8835{n}000000,+8835{n}999999,001,voice-in\n" for n in range(10))
        self.assertEqual(self.load(file("+3544900001") + lines), (11, 10_000_001, 0))
        for name in ("alice", "bob"):
            self.assertIsNotNone(self.number(world.register(name)))
        self.assertEqual((world.database.count("stock"), world.database.count("numbers")), (11, 2))
        self.assertEqual(self.left(), 9_999_999)

    def test_withdrawn(self) -> None:
        """Nothing more is given of it; who has one keeps it. Loaded just so, it is back."""
        text = file("+3544900000", "+3544900001")
        world = self.start(text, quarantine_days=0)
        alice = world.register("alice")
        number = self.number(alice)
        self.assertFalse(self.withdraw("+3544900002"))
        self.assertTrue(self.withdraw("+3544900000"))
        self.assertEqual((self.number(alice), self.number(world.register("bob"))), (number, None))
        [found] = self.ranges()
        self.assertEqual((found.state, found.given, found.left), (State.WITHDRAWN, 1, 0))
        self.take_back(alice)
        world.clock.advance(7200)
        self.assertIsNone(self.number(world.register("carol")))
        self.assertRaises(BadFile, self._load_now, file("+3544900000"))
        self.assertEqual(self.load(text), (0, 0, 1))
        self.assertIsNotNone(self.number(world.register("dave")))
        self.assertEqual(self.number(world.register("erin")), number)


class AloneTests(SafenumCase):
    """Withdrawing one number of a range."""

    def do(self, number: str, back: bool = False) -> bool:
        numbers, inventory = self.world.domain.numbers.numbers, self.world.domain.numbers.inventory

        def run(c: Any) -> bool:
            if back:
                return numbers.restore(c, number)
            stock = inventory.holding(c, number)
            assert stock is not None
            numbers.withdraw(c, number, stock)
            return True

        return self.successResultOf(self.world.database.transact(run))

    def test_nobody_had_it(self) -> None:
        """It is left out when its turn comes, be it the last one; restored, it is given."""
        world = self.start(file("+3544900000", "+3544900002"))
        self.do("+3544900001")
        self.do("+3544900001")
        [found] = self.world.database.now(self.world.domain.numbers.inventory.ranges)
        self.assertEqual((found.withdrawn, found.left, found.given), (1, 2, 0))
        given = [self.number(world.register(name)) for name in ("alice", "bob", "carol")]
        self.assertEqual(sorted(filter(None, given)), ["+3544900000", "+3544900002"])
        self.assertIsNone(given[2])
        self.assertTrue(self.do("+3544900001", back=True))
        self.assertFalse(self.do("+3544900001", back=True))
        self.assertEqual(self.number(world.register("dave")), "+3544900001")

    def test_somebody_has_it(self) -> None:
        """Who has it keeps it; after that nobody has it, until it was restored and its quarantine is over."""
        world = self.start(file("+3544900000"), quarantine_days=1)
        alice = world.register("alice")
        self.do("+3544900000")
        self.assertEqual(self.number(alice), "+3544900000")
        self.assertEqual(self.owner("+3544900000"), alice.account)
        self.take_back(alice)
        world.clock.advance(3 * DAY)
        self.assertIsNone(self.number(world.register("bob")))
        self.assertTrue(self.do("+3544900000", back=True))
        self.assertEqual(self.number(world.register("carol")), "+3544900000")

    def test_in_quarantine(self) -> None:
        """Restoring makes no quarantine shorter."""
        world = self.start(file("+3544900000"), quarantine_days=1)
        self.take_back(world.register("alice"))
        self.do("+3544900000")
        self.do("+3544900000", back=True)
        self.assertIsNone(self.number(world.register("bob")))
        world.clock.advance(2 * DAY)
        self.assertEqual(self.number(world.register("carol")), "+3544900000")


class PageTests(SynchronousTestCase):
    """docs/numbers.md says what the code does."""

    def test_example(self) -> None:
        page = (Path(__file__).parent.parent / "docs" / "numbers.md").read_text()
        [example] = re.findall(r"^```text\n(.*?)^```$", page, re.M | re.S)
        self.assertEqual([line.size for line in parse(example)], [1000, 1])
        shown = set(re.findall(r"^\| `safeum-home numbers (\w+)", page, re.M))
        self.assertEqual(shown | {"load"}, {"load", *COMMANDS})
        for word in (*CAPABILITIES, *(f'`"{each}"`' for each in ASSIGN)):
            self.assertIn(word, page)
        self.assertIn(f"{MOST_LINES:,} lines", page)
        self.assertIn(f"up to {MOST_OF_RANGE:,}", page)
        self.assertIn(f"up to {MOST_RANGES:,} ranges", page)
