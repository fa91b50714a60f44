"""How many destinations are told something at the same moment, and which of them: nobody waits for the dead.

Nodes that were told something since this one was started have most of the room, those that were not a part
of their own, and those that cannot be told another. So however many take a request and never answer, what
goes to the others does not stand behind them.
"""

from collections import Counter, OrderedDict

from twisted.internet.defer import Deferred

GOOD, NEW, FAILING = "good", "new", "failing"
ROOM = {GOOD: 40, NEW: 12, FAILING: 12}
"""How many of each at the same moment; a body has up to a megabyte."""
REMEMBERED = 10_000
"""Nodes of which it is known that they were told something: those not told for longest are forgotten."""


class Slots:
    """One slot for each destination that is told something now."""

    def __init__(self) -> None:
        self._told: OrderedDict[str, None] = OrderedDict()
        self._taken: Counter[str] = Counter()
        self._waiting: dict[str, OrderedDict[str, Deferred[str]]] = {kind: OrderedDict() for kind in ROOM}

    def acquire(self, node: str, is_failing: bool) -> "Deferred[str]":
        """Fires with what `release` takes, once there is room; cancelled, it waits no more."""
        kind = FAILING if is_failing else GOOD if node in self._told else NEW
        got: Deferred[str] = Deferred(lambda _: self._forget(node))
        self._waiting[kind][node] = got
        self._hand_out(kind)
        return got

    def release(self, kind: str) -> None:
        """A slot is free again."""
        self._taken[kind] -= 1
        self._hand_out(kind)

    def told(self, node: str) -> None:
        """It has taken something."""
        self._told[node] = None
        self._told.move_to_end(node)
        while len(self._told) > REMEMBERED:
            self._told.popitem(last=False)

    def failed(self, node: str) -> None:
        """It could not be told."""
        self._told.pop(node, None)

    def heard(self, node: str) -> None:
        """It is there: it does not wait behind those that are not."""
        if (got := self._waiting[FAILING].pop(node, None)) is not None:
            self._waiting[NEW][node] = got
            self._hand_out(NEW)

    def _hand_out(self, kind: str) -> None:
        waiting = self._waiting[kind]
        while waiting and self._taken[kind] < ROOM[kind]:
            _, got = waiting.popitem(last=False)
            self._taken[kind] += 1
            got.callback(kind)

    def _forget(self, node: str) -> None:
        for waiting in self._waiting.values():
            waiting.pop(node, None)
