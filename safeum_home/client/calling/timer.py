"""One thing at a time that is to happen later."""

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Timer:
    """What is started takes the place of what was waited for before."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._due: IDelayedCall | None = None

    def start(self, seconds: float, then: Callable[[], Any]) -> None:
        """Call `then` in so many seconds."""
        self.stop()
        self._due = self._clock.callLater(seconds, self._fire, then)

    def start_first(self, seconds: float, then: Callable[[], Any]) -> None:
        """The same, unless something is waited for that happens earlier."""
        if self._due is None or self._due.getTime() > self._clock.seconds() + seconds:
            self.start(seconds, then)

    def _fire(self, then: Callable[[], Any]) -> None:
        self._due = None
        then()

    def stop(self) -> None:
        """Nothing is waited for any more."""
        due, self._due = self._due, None
        if due is not None:
            due.cancel()
