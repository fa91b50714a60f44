"""What goes wrong and when: all of it follows from a seed, so that it can be had again."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

Edge = tuple[str, str]
"""Packets from the one node to the other."""


class Cut(NamedTuple):
    """Links that carry nothing from `begins` to `ends`, in seconds from the start."""

    begins: float
    ends: float
    edges: frozenset[Edge]


class Kill(NamedTuple):
    """A node that is killed at `begins`, and started again at `ends`."""

    begins: float
    ends: float
    node: str


class Plan(NamedTuple):
    """All that goes wrong; afterwards everything is whole again."""

    cuts: tuple[Cut, ...]
    kills: tuple[Kill, ...]

    def moments(self) -> list[float]:
        """When links change, in order."""
        return sorted({moment for cut in self.cuts for moment in (cut.begins, cut.ends)})

    def cut_at(self, moment: float) -> frozenset[Edge]:
        """The links that carry nothing then."""
        return frozenset(edge for cut in self.cuts if cut.begins <= moment < cut.ends for edge in cut.edges)

    def all(self) -> "list[Cut | Kill]":
        """Whatever goes wrong."""
        return [*self.cuts, *self.kills]

    def lines(self) -> Iterator[str]:
        """For people."""
        for each in sorted(self.all(), key=lambda each: each.begins):
            links = " ".join(f"{source}>{target}" for source, target in sorted(getattr(each, "edges", ())))
            what = f"killed {each.node}" if isinstance(each, Kill) else f"cut {links}"
            yield f"{each.begins:7.1f} to {each.ends:7.1f} s: {what}"


def new_plan(seed: int, nodes: Sequence[str], seconds: float) -> Plan:
    """Cuts of one way, of both ways, and of all links of a node; kills, also while a link is cut.

    In short runs they are short: a tenth of the whole at the most.
    """
    random = Random(f"plan {seed}")
    longest = min(45.0, max(2.0, seconds / 10))
    cuts: list[Cut] = []
    moment = random.uniform(0, longest / 2)
    while moment < seconds:
        ends = min(seconds, moment + random.uniform(longest / 8, longest))
        cuts.append(Cut(moment, ends, _edges(random, nodes)))
        moment += random.uniform(longest / 8, longest * 1.5)
    kills: list[Kill] = []
    moment = random.uniform(0, longest)
    while moment < seconds:
        ends = min(seconds, moment + random.uniform(longest / 16, longest))
        kills.append(Kill(moment, ends, random.choice(nodes)))
        # Sooner than the one before is back, at times: not one node alone is down then.
        moment += random.uniform(longest / 4, longest * 2)
    return Plan(tuple(cuts), tuple(kills))


def _edges(random: Random, nodes: Sequence[str]) -> frozenset[Edge]:
    one, other, third = random.sample(nodes, 3)
    both = {(one, other), (other, one)}
    return frozenset(random.choice([{(one, other)}, both, both | {(one, third), (third, one)}]))
