"""Telling the node how far this device has got: seldom, and never as a call that waits."""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

EVERY = 50
AFTER = 0.2


class Acks:
    """`tell` is given the last cursor after `EVERY` events or `AFTER` seconds; it says whether it could."""

    def __init__(self, clock: IReactorTime, tell: Callable[[str], bool]) -> None:
        self._clock = clock
        self._tell = tell
        self._cursor: str | None = None
        self._count = 0
        self._timer: IDelayedCall | None = None

    def took(self, cursor: str) -> None:
        """The event at `cursor` is here."""
        self._cursor = cursor
        self._count += 1
        if self._count >= EVERY:
            self.flush()
        elif self._timer is None:
            self._timer = self._clock.callLater(AFTER, self.flush)

    def flush(self) -> None:
        """Tell now what was not told; without a session it is kept for the next one."""
        self.stop()
        if self._cursor is not None and self._tell(self._cursor):
            self.forget()

    def forget(self) -> None:
        """What was not told is not to be told any more."""
        self.stop()
        self._cursor = None
        self._count = 0

    def stop(self) -> None:
        """No timer is left behind."""
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()
