"""Putting devices to sleep that nobody uses: one round over all sessions, and nothing for each command.

A device that can be woken costs memory, pings and battery for nothing while nobody is there. It is told to
sleep and disconnected; what is told to its account from then on wakes it. One that nothing can wake stays,
unless the operator wants otherwise: it would hear of nothing before somebody uses it.
"""

from twisted.internet.task import deferLater
from twisted.logger import Logger

from safeum_home.gateway.device import ConnectedDevice
from safeum_home.gateway.services import Services
from safeum_home.gateway.session import Session
from safeum_home.gateway.timers import Timeout, Timeouts
from safeum_home.spawn import spawn

_log = Logger()
_LEAST_PAUSE, _MOST_PAUSE = 0.25, 15.0
"""Seconds between two rounds: so much later than told a device is put to sleep at the most."""
_PARTS = 12
"""How many rounds go by while a device falls idle, where that takes less than that."""
_AT_ONCE = 1000
"""How many sessions are looked at before others have their turn."""


class Idling:
    """Goes round the sessions of a node. Whether a device can be woken is asked for one at a time."""

    def __init__(self, services: Services, timeouts: Timeouts) -> None:
        self._services = services
        self._timeouts = timeouts
        self._next: Timeout | None = None
        self._due = float("inf")
        """When the next round is to begin."""
        self._since = 0.0
        """From when on time counts: where the clock was set forward, or the node stood still, from then."""
        self._stopped = False

    def start(self) -> None:
        """Go round from now on, with the limits as they are in force."""
        idle = self._services.limits.idle_seconds
        pause = max(_LEAST_PAUSE, idle / _PARTS) if idle else _MOST_PAUSE
        pause = min(pause, _MOST_PAUSE)
        self._due = self._services.clock.seconds() + pause
        self._next = self._timeouts.call_later(pause, self._begin)

    def stop(self) -> None:
        """Put nobody to sleep any more."""
        self._stopped = True
        if self._next is not None:
            self._next.cancel()

    def _begin(self) -> None:
        now = self._services.clock.seconds()
        if now - self._due > _MOST_PAUSE:
            self._since = now
        spawn(self._round(), "looking for devices that nobody uses")

    async def _round(self) -> None:
        try:
            if self._services.limits.idle_seconds:
                await self._look_at_all()
        finally:
            if not self._stopped:
                self.start()

    async def _look_at_all(self) -> None:
        for number, session in enumerate(tuple(self._services.sessions), 1):
            if number % _AT_ONCE == 0:
                await deferLater(self._services.clock, 0)
            device = self._idle(session)
            if device is None:
                continue
            reachable = await self._reachable(device)
            # It may have been used while that was looked up.
            if self._stopped or reachable is None or self._idle(session) is not device:
                continue
            if reachable or self._services.limits.idle_without_push == "sleep":
                session.put_to_sleep(reachable)

    def _idle(self, session: Session) -> ConnectedDevice | None:
        """The device of a session, where it is to be put to sleep if it can be woken."""
        device, idle = session.resting, self._services.limits.idle_seconds
        if device is None or not idle:
            return None
        now = self._services.clock.seconds()
        # Where the clock was set back, a device was used now at the latest.
        device.used_at = min(device.used_at, now)
        self._since = min(self._since, now)
        last = max(device.used_at, self._services.busy.last(device.device), self._since)
        return None if now - last < idle else device

    async def _reachable(self, device: ConnectedDevice) -> bool | None:
        """As `Services.can_wake` says, asked once for as long as it is not used: registering is a use."""
        used_at = device.used_at
        if device.unreachable == used_at:
            return False
        reachable = await self._services.can_wake(device.account, device.device)
        if reachable is False:
            device.unreachable = used_at
        return reachable
