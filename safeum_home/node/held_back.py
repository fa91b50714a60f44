"""What a node cannot take for now, though all else that waits for it goes on: it is told again later."""

from collections.abc import Callable, Iterable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from safeum_home.ports.outbox import Refused

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


class HeldBack:
    """When what is held back for a node is told again: all of it at once."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        release: Callable[[str], "Deferred[None]"],
        wake: Callable[[Iterable[str]], None],
    ) -> None:
        """`release` lets what is held back for a node wait as all else does."""
        self._clock = clock
        self._release = release
        self._wake = wake
        self._tries: dict[str, int] = {}
        self._timers: dict[str, IDelayedCall] = {}
        self._stopped = False

    def more(self, node: str, refused: Iterable[Refused]) -> None:
        """These were held back just now."""
        if node in self._timers or self._stopped:
            return
        tries = self._tries[node] = self._tries.get(node, -1) + 1
        asked = max((each.retry_after or 0 for each in refused), default=0)
        self._later(node, min(LONGEST, max(asked, SHORTEST * 2 ** min(tries, 20))))

    def none(self, node: str) -> None:
        """It has taken all that it was told last."""
        if node not in self._timers:
            self._tries.pop(node, None)

    def stop(self) -> None:
        """It waits for the next start."""
        self._stopped = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _later(self, node: str, seconds: float) -> None:
        self._timers[node] = self._clock.callLater(seconds, self._due, node)

    def _due(self, node: str) -> None:
        del self._timers[node]

        def failed(_: object) -> None:
            self._log.info("What is held back for a node goes on waiting.")
            if not self._stopped:
                self._later(node, LONGEST)

        self._release(node).addCallbacks(lambda _: self._wake([node]), failed)
