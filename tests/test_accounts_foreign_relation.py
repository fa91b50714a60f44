"""Relations between nodes as what each node knows: held against `relation`, which sees both sides at once."""

from collections import deque
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple, TypeVar

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.accounts import relation
from safeum_home.accounts.foreign_relation import OPEN, Pair, Told, acted, heard, is_news, is_stale
from safeum_home.accounts.relation import (
    ACCEPTED,
    BLOCKED,
    CLOSED,
    INCOMING,
    NONE,
    REMOVED,
    REQUESTED,
    Action,
)
from safeum_home.errors import Problem
from safeum_home.protocol.types import ContactState
from tests.test_nodes_contacts_alike import STEPS, after, ways

Pairs = tuple[Pair, Pair]
T = TypeVar("T")


def tell(pairs: Pairs, sender: int) -> Pairs:
    """What `sender` tells, and all that follows, until nobody has any news."""
    both, told = list(pairs), True
    while told:
        said = both[sender].told
        hearer = 1 - sender
        now = heard(both[hearer], said)
        assert heard(now, said) == now, "hearing it twice is hearing it once"
        told = is_news(both[hearer], now) or is_stale(both[hearer], said)
        both[hearer], sender = now, hearer
    return both[0], both[1]


def done(pairs: Pairs, who: int, action: Action, now: int) -> tuple[Pairs, bool] | None:
    """After somebody did something, and whether that is news; None where it does not go."""
    try:
        mine = acted(pairs[who], action, now)
    except Problem:
        return None
    both = (pairs[0], mine) if who else (mine, pairs[1])
    return both, is_news(pairs[who], mine)


class World(NamedTuple):
    """Two nodes and what lies between them: what is noted, and what was sent, as it was then."""

    pairs: Pairs = (Pair(), Pair())
    noted: tuple[bool, bool] = (False, False)
    sent: tuple[Told | None, Told | None] = (None, None)
    actions: int = 0

    @property
    def quiet(self) -> bool:
        return self.noted == (False, False) and self.sent == (None, None)

    def next(self, most: int) -> Iterator["World"]:
        """All that can happen next, with at most so many actions in all."""
        for who, action in product((0, 1), Action):
            if (
                self.actions < most
                and (result := done(self.pairs, who, action, self.actions + 1)) is not None
            ):
                yield self.with_(who, result[0], news=result[1])._replace(actions=self.actions + 1)
        for who in (0, 1):
            if self.noted[who] and self.sent[who] is None:
                sent = self._replace(sent=put(self.sent, who, self.pairs[who].told))
                yield sent._replace(noted=put(self.noted, who, False))
            if (said := self.sent[who]) is not None:
                hearer = 1 - who
                before, now = self.pairs[hearer], heard(self.pairs[hearer], said)
                assert heard(now, said) == now
                news = is_news(before, now) or is_stale(before, said)
                arrived = self.with_(hearer, put(self.pairs, hearer, now), news)
                yield arrived._replace(sent=put(self.sent, who, None))

    def with_(self, who: int, pairs: Pairs, news: bool) -> "World":
        return self._replace(pairs=pairs, noted=put(self.noted, who, self.noted[who] or news))


def put(both: tuple[T, T], who: int, value: T) -> tuple[T, T]:
    return (both[0], value) if who else (value, both[1])


class InOrderTests(SynchronousTestCase):
    """Each action is told before the next one."""

    def test_all_sequences(self) -> None:
        """All sequences of four actions of two people: the states are those of one node after each."""
        count = 0
        for sequence in product(STEPS, repeat=4):
            pairs: Pairs = (Pair(), Pair())
            states = (NONE, NONE)
            for now, (action, who) in enumerate(sequence, 1):
                result, become = done(pairs, who, action, now), after(states, (action, who))
                self.assertEqual(result is None, become is None, sequence)
                if result is None or become is None:
                    break
                states = become
                pairs = tell(result[0], who) if result[1] else result[0]
                self.assertEqual((pairs[0].mine, pairs[1].mine), states, sequence)
                for pair, theirs in zip(pairs, states[::-1], strict=True):
                    self.assertEqual(pair.theirs, theirs if theirs in OPEN else NONE, sequence)
                count += 1
        self.assertGreater(count, 10_000)

    def test_secrets(self) -> None:
        """A block is told as a removal is, and a declined request as one that waits."""
        asked = Pair(INCOMING, REQUESTED, 0, 7)
        declined = acted(asked, Action.DECLINE, 9)
        self.assertFalse(is_news(asked, declined))
        agreed = acted(asked, Action.ACCEPT, 9)
        blocked, removed = (acted(agreed, action, 10) for action in (Action.BLOCK, Action.REMOVE))
        self.assertEqual(blocked.told, removed.told)
        self.assertEqual(declined.told, acted(asked, Action.BLOCK, 9).told)
        unblocked = acted(blocked, Action.UNBLOCK, 11)
        self.assertFalse(is_news(blocked, unblocked))


class CrossingTests(SynchronousTestCase):
    """Actions, sending and arriving in whatever order."""

    def test_all_interleavings(self) -> None:
        """When all is told both nodes agree on a pair of states that there is on one, and go on alike."""
        start = World()
        seen, waiting, ends = {start}, deque([start]), 0
        while waiting:
            world = waiting.popleft()
            self.consents(world)
            if world.quiet:
                ends += 1
                self.agrees(world.pairs)
            for each in world.next(most=4):
                if each not in seen:
                    seen.add(each)
                    waiting.append(each)
        self.assertGreater(ends, 100)

    def consents(self, world: World) -> None:
        """Who has agreed here has asked, or accepted, and has not taken it back."""
        for pair in world.pairs:
            self.assertEqual(pair.mine is ACCEPTED, pair.theirs is ACCEPTED, world)

    def agrees(self, pairs: Pairs) -> None:
        states = (pairs[0].mine, pairs[1].mine)
        self.assertIn(states, ways())
        for pair, theirs in zip(pairs, states[::-1], strict=True):
            # A request may be out of sight as one is that was declined: it is agreed to all the same.
            unseen = theirs is REQUESTED and pair.mine in (NONE, BLOCKED) and pair.theirs is NONE
            self.assertTrue(unseen or pair.theirs is (theirs if theirs in OPEN else NONE), pairs)
        for action, who in STEPS:
            result, become = done(pairs, who, action, 100), after(states, (action, who))
            self.assertEqual(result is None, become is None)
            if result is not None and become is not None:
                first, second = tell(result[0], who) if result[1] else result[0]
                self.assertEqual((first.mine, second.mine), become, (pairs, action, who))

    def test_states(self) -> None:
        """Whatever is told: who blocks or is closed stays so, and nobody agrees without having asked."""
        states = (NONE, REQUESTED, INCOMING, ACCEPTED, REMOVED, BLOCKED, CLOSED)
        for mine, theirs, state, asked, of in product(
            states, (NONE, REQUESTED, ACCEPTED), OPEN | {NONE}, (1, 2), (1, 2)
        ):
            now = heard(Pair(mine, theirs, 1, 1), Told(ContactState(state), asked, of))
            if mine in (BLOCKED, CLOSED):
                self.assertIs(now.mine, mine)
            if now.mine is ACCEPTED:
                self.assertIn(mine, OPEN)
            self.assertIn(relation.STATES.index(now.mine), range(7))
