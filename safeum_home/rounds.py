"""Work that can wait: gathered for a while, done once, and never more than so much at a time.

This is what keeps it cheap when everybody comes back at once: what is too much for one round waits
for the next, and what changes meanwhile is done once, as it is then.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

T = TypeVar("T", bound=Hashable)
_log = Logger()

EVERY = 0.1
"""Seconds between two rounds, at the least."""


class Waiting(Generic[T]):
    """Items that wait for `delay` seconds each, in their order; one that waits already is not added again."""

    def __init__(self, delay: float, at_once: int, do: Callable[[T], object]) -> None:
        """`do` is called with at most `at_once` items in one round."""
        self._delay = delay
        self._at_once = at_once
        self._do = do
        # A plain dict is searched for its first item through all that was taken out before it.
        self._due: OrderedDict[T, float] = OrderedDict()
        self.added: Callable[[], None] = lambda: None
        """Called where the first one was added: those behind it are due later."""

    def __len__(self) -> int:
        return len(self._due)

    def add(self, item: T, now: float) -> None:
        if item not in self._due:
            self._due[item] = now + self._delay
            if len(self._due) == 1:
                self.added()

    def drop(self, item: T) -> None:
        self._due.pop(item, None)

    def hurry(self) -> None:
        """Do what waits for longest now."""
        item, _ = self._due.popitem(last=False)
        self._do(item)

    def next_at(self, now: float) -> float | None:
        """When the first one is due; None where nothing waits."""
        if (item := next(iter(self._due), None)) is None:
            return None
        # Where the clock was set back nothing waits for longer than its delay.
        return min(self._due[item], now + self._delay)

    def round(self, now: float) -> None:
        """Do what is due, as much of it as goes into one round."""
        for _ in range(self._at_once):
            due = self.next_at(now)
            if due is None or due > now:
                return
            item, _ = self._due.popitem(last=False)
            try:
                self._do(item)
            except Exception:
                _log.failure("something that had waited could not be done")


class Rounds:
    """Goes round while something waits. `clock` provides IReactorTime."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._queues: list[Waiting[Any]] = []
        self._call: IDelayedCall | None = None
        self._last = 0.0

    def queue(self, delay: float, at_once: int, do: Callable[[T], object]) -> Waiting[T]:
        """Another kind of work."""
        waiting = Waiting(delay, at_once, do)
        waiting.added = self._arrange
        self._queues.append(waiting)
        return waiting

    def stop(self) -> None:
        """Do nothing any more."""
        self._queues = []
        if self._call is not None and self._call.active():
            self._call.cancel()
        self._call = None

    def _arrange(self) -> None:
        """See to it that the next round comes in time."""
        now = self._clock.seconds()
        times = [at for queue in self._queues if (at := queue.next_at(now)) is not None]
        if not times:
            return
        wait = max(0.0, min(times) - now, min(self._last, now) + EVERY - now)
        if self._call is None or not self._call.active():
            self._call = self._clock.callLater(wait, self._round)
        elif self._call.getTime() > now + wait:
            self._call.reset(wait)

    def _round(self) -> None:
        self._call = None
        self._last = self._clock.seconds()
        for queue in self._queues:
            queue.round(self._last)
        self._arrange()
