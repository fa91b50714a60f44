"""What a device that is away just then is told when it comes, for a while: for what is not stored."""

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from safeum_home.ids import AccountId, DeviceId

SECONDS = 60.0
MOST, MOST_OF_DEVICE = 10_000, 8
"""For how long something is kept; for how many devices, and how much of each: the oldest goes first."""


class _Kept(NamedTuple):
    frame: bytes
    until: float


class KeptFrames:
    """Whoever keeps something looks first whether the device is connected. `seconds` is the time now."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._kept: OrderedDict[tuple[AccountId, DeviceId], list[_Kept]] = OrderedDict()
        """Those for which something was kept last come last."""

    def keep(self, account: AccountId, device: DeviceId, frame: bytes) -> None:
        now = self._seconds()
        kept = [*self._kept.pop((account, device), ()), _Kept(frame, now + SECONDS)]
        self._kept[account, device] = kept[-MOST_OF_DEVICE:]
        while len(self._kept) > MOST or next(iter(self._kept.values()))[-1].until <= now:
            self._kept.popitem(last=False)

    def take(self, account: AccountId, device: DeviceId) -> list[bytes]:
        """What is still of use, in its order; it is kept no more."""
        now = self._seconds()
        return [kept.frame for kept in self._kept.pop((account, device), ()) if kept.until > now]

    def has(self, account: AccountId, device: DeviceId) -> bool:
        return (account, device) in self._kept
