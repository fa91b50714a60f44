"""Accounts whose devices are known, as far as they can be woken: a bounded number, in memory."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence

from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports.push import Wake
from safeum_home.push.sleeper import Core, Place, Sleeper, UnderWay, new_sleeper

MOST = 100_000
"""Accounts: some 250 octets each, and some 1,500 with a device that was woken. Those that were asked for last
the longest ago make room."""
SPARED = 32
"""So many accounts at once for which something is under way do not make room, before one has to: then that
ends as it does, and may be begun once more."""

Look = Callable[[AccountId, DeviceId], None]
"""Looks whether something waits for a device."""
Make = Callable[["Device", Wake, Place], UnderWay]
"""Makes a wake of a device, which is told when it is over."""


class Device:
    """A device that can be woken: it is connected, or sleeps."""

    __slots__ = ("_account", "_core", "_sleeper", "connected", "device", "refused")

    def __init__(self, account: "Account", device: DeviceId, connected: bool) -> None:
        self._account = account
        self.device = device
        self.connected = connected
        self.refused = 0
        """How many wakes in a row were given up, since it was connected or one was taken."""
        self._core: Core | None = None
        self._sleeper: Sleeper | None = None

    @property
    def account(self) -> AccountId:
        return self._account.account

    @property
    def under_way(self) -> bool:
        """Whether something is to wake it."""
        return self._core is not None and bool(self._core.under_way)

    @property
    def due(self) -> bool:
        """Whether a message is news for it: it sleeps, and nothing is under way to wake it."""
        return not (self.connected or self.under_way)

    @property
    def waits_for_provider(self) -> bool:
        """Whether a wake for messages was handed in, and none has taken it yet."""
        under_way = None if self._core is None else self._core.under_way.get(Wake.MESSAGE)
        return under_way is not None and under_way.is_handed_in

    def wake(self, wake: Wake, place: Place, make: Make, look: Look) -> None:
        """Have it woken, unless it is connected or that is under way."""
        if self.connected:
            return
        if self._sleeper is None:
            about = self.account, self.device
            self._core = Core(lambda wake, place: make(self, wake, place), lambda: look(*about))
            self._sleeper = new_sleeper(self._core)
        if wake is Wake.CALL:
            self._sleeper.call(place)
        else:
            self._sleeper.message(place)
        self._account.reckon()

    def over(self, wake: Wake) -> None:
        """A wake is over."""
        if self._sleeper is None:
            return  # all that is under way is being taken back
        if wake is Wake.CALL:
            self._sleeper.call_over()
        else:
            self._sleeper.message_over()
        self._account.reckon()

    def settled(self) -> None:
        """It need not be woken any more for messages that there are."""
        if self._sleeper is not None:
            self._sleeper.message_settled()
            self._account.reckon()

    def end(self) -> None:
        """Take back what is under way."""
        sleeper, self._sleeper, self._core, self.refused = self._sleeper, None, None, 0
        if sleeper is not None:
            sleeper.came()


class Account:
    """An account's devices that can be woken.

    `due`: a message is news for one of them. `newest` is where there last was something to be woken for,
    or later.
    """

    __slots__ = ("account", "devices", "due", "newest")

    def __init__(self, account: AccountId, newest: int = 0) -> None:
        self.account = account
        self.devices: dict[DeviceId, Device] = {}
        self.due = False
        self.newest = newest

    @property
    def under_way(self) -> bool:
        """Whether one of them is being woken, or was."""
        return any(device.under_way for device in self.devices.values())

    @property
    def sleeps(self) -> bool:
        """Whether one of them is not connected."""
        return any(not device.connected for device in self.devices.values())

    def add(self, device: DeviceId, connected: bool) -> None:
        """A device can be woken from now on, or anew: what is under way goes to where it was before."""
        self.drop(device)
        self.devices[device] = Device(self, device, connected)
        self.reckon()

    def drop(self, device: DeviceId) -> None:
        """A device cannot be woken any more."""
        if (before := self.devices.pop(device, None)) is not None:
            before.end()
            self.reckon()

    def attend(self, device: DeviceId, connected: bool) -> None:
        """A device is connected from now on, or sleeps."""
        if (known := self.devices.get(device)) is not None:
            known.connected = connected
            if connected:
                known.end()
            self.reckon()

    def reckon(self) -> None:
        self.due = any(device.due for device in self.devices.values())


NOBODY = Account(AccountId(""))
"""Stands for all accounts of which no device can be woken."""


class Known:
    """Accounts by their ids."""

    def __init__(
        self,
        connected: Callable[[AccountId], Collection[DeviceId]],
        committed: Callable[[], int],
        most: int = MOST,
    ) -> None:
        """`connected` are the devices of an account that are; `committed` is the last position so far."""
        self._connected = connected
        self._committed = committed
        self._most = most
        self._accounts: OrderedDict[AccountId, Account] = OrderedDict()
        self.get = self._accounts.get
        """The account; None where it is not known which devices of it can be woken."""

    def __len__(self) -> int:
        return len(self._accounts)

    def learn(self, account: AccountId, devices: Sequence[DeviceId]) -> Account:
        """These devices of an account can be woken, and no others."""
        known = self._accounts.get(account, NOBODY)
        if known is NOBODY and devices:
            known = Account(account, self._committed())
        connected = self._connected(account) if devices else ()
        for gone in [device for device in known.devices if device not in devices]:
            known.drop(gone)
        for device in devices:
            if device not in known.devices:
                known.add(device, device in connected)
        self._accounts[account] = known
        self._accounts.move_to_end(account)
        if len(self._accounts) > self._most:
            self._make_room()
        return known

    def _make_room(self) -> None:
        for _ in range(SPARED):
            oldest = next(iter(self._accounts))
            if not self._accounts[oldest].under_way:
                break
            self._accounts.move_to_end(oldest)
        self._accounts.popitem(last=False)

    def changed(self, account: AccountId, device: DeviceId, wakeable: bool) -> None:
        """A device is woken elsewhere from now on, or not any more."""
        known = self._accounts.get(account)
        if known is None:
            return
        if not wakeable:
            known.drop(device)
        elif known is NOBODY:
            self.learn(account, [device])
        else:
            known.add(device, device in self._connected(account))

    def forget(self, account: AccountId) -> None:
        """It is not known any more which devices of an account can be woken, and none is."""
        known = self._accounts.pop(account, NOBODY)
        for device in list(known.devices):
            known.drop(device)

    def clear(self) -> None:
        """The same of all accounts."""
        for account in list(self._accounts):
            self.forget(account)
