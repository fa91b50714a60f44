"""Devices that come and go, accounts that are closed, contacts that are none any more: what calls do then."""

from collections.abc import Callable
from typing import Any

from safeum_home.calls.legs import Legs
from safeum_home.calls.partners import Partners
from safeum_home.calls.stages import WITHDRAWN
from safeum_home.calls.telling import CallTelling
from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports import Subscriber
from safeum_home.protocol.presence import Privacy


class CallAttendance:
    """`ports.Attendance` and `ports.RelationWatch`. `clock` provides IReactorTime."""

    def __init__(self, clock: Any, legs: Legs, telling: CallTelling, partners: Partners) -> None:
        self._clock = clock
        self._partners = partners
        self._legs = legs
        self._telling = telling

    def came(self, account: AccountId, subscriber: Subscriber) -> None:
        device = subscriber.device
        legs = self._legs.of(account)
        for leg in legs:
            if leg.device == device:
                leg.attend()
        if legs or self._telling.has_kept(account, device):
            # Not before it was answered that it is in.
            self._clock.callLater(0, self._tell_all, account, device)

    def left(self, account: AccountId, subscriber: Subscriber) -> None:
        for leg in self._legs.of(account):
            if leg.device == subscriber.device:
                leg.attend()

    def revoked(self, account: AccountId, which: Callable[[DeviceId], bool]) -> None:
        for leg in self._legs.of(account):
            leg.without(which)

    def related(self, first: AccountId, second: AccountId, accepted: bool) -> None:
        if not accepted:
            self._partners.parted(first, second)
            for leg in (*self._legs.between(first, second), *self._legs.between(second, first)):
                leg.machine.end(WITHDRAWN)

    def privacy_changed(self, account: AccountId, privacy: Privacy) -> None:
        """Who calls is seen."""

    def forget_account(self, account: AccountId) -> None:
        """It was closed, at whichever node; `Forget` of ports tells when."""
        self._partners.forget_account(account)
        for leg in (*self._legs.of(account), *self._legs.with_account(account)):
            leg.machine.end(WITHDRAWN)

    def _tell_all(self, account: AccountId, device: DeviceId) -> None:
        self._telling.came(account, device)
        for leg in self._legs.of(account):
            leg.tell_all(device)
