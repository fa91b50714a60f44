"""Commands of devices: by which provider they are woken."""

from collections.abc import Callable

from sqlalchemy import Connection

from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports import Blinder, Caller, Committed, Database, Owners
from safeum_home.ports.push import PushAddress, Pushes
from safeum_home.protocol.command import Done
from safeum_home.protocol.commands.push import (
    OfferedProvider,
    ProviderList,
    PushGet,
    PushKeys,
    PushProviders,
    PushRemove,
    PushSet,
    PushState,
)
from safeum_home.protocol.signing import decode_octets
from safeum_home.push.record import WHAT, PushRecord, open_row, seal, unseal
from safeum_home.storage import devices, push
from safeum_home.storage.rows import PushRow

KEY, SECRET = 65, 16
"""Octets of `p256dh` (RFC 8291, section 3.1) and of `auth` (section 3.2)."""


class Registrations:
    """`push.providers`, `push.set`, `push.remove`, `push.get`."""

    def __init__(
        self,
        database: Database,
        blinder: Blinder,
        owners: Owners,
        pushes: Pushes,
        changed: Callable[[AccountId, DeviceId, bool], None],
    ) -> None:
        """`changed` is told that a device is woken elsewhere from now on (True), or not any more."""
        self._database = database
        self._blinder = blinder
        self._owners = owners
        self._pushes = pushes
        self._changed = changed

    def providers(self, caller: Caller, params: PushProviders) -> ProviderList:
        offered = self._pushes.offered
        return ProviderList([OfferedProvider(one.name, one.kind, one.application_key) for one in offered])

    async def set(self, caller: Caller, params: PushSet) -> Committed[Done]:
        address = self._pushes.check(params.provider, _address(params))
        owner = await self._owners.need(caller.account)
        device = self._blinder.device(caller.device)
        record = PushRecord(caller.device, params.provider, address)
        blind = self._blinder.push
        row = PushRow(
            device,
            owner.blind,
            blind(params.provider, address.token),
            None if address.call_token is None else blind(params.provider, address.call_token),
            self._database.committed,
            seal(owner.key, record, device),
        )

        def store(c: Connection) -> list[tuple[AccountId, DeviceId]]:
            # It may have been revoked, and its account closed, since the command was given.
            if not devices.is_there(c, owner.blind, device):
                raise Problem(Code.DEVICE_NOT_FOUND)
            return undamaged(push.put_push(c, row), lambda other: self._device(c, other), WHAT)

        others = await self._database.transact(store)

        def publish() -> None:
            for other in others:
                self._changed(*other, False)
            self._changed(caller.account, caller.device, True)

        return Committed(Done(), publish)

    async def remove(self, caller: Caller, params: PushRemove) -> Committed[Done]:
        device = self._blinder.device(caller.device)
        await self._database.transact(lambda c: push.delete_push(c, device))
        return Committed(Done(), lambda: self._changed(caller.account, caller.device, False))

    async def get(self, caller: Caller, params: PushGet) -> PushState:
        return PushState(await self._provider(caller.account, caller.device))

    async def wakeable(self, account: AccountId, device: DeviceId) -> bool:
        """Whether this device can be woken as it looks now: only such a one is to be sent to sleep."""
        provider = await self._provider(account, device)
        return provider is not None and self._pushes.can_wake(provider)

    async def reaches(self, account: AccountId) -> bool:
        """`ports.push.Reach`, of devices that are not connected."""
        owner = await self._owners.need(account)
        rows = await self._database.read(lambda c: push.pushes_of(c, [owner.blind]))
        records = undamaged(rows, lambda row: unseal(owner.key, row), WHAT)
        names = {record.provider for record in records if record.provider in self._pushes.names}
        return any(map(self._pushes.can_wake, names))

    def _device(self, c: Connection, row: PushRow) -> tuple[AccountId, DeviceId]:
        """Whose row this is. Raises `Tampered`."""
        owner, record = open_row(c, self._owners, row)
        return owner.account, record.device

    async def _provider(self, account: AccountId, device: DeviceId) -> str | None:
        """By which provider a device is woken, of those that there are."""
        owner = await self._owners.need(account)
        blind = self._blinder.device(device)
        row = await self._database.read(lambda c: push.push_of(c, blind))
        rows = [] if row is None else [row]
        names = [record.provider for record in undamaged(rows, lambda row: unseal(owner.key, row), WHAT)]
        return next((name for name in names if name in self._pushes.names), None)


def _address(params: PushSet) -> PushAddress:
    if params.keys is None:
        return PushAddress(params.token, params.call_token)
    return PushAddress(params.token, params.call_token, *_octets(params.keys))


def _octets(keys: PushKeys) -> tuple[bytes, bytes]:
    """Raises `push_address_refused` for what is written in another way than the only one."""
    key, secret = decode_octets(keys.p256dh, KEY), decode_octets(keys.auth, SECRET)
    if key is None or secret is None:
        raise Problem(Code.PUSH_ADDRESS_REFUSED)
    return key, secret
