"""How often a device joins a conference with other keys by itself: few times, at growing distances.

Each time it shows other keys to everybody in it, which is a try for somebody in the middle, and breaks the
ways to all of them. What makes it do so may be a node's doing, or another device's: so they have it bounded.
"""

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from safeum_home.client.calling.timer import Timer

PAUSES = (0.0, 10.0, 30.0, 90.0)
"""Seconds before each time, at the least."""
CALM = 600.0
"""Seconds after the last time until it counts from the beginning again."""


class Renewal:
    """`join` is called when it is time."""

    def __init__(self, clock: IReactorTime, join: Callable[[], object]) -> None:
        self._clock = clock
        self._join = join
        self._timer = Timer(clock)
        self._times = 0
        self._last = clock.seconds()

    def wanted(self, seconds: float = 0.0) -> bool:
        """Join in `seconds` at the earliest; False where it was done so often that it is not done again."""
        if self._clock.seconds() > self._last + CALM:
            self._times = 0
        if self._times >= len(PAUSES):
            return False
        self._timer.start_first(max(seconds, PAUSES[self._times]), self._join)
        return True

    def done(self) -> None:
        """It has joined so."""
        self._times += 1
        self._last = self._clock.seconds()

    def stop(self) -> None:
        """It is in it no more."""
        self._timer.stop()
