"""Whether the peer is still there, whether it is still needed, and whether it says too much."""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

SPARE = 64 * 1024
"""Octets within `WINDOW` that may come beyond answers: settings, pings, windows, frames of no meaning."""
WINDOW = 10.0
"""Seconds."""
RESTING = 60.0
"""Seconds of silence after which a peer that is asked nothing gets a PING: else one that is gone, or a way
there that has closed meanwhile, would be found when the connection is needed."""


class Allowance:
    """How much a peer may say: each answer brings some more, and what is left over passes with time."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._began = now()
        self._spent = 0

    def earn(self, octets: int) -> None:
        """So many were asked for."""
        self._spent -= octets

    @property
    def exceeded(self) -> bool:
        """Whether too much came."""
        return self._spent > SPARE

    def spend(self, octets: int) -> None:
        """So many came."""
        if self._now() - self._began >= WINDOW:
            self._began, self._spent = self._now(), 0
        self._spent += octets


class Pulse:
    """Looks after a connection every `quiet` seconds, until it is stopped.

    Where nothing came for `quiet` seconds while something is asked (`busy`), or for `RESTING`, `ping` is
    called, and the next time `silent`. Where nothing was asked for `kept` seconds, `idle` is.
    """

    def __init__(
        self,
        clock: IReactorTime,
        quiet: float,
        kept: float,
        busy: Callable[[], bool],
        ping: Callable[[], None],
        silent: Callable[[], None],
        idle: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._quiet = quiet
        self._kept = kept
        self._busy = busy
        self._ping, self._silent, self._idle = ping, silent, idle
        self._asked = False
        """Whether nothing came since `ping`."""
        self._heard = self._used = clock.seconds()
        self._timer: IDelayedCall | None = clock.callLater(quiet, self._look)

    def heard(self) -> None:
        """Something came."""
        self._heard, self._asked = self._clock.seconds(), False

    def used(self) -> None:
        """Something is asked."""
        self._used = self._clock.seconds()

    def stop(self) -> None:
        """The connection has ended."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _look(self) -> None:
        now = self._clock.seconds()
        self._timer = self._clock.callLater(self._quiet, self._look)
        busy = self._busy()
        if busy:
            self._used = now
        if self._asked:
            self._silent()
        elif now - self._used >= self._kept:
            self._idle()
        elif now - self._heard >= (self._quiet if busy else RESTING):
            self._asked = True
            self._ping()
