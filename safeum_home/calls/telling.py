"""What devices are told of calls: events that are never stored."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from safeum_home.bus.kept import KeptFrames
from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports import Bus, Published, Waking
from safeum_home.ports.push import Wake
from safeum_home.protocol import frames
from safeum_home.protocol.call_types import Ended
from safeum_home.protocol.events import CallEnded


class CallTelling:
    """Tells those that are connected; and one that was in a call and comes back, that it is over."""

    def __init__(self, bus: Bus, seconds: Callable[[], float]) -> None:
        self._bus = bus
        self._kept = KeptFrames(seconds)

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
        for frame in self._kept.take(account, device):
            self._bus.publish(account, Published(frame, only=device))

    def has_kept(self, account: AccountId, device: DeviceId) -> bool:
        """Whether there is something for it."""
        return self._kept.has(account, device)

    def _keep(self, account: AccountId, device: DeviceId, call: str, reason: Ended) -> None:
        if not self.is_connected(account, device):
            self._kept.keep(account, device, _frame(CallEnded(call, reason)))


def _frame(event: Struct) -> bytes:
    return frames.text_frame(frames.encode_event(event))
