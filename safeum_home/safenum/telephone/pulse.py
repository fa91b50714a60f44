"""As long as there are calls: each second it is stored that they go on, all of them in one write."""

from collections.abc import Sized
from typing import Any

from twisted.internet.interfaces import IDelayedCall

from safeum_home.errors import Problem
from safeum_home.ports.money import Charging
from safeum_home.spawn import spawn

EVERY = 1.0
"""Seconds. So much of a call is not charged where the node is killed, and no more."""


class Pulse:
    """`clock` provides IReactorTime. What the storage does not take is said the next time."""

    def __init__(self, clock: Any, charging: Charging, calls: Sized) -> None:
        self._clock = clock
        self._charging = charging
        self._calls = calls
        self._next: IDelayedCall | None = None
        self._is_writing = False

    def start(self) -> None:
        """There is a call."""
        if self._next is None:
            self._next = self._clock.callLater(EVERY, self._beat)

    def stop(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _beat(self) -> None:
        self._next = None
        if not self._calls:
            return
        self.start()
        if not self._is_writing:
            self._is_writing = True
            spawn(self._write(), "storing that calls go on")

    async def _write(self) -> None:
        try:
            await self._charging.alive(int(self._clock.seconds() * 1000))
        except Problem:
            pass
        finally:
            self._is_writing = False
