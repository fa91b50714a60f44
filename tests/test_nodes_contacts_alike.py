"""Between two nodes people see what they would see on one; and what crosses comes out alike on both."""

from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.accounts import relation
from safeum_home.accounts.relation import ACCEPTED, NONE, Action
from safeum_home.errors import Problem
from safeum_home.protocol.types import ContactState
from tests.nodes import Nodes
from tests.nodes_case import A, B, act, may_write, seen, state
from tests.world import Client, World

Step = tuple[Action, int]
States = tuple[ContactState, ContactState]
STEPS = tuple(product(Action, (0, 1)))


def after(states: States, step: Step) -> States | None:
    """Both states after one of the two did something; None where that does not go."""
    action, who = step
    try:
        mine, theirs = relation.after(action, states[who], states[1 - who])
    except Problem:
        return None
    return (theirs, mine) if who else (mine, theirs)


@cache
def ways() -> dict[States, tuple[Step, ...]]:
    """All pairs of states that two people can come to, each with one of the shortest ways there."""
    found: dict[States, tuple[Step, ...]] = {(NONE, NONE): ()}
    waiting = [(NONE, NONE)]
    while waiting:
        states = waiting.pop(0)
        for step in STEPS:
            become = after(states, step)
            if become is not None and become not in found:
                found[become] = (*found[states], step)
                waiting.append(become)
    return found


class Pairs:
    """Fresh people, again and again."""

    def __init__(self) -> None:
        self.nodes = Nodes(A, B)
        self.one = World(node=A)
        self.count = 0

    def here(self) -> tuple[Client, Client]:
        self.count += 1
        return self.one.register(f"alice{self.count}"), self.one.register(f"bob{self.count}")

    def apart(self) -> tuple[Client, Client]:
        return self.nodes[A].register(f"alice{self.count}"), self.nodes[B].register(f"bob{self.count}")


class AlikeTests(SynchronousTestCase):
    """What one does is told before the next thing is done."""

    def test_whatever_they_do(self) -> None:
        """From each state, each action: the same answers, states and events, and the same may write."""
        pairs = Pairs()
        self.assertEqual(len(ways()), 15)
        self.assertEqual(max(map(len, ways().values())), 3)
        for way, step in product(ways().values(), STEPS):
            here, apart = pairs.here(), pairs.apart()
            for action, who in (*way, step):
                self.assertEqual(
                    self.done(pairs, here, action, who, None),
                    self.done(pairs, apart, action, who, pairs.nodes),
                    (way, step),
                )
        self.assertEqual([peer.refused for peer in pairs.nodes.peers.values()], [[], []])

    def done(
        self, pairs: Pairs, people: tuple[Client, Client], action: Action, who: int, nodes: Nodes | None
    ) -> list[Any]:
        code = act(action, people[who], people[1 - who])
        if nodes is None:
            worlds = (pairs.one, pairs.one)
        else:
            nodes.settle()
            worlds = (nodes[A], nodes[B])
        first, second = people
        both = ((first, second), (second, first))
        writes = [may_write(world, *each) for world, each in product(worlds, both)]
        return [code, *(state(*each) for each in both), *(seen(each) for each in people), writes]


class CrossingTests(SynchronousTestCase):
    """Both do something before either is told of the other."""

    def test_whatever_crosses(self) -> None:
        """From each state, each two actions: both nodes agree afterwards on a pair that there is on one."""
        nodes = Nodes(A, B)
        for count, (way, first, second) in enumerate(product(ways().values(), Action, Action)):
            people = nodes[A].register(f"alice{count}"), nodes[B].register(f"bob{count}")
            self.come(nodes, people, way)
            nodes.away.add(B)
            for who, action in enumerate((first, second)):
                act(action, people[who], people[1 - who])
            nodes.away.clear()
            nodes.settle()
            self.agree(nodes, people, (way, first, second))
        # A profile may come to where its account is no contact any more.
        refused = {row.type for peer in nodes.peers.values() for row, _ in peer.refused}
        self.assertLessEqual(refused, {"profile"})

    def come(self, nodes: Nodes, people: tuple[Client, Client], way: Sequence[Step]) -> None:
        for action, who in way:
            act(action, people[who], people[1 - who])
            nodes.settle()

    def agree(self, nodes: Nodes, people: tuple[Client, Client], about: object) -> None:
        alice, bob = people
        states = (ContactState(state(alice, bob)), ContactState(state(bob, alice)))
        self.assertIn(states, ways(), about)
        agreed = states == (ACCEPTED, ACCEPTED)
        # Each node lets the other's write where its own account has agreed, and its own where the other has.
        for world, (who, other) in product((nodes[A], nodes[B]), ((alice, bob), (bob, alice))):
            self.assertEqual(may_write(world, who, other), agreed, about)
        if agreed:
            shown = [who.call("profile.get", account=other.account) for who, other in (people, people[::-1])]
            self.assertEqual([each["address"] for each in shown], [bob.address, alice.address], about)
