"""Nodes that do not take what is of use for a moment alone: how long each is left alone."""

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

FIRST, LONGEST = 5.0, 300.0
"""Seconds for which a node is left alone that has not taken it, and at the most, if it goes on with that."""
AGAIN = 5.0
"""The same for what is not gathered: somebody waits for what becomes of it, so it is worth a try."""
REMEMBERED = 10_000
"""Of how many nodes it is known that they do not take it: those left alone for longest are tried again."""


class _Left(NamedTuple):
    """A node that has not taken it: so often in a row; until when it is left alone, and when it was tried."""

    times: int
    until: float
    tried: float


class Away:
    """`seconds` is the time now."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._nodes: OrderedDict[str, _Left] = OrderedDict()

    def __contains__(self, node: str) -> bool:
        return node in self._nodes

    def is_left_alone(self, node: str, is_prompt: bool) -> bool:
        """Whether it is not to be told anything now."""
        left = self._nodes.get(node)
        if left is None:
            return False
        until = min(left.until, left.tried + AGAIN) if is_prompt else left.until
        return self._seconds() < until

    def failed(self, node: str, was_tried: bool) -> None:
        """It could not be told; or was not even tried, as other things do not get through to it."""
        now = self._seconds()
        left = self._nodes.pop(node, _Left(0, now, now - AGAIN))
        times, until = left.times, left.until
        if now >= until:
            times += 1
            until = now + min(LONGEST, FIRST * 2.0 ** min(times - 1, 10))
        self._nodes[node] = _Left(times, until, now if was_tried else left.tried)
        if len(self._nodes) > REMEMBERED:
            self._nodes.popitem(last=False)

    def back(self, node: str) -> bool:
        """It is there; whether it was left alone."""
        return self._nodes.pop(node, None) is not None
