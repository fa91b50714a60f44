"""Devices that come and go, accounts that are closed: what calls with the telephone network do then."""

from collections.abc import Callable
from typing import Any

from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports import Subscriber
from safeum_home.ports.money import Released
from safeum_home.protocol.telephone_types import TelephoneEnded
from safeum_home.safenum.telephone.stages import Ending
from safeum_home.safenum.telephone.table import Table
from safeum_home.safenum.telephone.telling import TelephoneTelling


class TelephoneAttendance:
    """`ports.Attendance`. `clock` provides IReactorTime."""

    def __init__(self, clock: Any, table: Table, telling: TelephoneTelling) -> None:
        self._clock = clock
        self._table = table
        self._telling = telling

    def came(self, account: AccountId, subscriber: Subscriber) -> None:
        device = subscriber.device
        calls = self._table.of(account)
        for call in calls:
            if call.device == device:
                call.attend()
        if calls or self._telling.has_kept(account, device):
            # Not before it was answered that it is in.
            self._clock.callLater(0, self._tell_all, account, device)

    def left(self, account: AccountId, subscriber: Subscriber) -> None:
        for call in self._table.of(account):
            if call.device == subscriber.device:
                call.attend()

    def revoked(self, account: AccountId, which: Callable[[DeviceId], bool]) -> None:
        for call in self._table.of(account):
            call.without(which)

    def forget_account(self, account: AccountId) -> None:
        """It was closed."""
        for call in self._table.of(account):
            sip = 200 if call.is_answered else 480
            call.machine.end(Ending(TelephoneEnded.HANGUP, Released.NODE, sip))

    def _tell_all(self, account: AccountId, device: DeviceId) -> None:
        self._telling.came(account, device)
        for call in self._table.of(account):
            call.tell_all(device)
