"""The bus inside one process: a table of who listens."""

from collections.abc import Callable

from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports import Attendance, Published, Subscriber, Waker


class LocalBus:
    """`ports.Bus` for a node with one worker. Everything happens at once, in the caller's turn."""

    def __init__(self) -> None:
        self._subscribers: dict[AccountId, tuple[Subscriber, ...]] = {}
        self._attendances: tuple[Attendance, ...] = ()
        self._waker: Waker | None = None

    def observe(self, attendance: Attendance) -> None:
        """Tell it, too, from now on who comes and goes."""
        self._attendances = (*self._attendances, attendance)

    def wakes(self, waker: Waker) -> None:
        """Tell it from now on what devices are to be woken for."""
        self._waker = waker

    def subscribe(self, account: AccountId, subscriber: Subscriber) -> None:
        before = self._subscribers.get(account, ())
        kept = tuple(other for other in before if other.device != subscriber.device)
        self._subscribers[account] = (*kept, subscriber)
        for other in before:
            if other.device == subscriber.device and other is not subscriber:
                other.replaced()
        for attendance in self._attendances:
            attendance.came(account, subscriber)

    def unsubscribe(self, account: AccountId, subscriber: Subscriber) -> None:
        left = tuple(other for other in self._subscribers.get(account, ()) if other is not subscriber)
        if left:
            self._subscribers[account] = left
        else:
            self._subscribers.pop(account, None)
        for attendance in self._attendances:
            attendance.left(account, subscriber)

    def publish(self, account: AccountId, event: Published) -> None:
        for subscriber in self._subscribers.get(account, ()):
            if subscriber.device != event.skip and event.only in (None, subscriber.device):
                subscriber.deliver(event)
        if event.wake is not None and self._waker is not None:
            self._waker.news(account, event)

    def revoke(self, account: AccountId, which: Callable[[DeviceId], bool]) -> None:
        for subscriber in self._subscribers.get(account, ()):
            if which(subscriber.device):
                subscriber.revoked()
        for attendance in self._attendances:
            attendance.revoked(account, which)

    @property
    def accounts(self) -> int:
        """How many accounts have a device that is connected."""
        return len(self._subscribers)

    def close_account(self, account: AccountId, skip: DeviceId | None = None) -> None:
        for subscriber in self._subscribers.get(account, ()):
            if subscriber.device != skip:
                subscriber.account_closed()

    def connected(self, account: AccountId) -> frozenset[DeviceId]:
        return frozenset(subscriber.device for subscriber in self._subscribers.get(account, ()))

    def hosts(self, account: AccountId) -> dict[DeviceId, str]:
        return {subscriber.device: subscriber.host for subscriber in self._subscribers.get(account, ())}
