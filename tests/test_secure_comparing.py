"""Comparing emoji within a secure chat."""

from itertools import count
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.sas import Words
from safeum_home.client.secure import comparing, payloads
from safeum_home.client.secure.comparing import Comparison, Pair
from safeum_home.client.secure.payloads import (
    Compare,
    CompareAnswer,
    CompareDone,
    CompareReveal,
    CompareStart,
)
from safeum_home.client.secure.refused import Refused
from safeum_home.protocol.signing import encode_octets
from tests.secure_case import CHAT, account, unique_key


class Side:
    """One of the two."""

    def __init__(self) -> None:
        self.said: list[Compare] = []
        self.words: Words | None = None
        self.result: bool | None = None
        self.machine: Comparison

    def say(self, payload: Compare) -> None:
        self.said.append(payload)

    def show(self, seen: Words) -> None:
        self.words = seen

    def done(self, same: bool) -> None:
        self.result = same

    def hear(self, payload: Any) -> None:
        """As it comes: from JSON."""
        self.machine.heard(payloads.decode(payloads.encode(payload)))  # type: ignore[arg-type]


class ComparingTests(SynchronousTestCase):
    """Both sides, and what somebody between them could do."""

    def setUp(self) -> None:
        own, other = ((account(each), unique_key(each).hash) for each in (0, 1))
        self.pair = Pair(CHAT, own, other)
        self.alice, self.bob = Side(), Side()
        self.alice.machine = comparing.begins(self.pair, self.alice)

    def begin(self, pair: Pair | None = None) -> None:
        self.alice.machine.begin()
        (start,) = self.alice.said
        assert isinstance(start, CompareStart)
        self.bob.machine = comparing.asked(pair or self.pair, start, self.bob)
        self.bob.machine.agree()

    def show(self) -> None:
        self.alice.hear(self.bob.said[-1])
        self.bob.hear(self.alice.said[-1])

    def test_the_same(self) -> None:
        """Both see the same, and say so."""
        self.begin()
        self.show()
        self.assertIsNotNone(self.alice.words)
        self.assertEqual(self.alice.words, self.bob.words)
        for one, other in ((self.alice, self.bob), (self.bob, self.alice)):
            self.assertIsNone(one.result)
            one.machine.judge(True)
            other.hear(one.said[-1])
        self.assertEqual((self.alice.result, self.bob.result), (True, True))

    def test_other_keys(self) -> None:
        """Where one knows other keys than the other has, they see others."""
        swapped = Pair(CHAT, self.pair.beginner, (account(1), unique_key(9).hash))
        for pair in (swapped, self.pair._replace(chat="!" + "f" * 26)):
            self.setUp()
            self.begin(pair)
            self.show()
            self.assertNotEqual(self.alice.words, self.bob.words)

    def test_not_the_same(self) -> None:
        """One of them says so: that is told, and it is over for both."""
        self.begin()
        self.show()
        self.bob.machine.judge(False)
        self.alice.hear(self.bob.said[-1])
        self.assertEqual((self.alice.result, self.bob.result), (False, False))
        self.alice.machine.judge(True)
        self.assertFalse(self.alice.result)

    def test_key_chosen_late(self) -> None:
        """Another key than the one that was committed to ends it, before anything is shown."""
        self.begin()
        self.alice.hear(self.bob.said[-1])
        reveal = self.alice.said[-1]
        assert isinstance(reveal, CompareReveal)
        self.bob.hear(CompareReveal(reveal.compare, encode_octets(b"\7" * 32), reveal.nonce))
        self.assertEqual((self.bob.words, self.bob.result), (None, False))
        self.assertEqual(self.bob.said[-1], CompareDone(reveal.compare, False))

    def test_small_order(self) -> None:
        """A key with which all come to the same is refused."""
        self.begin()
        self.alice.hear(CompareAnswer("a" * 21 + "A", encode_octets(bytes(32))))
        self.assertEqual((self.alice.words, self.alice.result), (None, False))

    def test_given_up(self) -> None:
        """At any time; the other hears of it."""
        self.begin()
        self.bob.machine.stop()
        self.alice.hear(self.bob.said[-1])
        self.assertEqual((self.alice.result, self.bob.result), (False, False))

    def test_withdrawn(self) -> None:
        """Before it was agreed to: it is over, and what its owner says of it later does nothing."""
        self.alice.machine.begin()
        (start,) = self.alice.said
        assert isinstance(start, CompareStart)
        self.bob.machine = comparing.asked(self.pair, start, self.bob)
        self.bob.machine.judge(True)
        self.alice.machine.stop()
        self.bob.hear(self.alice.said[-1])
        self.bob.machine.agree()
        self.assertEqual((self.alice.result, self.bob.result, self.bob.words), (False, False, None))

    def test_for_somebody_else(self) -> None:
        """What one is not asked for is not answered."""
        start = CompareStart("a" * 21 + "A", account(5), encode_octets(bytes(32)))
        self.assertRaises(Refused, comparing.asked, self.pair, start, self.bob)

    def test_each_time_others(self) -> None:
        """What is seen follows from keys of this once."""
        seen = set()
        for _ in zip(range(3), count(), strict=False):
            self.setUp()
            self.begin()
            self.show()
            seen.add(str(self.alice.words))
        self.assertEqual(len(seen), 3)
