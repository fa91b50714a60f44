"""What devices of this node are told of the conferences that they are in."""

from collections.abc import Callable

from msgspec import Struct

from safeum_home.calls.conferences.roster import People, change
from safeum_home.calls.conferences.table import Table
from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports import Bus, Published
from safeum_home.protocol import frames
from safeum_home.protocol.events import ConferenceJoined, ConferenceLeft


class Telling:
    """Each device is told what it does not know yet."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.changed: Callable[[Table], None] = lambda table: None
        """Called where others are in it than before."""

    def change(self, table: Table, before: People, after: People, but: AccountId | None = None) -> None:
        """Of each of others; `but` one, whose answer has all."""
        changed, call = change(before, after), table.call
        events: list[tuple[str, Struct]] = [
            (each.account, ConferenceLeft(call, each.account, each.device)) for each in changed.left
        ]
        events += [
            (each.account, ConferenceJoined(call, each.account, each.device, each.hello, each.since))
            for each in changed.joined
        ]
        for account, mine in table.mine.items():
            for about, event in events:
                if account not in (but, about):
                    self.tell(account, mine.device, event)
        self.changed(table)

    def tell(self, account: AccountId, device: DeviceId, event: Struct) -> None:
        """Tell one device."""
        frame = frames.text_frame(frames.encode_event(event))
        self._bus.publish(account, Published(frame, only=device))
