"""What devices are told of calls with the telephone network: events that are not stored."""

from collections.abc import Callable, Collection

from msgspec import Struct

from safeum_home.bus.kept import KeptFrames
from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports import WAKING, Bus, Published, Waking
from safeum_home.ports.push import Wake
from safeum_home.protocol import frames
from safeum_home.protocol.telephone_events import TelephoneIncoming, TelephoneMissed, TelephoneOver


class TelephoneTelling:
    """Tells those that are connected; and one that was in a call and comes back, that it is over."""

    def __init__(self, bus: Bus, seconds: Callable[[], float]) -> None:
        self._bus = bus
        self._kept = KeptFrames(seconds)

    def connected(self, account: AccountId) -> frozenset[DeviceId]:
        return self._bus.connected(account)

    def ring(self, account: AccountId, event: TelephoneIncoming, rings: Callable[[], bool]) -> None:
        """To all devices; those that sleep are woken, as long as it rings."""
        self._bus.publish(account, Published(_frame(event), wake=Waking(Wake.CALL, stands=rings)))

    def missed(self, account: AccountId, event: TelephoneMissed) -> None:
        """To all devices; those that sleep are woken, and ask what it was."""
        self._bus.publish(account, Published(_frame(event), wake=WAKING))

    def tell(self, account: AccountId, device: DeviceId, event: Struct) -> None:
        """To one device, where it is connected."""
        self._bus.publish(account, Published(_frame(event), only=device))

    def stops_ringing(
        self, account: AccountId, event: TelephoneOver, among: Collection[DeviceId], skip: DeviceId | None
    ) -> None:
        """To all devices but one, and to those `among` them that are away when they come."""
        frame = _frame(event)
        self._bus.publish(account, Published(frame, skip=skip))
        for device in among:
            if device != skip:
                self._keep(account, device, frame)

    def ended(self, account: AccountId, device: DeviceId, event: TelephoneOver) -> None:
        """To the one device that was in the call, also when it comes."""
        frame = _frame(event)
        self._bus.publish(account, Published(frame, only=device))
        self._keep(account, device, frame)

    def came(self, account: AccountId, device: DeviceId) -> None:
        """A device is there, and is told what it has missed."""
        for frame in self._kept.take(account, device):
            self._bus.publish(account, Published(frame, only=device))

    def has_kept(self, account: AccountId, device: DeviceId) -> bool:
        """Whether there is something for it."""
        return self._kept.has(account, device)

    def _keep(self, account: AccountId, device: DeviceId, frame: bytes) -> None:
        if device not in self._bus.connected(account):
            self._kept.keep(account, device, frame)


def _frame(event: Struct) -> bytes:
    return frames.text_frame(frames.encode_event(event))
