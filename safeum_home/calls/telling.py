"""What devices are told of calls: events that are never stored."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec import Struct

from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports import Bus, Published, Waking
from safeum_home.ports.push import Wake
from safeum_home.protocol import frames
from safeum_home.protocol.call_types import Ended
from safeum_home.protocol.events import CallEnded

KEPT_SECONDS = 60.0
MOST_KEPT, MOST_OF_DEVICE = 10_000, 8
"""For how long ends are kept for devices that are away just then; for how many devices, and how many each."""


class _Kept(NamedTuple):
    call: str
    reason: Ended
    until: float


class CallTelling:
    """Tells those that are connected; and one that was in a call and comes back, that it is over."""

    def __init__(self, bus: Bus, seconds: Callable[[], float]) -> None:
        self._bus = bus
        self._seconds = seconds
        self._kept: OrderedDict[tuple[AccountId, DeviceId], list[_Kept]] = OrderedDict()
        """Those for which something was kept last come last."""

    def is_connected(self, account: AccountId, device: DeviceId) -> bool:
        return device in self._bus.connected(account)

    def ring(self, account: AccountId, event: Struct, rings: Callable[[], bool]) -> None:
        """To all devices; those that sleep are woken, as long as it rings."""
        self._bus.publish(account, Published(_frame(event), wake=Waking(Wake.CALL, stands=rings)))

    def tell(self, account: AccountId, device: DeviceId, event: Struct) -> None:
        """To one device, where it is connected."""
        self._bus.publish(account, Published(_frame(event), only=device))

    def ended(
        self,
        account: AccountId,
        call: str,
        reason: Ended,
        among: Sequence[DeviceId],
        skip: DeviceId | None = None,
    ) -> None:
        """A call is over, or is taken elsewhere: to all devices, and to those `among` them when they come."""
        self._bus.publish(account, Published(_frame(CallEnded(call, reason)), skip=skip))
        for device in among:
            if device != skip:
                self._keep(account, device, call, reason)

    def ended_on(self, account: AccountId, call: str, reason: Ended, device: DeviceId) -> None:
        """A call is over for the one device that was in it."""
        self.tell(account, device, CallEnded(call, reason))
        self._keep(account, device, call, reason)

    def came(self, account: AccountId, device: DeviceId) -> None:
        """A device is there, and is told what it has missed."""
        now = self._seconds()
        for kept in self._kept.pop((account, device), ()):
            if kept.until > now:
                self.tell(account, device, CallEnded(kept.call, kept.reason))

    def has_kept(self, account: AccountId, device: DeviceId) -> bool:
        """Whether there is something for it."""
        return (account, device) in self._kept

    def _keep(self, account: AccountId, device: DeviceId, call: str, reason: Ended) -> None:
        if self.is_connected(account, device):
            return
        now = self._seconds()
        kept = [*self._kept.pop((account, device), ()), _Kept(call, reason, now + KEPT_SECONDS)]
        self._kept[account, device] = kept[-MOST_OF_DEVICE:]
        while len(self._kept) > MOST_KEPT or next(iter(self._kept.values()))[-1].until <= now:
            self._kept.popitem(last=False)


def _frame(event: Struct) -> bytes:
    return frames.text_frame(frames.encode_event(event))
