"""What a program knows of keys that were followed by others, after it has begun anew with its vault."""

from itertools import pairwise, permutations

from safeum_home.client.secure import roster
from safeum_home.client.secure.chat_memory import in_a_row
from safeum_home.client.secure.envelope import Kind
from safeum_home.client.secure.people import MOST_FORMER
from tests.secure_case import CHAT, Program, SecureCase, unique_key
from tests.secure_forger import Forger


class SuccessionTests(SecureCase):
    """Lists of members by who has not heard of somebody's other keys."""

    def test_begun_anew(self) -> None:
        """The keys of now stay, for a program that ran through as for one that has begun anew."""
        alice, bob, carol = self.group(3)
        stale = {**alice.chat.members}
        self.carry(carol, carol.chat.succeed(unique_key(2, 1)))
        later = Program(2, self.clock, version=1).knows(alice.key, bob.key)
        self.carry(later, later.chat.succeed(unique_key(2, 2)))
        self.programs = [alice, bob]
        forger = Forger(alice.key)
        for _ in range(2):
            content = roster.make(int(self.clock.seconds() * 1000), bob.chat._room.roster.head, stale)
            self.give(bob, forger.told(forger.envelope(Kind.ROSTER, content)))
            self.assertEqual(bob.chat.members[carol.account], unique_key(2, 2).hash)
            self.assertEqual(bob.refused, [])
            memory = bob.chat.memory()
            bob.open(CHAT)
            bob.knows(alice.key)
            bob.chat.restore(memory)


class HistoryTests(SecureCase):
    """Changes that are read from history."""

    def test_the_later_first(self) -> None:
        """Of two changes the later one may be read first: from history, page by page."""
        alice, bob, carol = self.group(3)
        first = self.carry(carol, carol.chat.succeed(unique_key(2, 1)))
        later = Program(2, self.clock, version=1).knows(alice.key, bob.key)
        second = self.carry(later, later.chat.succeed(unique_key(2, 2)))
        memory, people = bob.chat.memory(), bob.people
        self.assertEqual(len(memory.successions[carol.account]), 2)
        again = Program(1, self.clock)
        again.people = people
        again.open(CHAT)
        again.done(again.chat.past(self.log[:1]))
        again.done(again.chat.past(second))
        again.done(again.chat.past(first))
        self.assertEqual(again.chat.members[carol.account], unique_key(2, 2).hash)


class RowTests(SecureCase):
    """Which of somebody's changes the vault keeps."""

    def test_in_any_order(self) -> None:
        """Each stands behind the one that it follows on."""
        pairs = [("d", "b"), ("b", "c"), ("c", "a"), ("x", "y")]
        for each in permutations(pairs):
            self.assertEqual(in_a_row(each), tuple(pairs))

    def test_bounds(self) -> None:
        """The last ones are kept; the same of what was kept."""
        names = "hgfedcbazyxw"
        row = in_a_row(pairwise(names))
        self.assertEqual(len(row), MOST_FORMER)
        self.assertEqual(row[-1], ("x", "w"))
        self.assertEqual(in_a_row(reversed(row)), row)

    def test_strange_ones(self) -> None:
        """Two followers, or keys that follow on themselves, come to something, and always the same."""
        self.assertEqual(in_a_row([("a", "b"), ("a", "c")]), in_a_row([("a", "c"), ("a", "b")]))
        around = in_a_row([("a", "b"), ("b", "a"), ("c", "c")])
        self.assertEqual(in_a_row(reversed(around)), around)
        self.assertEqual(len(around), 3)
