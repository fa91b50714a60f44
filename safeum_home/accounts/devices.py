"""Devices and their tokens.

A token is `<device id>.<43 characters of base64url>`: 256 random bits that only the client holds. The
node keeps a keyed hash of them, so the database lets nobody in, and a restart changes nothing.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable, Container
from hmac import compare_digest
from secrets import token_bytes

from sqlalchemy import Connection

from safeum_home.accounts.directory import AccountDirectory, OpenAccount
from safeum_home.accounts.records import DeviceRecord, seal, unseal
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId, DeviceId, RandomBytes, new_device_id
from safeum_home.ports import Blinder, Bus, Caller, Committed, Database
from safeum_home.protocol.commands import DeviceList, DeviceRevoke, Done, ListDevices, SessionLogout
from safeum_home.protocol.types import DeviceEntry, DeviceInfo
from safeum_home.storage import devices, profiles
from safeum_home.storage.rows import AccountRow, DeviceRow, ProfileRow


class Devices:
    """Gives devices their tokens, recognises them, lists and revokes them."""

    def __init__(
        self,
        database: Database,
        blinder: Blinder,
        directory: AccountDirectory,
        bus: Bus,
        now: Callable[[], int],
        limit: int,
        random: RandomBytes = token_bytes,
    ) -> None:
        self._database = database
        self._blinder = blinder
        self._directory = directory
        self._bus = bus
        self._now = now
        self.limit = limit
        """How many an account may have."""
        self._random = random
        self._revocations = 0

    def new(self, owner: OpenAccount, info: DeviceInfo) -> tuple[DeviceId, str, DeviceRow]:
        """A device of `owner`: its id, its token (given out once), and the row to be inserted."""
        device = new_device_id(self._random)
        secret = self._random(32)
        blind = self._blinder.device(device)
        record = DeviceRecord(
            device,
            info.name,
            info.system,
            self._now(),
            info.type,
            info.model,
            info.region,
            info.time_zone,
        )
        sealed = seal(owner.key, record, blind)
        row = DeviceRow(blind, owner.blind, self._blinder.token(device, secret), sealed)
        return device, f"{device}.{_written(secret)}", row

    def insert(self, c: Connection, row: DeviceRow, connected: Container[bytes]) -> bytes | None:
        """Store a new device. Where the account has too many, the oldest that is not connected makes room.

        Else whoever logs in with a password often enough would shut himself out for good. What is
        returned is the device that went, for `dropped`. Raises `limit_reached` where all are connected.
        """
        held = devices.devices_of(c, row.account)
        gone = None
        if len(held) >= self.limit:
            gone = next((one.device for one in held if one.device not in connected), None)
            if gone is None:
                raise Problem(Code.LIMIT_REACHED, "devices")
            devices.delete_device(c, row.account, gone)
        devices.insert_device(c, row)
        return gone

    def delete_others(self, c: Connection, account: AccountId, device: DeviceId) -> list[bytes]:
        """Delete all devices of an account but one; those that went, for `dropped`."""
        owner, kept = self._blinder.account(account), self._blinder.device(device)
        gone = [row.device for row in devices.devices_of(c, owner) if row.device != kept]
        for one in gone:
            devices.delete_device(c, owner, one)
        return gone

    def connected(self, account: AccountId) -> dict[bytes, DeviceId]:
        """The devices of an account that are connected, by their blind indexes."""
        return {self._blinder.device(device): device for device in self._bus.connected(account)}

    def dropped(self, account: AccountId, gone: bytes) -> None:
        """A device is gone from the database: close its session, and let none begin."""
        self._revocations += 1
        self._bus.revoke(account, lambda device: self._blinder.device(device) == gone)

    def closed(self, account: AccountId, skip: DeviceId | None = None) -> None:
        """An account was closed: close its sessions but for that of `skip`, and let none begin."""
        self._revocations += 1
        self._bus.close_account(account, skip)

    def look_again(self) -> None:
        """What was read of an account until now may be old: who is coming back is looked up once more."""
        self._revocations += 1

    async def recognise(
        self, token: str, came_back: Callable[[OpenAccount], Awaitable[None]]
    ) -> tuple[OpenAccount, DeviceId]:
        """Whose token this is; raises `bad_token`. `came_back` is awaited before that is final.

        Nothing may be awaited between this and the session's beginning: a revocation would be missed.
        """
        device, secret = _parse(token)
        blind = self._blinder.device(device)
        verifier = self._blinder.token(device, secret)

        def read(c: Connection) -> tuple[DeviceRow, AccountRow, ProfileRow | None] | None:
            rows = devices.device(c, blind)
            return None if rows is None else (*rows, profiles.profile(c, rows[1].account))

        while True:
            revocations = self._revocations
            rows = await self._database.read(read)
            if rows is None or not compare_digest(rows[0].verifier, verifier):
                raise Problem(Code.BAD_TOKEN)
            # What was read may be from before a revocation that has just been told to all sessions.
            if revocations != self._revocations:
                continue
            owner = self._directory.opened(rows[1], rows[2])
            try:
                # Opens under the account's key alone: a row moved to another account lets nobody in.
                unseal(owner.key, DeviceRecord, rows[0].sealed, blind)
            except Tampered:
                raise Problem(Code.BAD_TOKEN) from None
            await came_back(owner)
            # And the time that this took is time for another one.
            if revocations == self._revocations:
                return owner, device

    async def list(self, caller: Caller, params: ListDevices) -> DeviceList:
        owner = await self._directory.need(caller.account)
        rows = await self._database.read(lambda c: devices.devices_of(c, owner.blind))
        hosts = self._bus.hosts(owner.account)

        def entry(row: DeviceRow) -> DeviceEntry:
            record = unseal(owner.key, DeviceRecord, row.sealed, row.device)
            return _entry(record, caller.device, hosts.get(DeviceId(record.device)))

        return DeviceList(undamaged(rows, entry, "devices"))

    async def revoke(self, caller: Caller, params: DeviceRevoke) -> Committed[Done]:
        return await self._revoke(caller.account, DeviceId(params.device))

    async def logout(self, caller: Caller, params: SessionLogout) -> Committed[Done]:
        return await self._revoke(caller.account, caller.device)

    async def _revoke(self, account: AccountId, device: DeviceId) -> Committed[Done]:
        owner, blind = self._blinder.account(account), self._blinder.device(device)
        if not await self._database.transact(lambda c: devices.delete_device(c, owner, blind)):
            raise Problem(Code.DEVICE_NOT_FOUND)
        return Committed(Done(), lambda: self.dropped(account, blind))


def _entry(record: DeviceRecord, current: DeviceId, host: str | None) -> DeviceEntry:
    return DeviceEntry(
        record.device,
        record.name,
        record.system,
        record.created_at,
        record.device == current,
        host is not None,
        record.type,
        record.model,
        record.region,
        record.time_zone,
        # Which of the node's own interfaces an IPv6 address was heard on says nothing to anybody.
        None if host is None else host.partition("%")[0],
    )


def _parse(token: str) -> tuple[DeviceId, bytes]:
    device, _, text = token.partition(".")
    try:
        secret = urlsafe_b64decode(text + "=")
    except (Base64Error, ValueError):
        secret = b""
    # The decoder passes over what is not base64; a token has one written form.
    if len(secret) != 32 or _written(secret) != text:
        raise Problem(Code.BAD_TOKEN)
    return DeviceId(device), secret


def _written(secret: bytes) -> str:
    return urlsafe_b64encode(secret).decode("ascii").rstrip("=")
