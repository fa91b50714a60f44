"""What stands in line for a node, as it cannot take it for now: it is told again later."""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from safeum_home.errors import Problem
from safeum_home.ports.outbox import Refused
from safeum_home.spawn import AWAY

PASSING = frozenset(
    (
        "busy",
        "rate_limited",
        "storage_unavailable",
        "sealed",
        "shutting_down",
        "node_unreachable",
        "internal_error",
        "unknown_key",
        "bad_signature",
    )
)
"""Codes that say nothing of the object itself: neither that it was refused, nor that it will be again."""
SHORTEST, LONGEST = 5, 1800
"""Seconds: what is held back is told again after the first, and then each time after twice as long."""
LONGEST_IN_LINE = 60
"""The same for what holds up all of a chat: nobody is to be forgotten there."""
Release = Callable[[str], Coroutine[Any, Any, bool]]
_log = Logger()


class HeldBack:
    """When what is held back for a node is told again: all of it at once, or as much as is released."""

    def __init__(
        self, clock: IReactorTime, release: Release, wake: Callable[[Iterable[str]], None], longest: int
    ) -> None:
        """`release` lets what is held back for a node wait as all else does; whether there is more of it."""
        self._clock = clock
        self._release = release
        self._wake = wake
        self._longest = longest
        self._tries: dict[str, int] = {}
        self._timers: dict[str, IDelayedCall] = {}
        self._rest: set[str] = set()
        """Nodes for which there is more than was released, with a timer in case nothing is heard of that."""
        self._stopped = False

    def more(self, node: str, refused: Iterable[Refused], some: bool = False) -> None:
        """These were held back just now. `some`: of the same the node has taken something."""
        if self._stopped or not self._may_set(node):
            return
        tries = self._tries[node] = 0 if some else self._tries.get(node, -1) + 1
        asked = max((each.retry_after or 0 for each in refused), default=0)
        self._later(node, min(self._longest, max(asked, SHORTEST * 2 ** min(tries, 20))))

    def none(self, node: str) -> None:
        """It has taken all that it was told last."""
        is_rest = node in self._rest
        if self._may_set(node):
            self._tries.pop(node, None)
        if is_rest:
            self._later(node, 0)

    def stop(self) -> None:
        """It waits for the next start."""
        self._stopped = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _may_set(self, node: str) -> bool:
        """Whether it is not known yet when there is to be another try."""
        if node in self._rest:
            self._rest.discard(node)
            self._timers.pop(node).cancel()
        return node not in self._timers

    def _later(self, node: str, seconds: float) -> None:
        self._timers[node] = self._clock.callLater(seconds, self._due, node)

    def _due(self, node: str) -> None:
        del self._timers[node]
        self._rest.discard(node)

        def released(rest: bool) -> None:
            if rest and not self._stopped and node not in self._timers:
                self._rest.add(node)
                self._later(node, self._longest)
            self._wake([node])

        def failed(failure: Failure) -> None:
            if not self._stopped:
                self._later(node, until_retry(failure, self._longest))

        Deferred.fromCoroutine(self._release(node)).addCallbacks(released, failed)


def until_retry(failure: Failure, longest: int) -> int:
    """Seconds until what could not be released is tried again: soon, where only the database was away."""
    _log.info("What is held back for a node goes on waiting.")
    away = isinstance(failure.value, Problem) and failure.value.code in AWAY
    return SHORTEST if away else longest
