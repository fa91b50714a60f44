"""What waits to be told to nodes for a moment alone: a lane for all kinds that are gathered for as long."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall

from federation.slots import Slots

WAITING, WAITING_OF_NODE = 200_000, 20_000
"""How many subjects may wait in a lane, in all and for one node: beyond that nothing is told."""
PER_SECOND = 100.0
"""How many events of a lane a node is told in a second, on average."""
SHORTEST = 0.02
"""Seconds from one request to the next, in the lane of what is not gathered at all."""
AT_ONCE = 1_000
"""How many subjects are looked at for one request."""
Subject = tuple[str, Hashable]
"""The type of a kind, and a subject of it."""


class Taken(NamedTuple):
    """What is to be told now: of each type the subjects in their order, and until when each is of use."""

    subjects: dict[str, list[tuple[Hashable, float]]]
    late: list[Subject]
    """What was of no use any more."""


class Way:
    """What waits for a node: each subject once, with the time at which it is of no use any more."""

    def __init__(self) -> None:
        self.waiting: OrderedDict[Subject, float] = OrderedDict()
        self.timer: IDelayedCall | None = None
        self.run: Deferred[None] | None = None
        self.told = 0
        """How many events the last request had."""
        self.made: list[Any] = []
        """What was taken from those that wait, and is not told yet."""


class Lane:
    """Nodes are told one thing after another in each lane, and in none because of another one."""

    def __init__(self, turn: float) -> None:
        """`turn` is `ports.ExpiringKind.turn`."""
        self.turn = turn
        self.ways: dict[str, Way] = {}
        """Each has a timer or a run; it goes when its timer finds that nothing waits."""
        self.slots = Slots()
        self.waiting = 0
        """How many subjects wait."""

    def put(self, node: str, subject: Subject, until: float) -> bool:
        """Whether there was room."""
        way = self.ways.get(node) or Way()
        if subject not in way.waiting:
            if self.waiting >= WAITING or len(way.waiting) >= WAITING_OF_NODE:
                return False
            self.waiting += 1
        # It keeps its place, but is of use for longer: what is told is how it is then.
        way.waiting[subject] = until
        self.ways[node] = way
        return True

    def pause(self, way: Way) -> float:
        """Seconds from the end of a request to the next one."""
        return max(self.turn, SHORTEST, way.told / PER_SECOND)

    def take(self, way: Way, now: float) -> Taken:
        """What waits, no more than goes at once."""
        taken, late = dict[str, list[tuple[Hashable, float]]](), list[Subject]()
        for _ in range(min(AT_ONCE, len(way.waiting))):
            (type, subject), until = way.waiting.popitem(last=False)
            self.waiting -= 1
            if until > now:
                taken.setdefault(type, []).append((subject, until))
            else:
                late.append((type, subject))
        return Taken(taken, late)

    def drop(self, node: str) -> int:
        """Nothing waits for a node any more; how much that was."""
        way = self.ways.get(node)
        dropped = 0 if way is None else len(way.waiting)
        self.waiting -= dropped
        if way is not None:
            way.waiting.clear()
        return dropped

    def stop(self) -> list["Deferred[None]"]:
        """Nothing waits any more; what is still under way."""
        ways, self.ways, self.waiting = list(self.ways.values()), {}, 0
        for way in ways:
            if way.timer is not None:
                way.timer.cancel()
        return [way.run for way in ways if way.run is not None]
