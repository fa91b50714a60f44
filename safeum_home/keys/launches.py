"""Keys of devices, for as long as their programs run: in memory, never logged, nobody is told of them."""

from collections import OrderedDict
from collections.abc import Callable

from msgspec.structs import replace

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, DeviceId
from safeum_home.keys.public import PublicKeys
from safeum_home.limits import RateLimit
from safeum_home.ports import Bus, Caller, Subscriber
from safeum_home.protocol.commands import Done, KeysLaunch
from safeum_home.protocol.key_types import Launch, binds, is_bound, key_hash

LASTS = 60.0
"""Seconds for which a device that has lost its connection may come back."""


class LaunchKeys:
    """The command `keys.launch`; and `ports.Attendance`, from which it learns which devices have gone."""

    def __init__(
        self,
        bus: Bus,
        public: PublicKeys,
        limit: RateLimit,
        seconds: Callable[[], float],
        now: Callable[[], int],
    ) -> None:
        """`now` is in milliseconds."""
        self._bus = bus
        self._public = public
        self._limit = limit
        self._seconds = seconds
        self._now = now
        self._launches: dict[AccountId, dict[DeviceId, tuple[Launch, str]]] = {}
        """Each with the key that it is bound to, "" where it is to none."""
        self._gone: OrderedDict[tuple[AccountId, DeviceId], float] = OrderedDict()
        """Devices that are not connected, and since when: the one that is longest comes first."""

    def launch(self, caller: Caller, params: KeysLaunch) -> Done:
        """Raises `bad_keys` where the signature is not by the account's keys in force, or not of now."""
        account, device = caller.account, caller.device
        self._limit.take(account)
        self._expire()
        launch = Launch(device, params.sign, params.box, params.at, params.signature)
        self._must_be_of_now(account, device, launch)
        if key_hash(params.sign, params.box) is None:
            raise Problem(Code.BAD_KEYS)
        bound_to = ""
        if params.signature is not None:
            held = self._public.get(account)
            if held is None or not is_bound(account, launch, held.identity.sign, self._now()):
                raise Problem(Code.BAD_KEYS)
            bound_to = held.identity.sign
        self._launches.setdefault(account, {})[device] = launch, bound_to
        if device not in self._bus.connected(account):
            self._gone[account, device] = self._seconds()
        return Done()

    def of(self, account: AccountId) -> tuple[Launch, ...]:
        """Those of an account's devices; bound, where they are, to the keys that it has now."""
        self._expire()
        held = self._public.get(account)
        sign, now = None if held is None else held.identity.sign, self._now()
        return tuple(
            launch if bound_to and bound_to == sign and binds(launch.at, now) else replace(launch, bound=None)
            for launch, bound_to in self._launches.get(account, {}).values()
        )

    def forget_account(self, account: AccountId) -> None:
        """The account was closed."""
        for device in self._launches.pop(account, {}):
            self._gone.pop((account, device), None)

    # --- ports.Attendance

    def came(self, account: AccountId, subscriber: Subscriber) -> None:
        self._gone.pop((account, subscriber.device), None)

    def left(self, account: AccountId, subscriber: Subscriber) -> None:
        device = subscriber.device
        if device in self._launches.get(account, {}) and device not in self._bus.connected(account):
            self._gone[account, device] = self._seconds()
        self._expire()

    def revoked(self, account: AccountId, which: Callable[[DeviceId], bool]) -> None:
        devices = self._launches.get(account, {})
        for device in filter(which, list(devices)):
            self._gone.pop((account, device), None)
            del devices[device]
        if not devices:
            self._launches.pop(account, None)

    def _must_be_of_now(self, account: AccountId, device: DeviceId, launch: Launch) -> None:
        """Bound ones are, and what replaces them is not of before them. Clocks of others may be off."""
        now = self._now()
        if launch.bound is not None and not binds(launch.at, now):
            raise Problem(Code.BAD_KEYS, f"at: it is {now} here")
        last = self._launches.get(account, {}).get(device)
        if last is not None and last[0].bound is not None and launch.at < last[0].at:
            raise Problem(Code.BAD_KEYS, f"at: the last ones are of {last[0].at}")

    def _expire(self) -> None:
        while self._gone:
            (account, device), since = next(iter(self._gone.items()))
            if since + LASTS > self._seconds():
                return
            del self._gone[account, device]
            devices = self._launches[account]
            del devices[device]
            if not devices:
                del self._launches[account]
