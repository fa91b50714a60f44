"""Timeouts of a connection on the reactor that the client was given."""

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Timeout:
    """A timeout that can be cancelled, also when it is over."""

    def __init__(self, call: IDelayedCall) -> None:
        self._call = call

    def cancel(self) -> None:
        if self._call.active():
            self._call.cancel()


class Timeouts:
    """What autobahn takes for a factory's timer (txaio's `IBatchedTimer`).

    Its own would run on the global reactor, which nobody runs in a client: nothing would then be pinged,
    and no handshake would ever be given up.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock

    def call_later(self, delay: float, call: Callable[..., object], *args: Any) -> Timeout:
        """Call in `delay` seconds."""
        return Timeout(self._clock.callLater(delay, call, *args))
