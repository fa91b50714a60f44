"""What a node cannot take for now, and which stands in no line: each object is told again at its own time."""

from collections.abc import Callable, Coroutine, Iterable
from math import ceil
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from safeum_home.node.held_back import LONGEST, SHORTEST, until_retry
from safeum_home.ports.outbox import Refused, Waiting

MOST = 10_000
"""Objects of which it is known how often they were told in vain; one more waits the longest each time."""
STEPS = 16
"""Such a part of the time that something waits it may wait longer, to be told together with more."""
Release = Callable[[str], Coroutine[Any, Any, int | None]]


class _Try(NamedTuple):
    """How often before this one it was told in vain, and until when it waits."""

    number: int
    until: int


class HeldAlone:
    """Until when each is held back, and a timer for each node, which goes off for the first of them."""

    def __init__(
        self,
        clock: IReactorTime,
        release: Release,
        wake: Callable[[Iterable[str]], None],
        milliseconds: Callable[[], int],
    ) -> None:
        """`release` lets what is due for a node wait as all else does; until when the rest waits, or None.

        That is in seconds since 1970.
        """
        self._clock = clock
        self._release = release
        self._wake = wake
        self._milliseconds = milliseconds
        self._tries: dict[tuple[str, str, bytes], _Try] = {}
        self._timers: dict[str, IDelayedCall] = {}
        self._stopped = False

    def until(self, node: str, rows: Iterable[tuple[Waiting, Refused]]) -> list[tuple[Waiting, int]]:
        """Until when each of these rows waits, which the node cannot take now: longer each time."""
        now = self._milliseconds() / 1000
        if len(self._tries) >= MOST:
            # What was due long ago, and is not here again, was dropped.
            live = {what: try_ for what, try_ in self._tries.items() if try_.until > now - 2 * LONGEST}
            self._tries = live
        return [(row, self._until(node, row, refused, now)) for row, refused in rows]

    def _until(self, node: str, row: Waiting, refused: Refused, now: float) -> int:
        what = (node, row.type, row.pointer)
        before = self._tries.get(what)
        if before is None and len(self._tries) >= MOST:
            return ceil(now + LONGEST)
        number = 0 if before is None else before.number + 1
        asked, delay = refused.retry_after or 0, SHORTEST * 2 ** min(number, 20)
        if asked > delay:
            until = ceil(now + min(LONGEST, asked))
        else:
            # What was refused at about the same time is told again at the same.
            delay = min(LONGEST, delay)
            step = max(1, delay // STEPS)
            until = ceil((now + delay) / step) * step
        self._tries[what] = _Try(number, until)
        return until

    def held(self, node: str, until: Iterable[int]) -> None:
        """What waits until then is held back, and that is committed."""
        if self._stopped:
            return
        seconds = min(until) - self._milliseconds() / 1000
        timer = self._timers.get(node)
        if timer is None:
            self._later(node, seconds)
        elif timer.getTime() > self._clock.seconds() + seconds:
            timer.reset(max(0, seconds))

    def over(self, node: str, rows: Iterable[Waiting]) -> None:
        """These it has taken, or refused for good."""
        for row in rows if self._tries else ():
            self._tries.pop((node, row.type, row.pointer), None)

    def stop(self) -> None:
        """It waits for the next start."""
        self._stopped = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _later(self, node: str, seconds: float) -> None:
        self._timers[node] = self._clock.callLater(min(LONGEST, max(1, seconds)), self._due, node)

    def _due(self, node: str) -> None:
        del self._timers[node]

        def released(following: int | None) -> None:
            if following is not None:
                self.held(node, [following])
            self._wake([node])

        def failed(failure: Failure) -> None:
            if not self._stopped and node not in self._timers:
                self._later(node, until_retry(failure, LONGEST))

        Deferred.fromCoroutine(self._release(node)).addCallbacks(released, failed)
