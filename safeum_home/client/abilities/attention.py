"""Whether somebody sits at the terminal: told to the node, seldom."""

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from safeum_home.client.abilities.signals import Signals

IDLE_SECONDS = 180.0
SAY_SECONDS = 60.0
"""How often it is said again of somebody who goes on: the node, too, gives them 3 minutes."""


class Attention:
    """`used` with each key; after 3 minutes without one the node is told that nobody is there."""

    def __init__(self, client: Signals, clock: IReactorTime) -> None:
        self._client = client
        self._clock = clock
        self._said: float | None = None
        """When it was last said that somebody is there; None where nobody is."""
        self._timer: IDelayedCall | None = None

    def used(self) -> None:
        """A key was hit."""
        self._client.wake()
        now = self._clock.seconds()
        if self._said is None or now - self._said >= SAY_SECONDS:
            self._said = now
            self._client.set_active(True)
        if self._timer is None:
            self._timer = self._clock.callLater(IDLE_SECONDS, self._rest)
        else:
            self._timer.reset(IDLE_SECONDS)

    def stop(self) -> None:
        """No timer is left behind."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _rest(self) -> None:
        self._timer = self._said = None
        self._client.set_active(False)
