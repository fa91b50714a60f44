"""Both sides switch the history of one chat: whatever comes in which order, both nodes end with the same."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.chats.lives import HistoryState, merged
from tests.across_case import A, B, befriend_across
from tests.history_across_case import Shown, life, settle
from tests.nodes import Nodes

ACTIONS = ((), ("off",), ("off", "on"), ("off", "on", "off"))


def orders(first: int, second: int, carried: int) -> Iterator[str]:
    """All orders of what two do (`a`, `b`), with what is told to the other one (`>`, `<`) in between."""
    if not (first or second or carried):
        yield ""
        return
    for mark, rest in (
        ("a", (first - 1, second, carried)),
        ("b", (first, second - 1, carried)),
        (">", (first, second, carried - 1)),
        ("<", (first, second, carried - 1)),
    ):
        if min(rest) >= 0:
            for order in orders(*rest):
                yield mark + order


class _Side:
    """What a node is to do by the rules alone."""

    def __init__(self, place: int) -> None:
        self.place = place
        self.state = HistoryState((), True)

    def act(self, action: str) -> bool:
        """Whether it was not so already."""
        if (action == "on") is self.state.kept:
            return False
        life = list(self.state.life or (0, 0))
        if action == "off":
            life[self.place] += 1
        self.state = HistoryState(tuple(life), action == "on")
        return True


class RuleTests(SynchronousTestCase):
    def test_all_orders(self) -> None:
        """Both agree in the end; what neither had switched on since the last time it was off stays off."""
        count = 0
        for actions in product(ACTIONS, ACTIONS):
            for order in orders(len(actions[0]), len(actions[1]), 3):
                self._play(order, actions)
                count += 1
        self.assertGreater(count, 5_000)

    def _play(self, order: str, actions: tuple[tuple[str, ...], ...]) -> None:
        sides = _Side(0), _Side(1)
        todo = [iter(each) for each in actions]
        offs: set[tuple[int, int]] = set()
        for mark in order:
            if mark in "ab":
                side, action = sides["ab".index(mark)], next(todo["ab".index(mark)])
                if side.act(action) and action == "off":
                    offs.add((side.place, side.state.life[side.place]))
            else:
                here, there = sides if mark == ">" else sides[::-1]
                there.state = merged(there.state, here.state)
                self.assertEqual(merged(there.state, here.state), there.state)
        one, other = (
            merged(*each) for each in ((sides[0].state, sides[1].state), (sides[1].state, sides[0].state))
        )
        self.assertEqual(one, other)
        # Nothing that anybody has erased is forgotten.
        for place, number in offs:
            self.assertGreaterEqual(one.life[place], number)
        if one.kept:
            known = [side.state for side in sides if side.state.kept and side.state.life == one.life]
            self.assertTrue(known, "somebody has switched it on, and knew of all that was erased")

    def test_off_counts_more(self) -> None:
        """Who switches it on does not overrule somebody who has switched it off meanwhile."""
        on_again, off = HistoryState((1, 0), True), HistoryState((0, 1), False)
        self.assertEqual(merged(on_again, off), HistoryState((1, 1), False))
        self.assertEqual(merged(off, on_again), HistoryState((1, 1), False))


class OrderTests(SynchronousTestCase):
    """The same with nodes, messages and devices."""

    def setUp(self) -> None:
        self.nodes = Nodes(A, B, history_switches_per_account=1e9, history_switches_per_account_burst=10**9)
        self.people = self.nodes[A].register("alice"), self.nodes[B].register("bob")
        self.chat = befriend_across(*self.people)
        self.devices = [Shown(client, self.chat) for client in self.people]
        self.number = 0
        self.written: dict[str, Any] = {}

    def test_all_orders(self) -> None:
        """Devices show what their nodes do: what was written in the life that both come to, nothing else."""
        once, again = ("off",), ("off", "on")
        for actions, carried in (((once, once), 2), ((again, once), 1), ((once, again), 1)):
            for order in orders(len(actions[0]), len(actions[1]), carried):
                self._play(order, actions)

    def _play(self, order: str, actions: tuple[tuple[str, ...], ...]) -> None:
        self._on()
        todo = [iter(each) for each in actions]
        self._write()
        for mark in order:
            if mark in "ab":
                place = "ab".index(mark)
                client = self.people[place]
                client.ask("chat.history.set", chat=self.chat, enabled=next(todo[place]) == "on")
            else:
                self.nodes._carry(A if mark == ">" else B)
            self._write()
        settle(self.nodes)
        self._check(order)

    def _on(self) -> None:
        """Begin anew: kept on both."""
        self.people[0].ask("chat.history.set", chat=self.chat, enabled=True)
        settle(self.nodes)
        self.written.clear()
        self.assertEqual({life(world, self.chat).kept for world in self.nodes.worlds.values()}, {True})

    def _write(self) -> None:
        for client in self.people:
            self.number += 1
            words = f"{self.number}"
            self.written[words] = life(client.world, self.chat).life
            client.write(self.chat, words)

    def _check(self, order: str) -> None:
        one, other = (life(self.nodes[name], self.chat) for name in (A, B))
        self.assertEqual(one, other, order)
        expected = {words for words, known in self.written.items() if known == one.life}
        for device in self.devices:
            shown = {words for words in device.look() if words in self.written}
            self.assertEqual(shown | self._own(device), expected, order)
            held = {words for words in device.client.history(self.chat) if words in self.written}
            self.assertEqual(held, expected, order)
            self.assertEqual(device.info["pending"], [], order)
        for name, peer in self.nodes.peers.items():
            self.assertEqual((peer.refused, peer.waiting), ([], []), (name, order))

    def _own(self, device: Shown) -> set[str]:
        """What the device has sent itself comes back to it in no event."""
        page = device.client.call("chat.history", chat=self.chat)["messages"]
        return {m["body"]["text"] for m in page if m["sender"] == device.client.account}
