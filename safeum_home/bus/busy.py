"""Which devices are busy with something that their connection does not show: transfers over HTTP, calls."""

from collections.abc import Callable
from math import inf

from safeum_home.ids import DeviceId

REMEMBERED = 10_000
"""Of how many devices it is known when they were busy last."""


class BusyDevices:
    """`ports.Busy` for a node with one worker. `now` is the reactor's clock."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._held: dict[DeviceId, int] = {}
        self._last: dict[DeviceId, float] = {}

    def hold(self, device: DeviceId) -> "Held":
        """Keep a device awake until this is ended; what holds it are its reasons together."""
        self._held[device] = self._held.get(device, 0) + 1
        return Held(self, device)

    def last(self, device: DeviceId) -> float:
        return inf if device in self._held else self._last.get(device, 0.0)

    def end(self, device: DeviceId) -> None:
        """One of its reasons is over."""
        self._held[device] -= 1
        if self._held[device]:
            return
        del self._held[device]
        # The order is that in which they ended, so the first was busy longest ago.
        self._last.pop(device, None)
        self._last[device] = self._now()
        if len(self._last) > REMEMBERED:
            del self._last[next(iter(self._last))]


class Held:
    """`ports.Hold`."""

    __slots__ = ("_busy", "_device")

    def __init__(self, busy: BusyDevices, device: DeviceId) -> None:
        self._busy: BusyDevices | None = busy
        self._device = device

    def end(self) -> None:
        busy, self._busy = self._busy, None
        if busy is not None:
            busy.end(self._device)

    def __enter__(self) -> "Held":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
