"""Commands that devices are given, and what they do to the model when they reach the node."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from safeum_home.client.errors import Disconnected, RemoteProblem, TimedOut
from tests.chats_check import Check
from tests.chats_history_check import fleeting_row, is_recognised
from tests.chats_history_truth import HistoryTruth
from tests.chats_names import Names
from tests.chats_net import Asked, Device, Net
from tests.chats_rooms import Room, Said

Apply = Callable[[], str | None]


@dataclass
class Order:
    """A command that was given and not answered yet, and what it does to the model.

    `again`: the client gives it again on the next connection.
    """

    asked: Asked
    apply: Apply
    again: bool
    expected: str | None = None


class Orders:
    """A node, devices, what they were told to do, and what is true."""

    def __init__(self, names: list[str]) -> None:
        self.net = Net()
        self.truth = HistoryTruth(names)
        self.truth.away, self.truth.writing, self.truth.kept = self._away, self._slow_writer, self._kept
        self.truth.recognised = self._recognised
        self.names = Names(self.truth)
        self.check = Check(self.truth, self.names)
        self._writing: Device | None = None
        self.devices: list[Device] = []
        self.orders: dict[Device, list[Order]] = {}

    def _away(self, room: Room) -> set[str]:
        devices = [device for device in self.devices if device is not self._writing and not device.live]
        return {device.id for device in devices if device.owner in room.people}

    def _slow_writer(self) -> set[str]:
        return set() if self._writing is None or self._writing.live else {self._writing.id}

    def applied(self, device: Device, apply: Apply) -> str | None:
        self._writing = device
        try:
            return apply()
        finally:
            self._writing = None

    def _kept(self, said: Said) -> bool:
        """Whether the node has the message."""
        found = self.names.id_of(said.key)
        return found is None or fleeting_row(self.net.world, found)

    def _recognised(self, said: Said) -> bool:
        """Whether the node knows that it had the message."""
        found = self.names.id_of(said.key)
        return found is not None and is_recognised(self.net.world, found)

    def loaded(self, device: Device) -> None:
        """A device has just loaded what there is."""
        said = [said for room in self.truth.rooms.values() for said in room.said]
        device.began = self.truth.order
        device.missed = {one.order for one in said if one.fleeting and not self._kept(one)}

    def replay(self, device: Device) -> None:
        """What is given again reaches the node as soon as the client is back."""
        for order in self.orders[device]:
            if order.again and not order.asked.done:
                order.expected = self.applied(device, order.apply)

    def give(
        self, device: Device, told: Callable[[], Awaitable[object]], apply: Apply, *, again: bool = False
    ) -> None:
        """Have the device give a command, which does `apply` to the model when it reaches the node."""
        expected = self.applied(device, apply) if device.connected else None
        self.orders[device].append(Order(device.ask(told), apply, again, expected))
        self.settle_orders(device)

    def settle_orders(self, device: Device) -> None:
        """Those that were answered were answered as the model says."""
        for order in [order for order in self.orders[device] if order.asked.done]:
            self.orders[device].remove(order)
            error = order.asked.error
            if isinstance(error, Disconnected):
                assert not order.again, error
            elif isinstance(error, TimedOut):
                pass  # it was done if it reached the node, and is not given again
            elif isinstance(error, RemoteProblem):
                assert error.code == order.expected, (error, order.expected)
            else:
                assert error is None, error
                assert order.expected is None, f"{order.expected} was expected"
