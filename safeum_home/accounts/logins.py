"""Sign-up and login with login and password, and coming back with a token."""

from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_bytes

from sqlalchemy import Connection

from safeum_home import ids
from safeum_home.accounts.devices import Devices
from safeum_home.accounts.directory import AccountDirectory, OpenAccount
from safeum_home.accounts.login_limits import LoginLimits
from safeum_home.accounts.password_change import check_hash, replace_hash
from safeum_home.accounts.passwords import PasswordHasher
from safeum_home.accounts.records import AccountRecord, seal
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, DeviceId, RandomBytes
from safeum_home.limits import network
from safeum_home.ports import Announcer, Blinder, Caller, Committed, Database, Keyring
from safeum_home.protocol.commands import AccountRegister, SessionLogin, SessionResume
from safeum_home.protocol.types import DeviceInfo
from safeum_home.storage import accounts
from safeum_home.storage.rows import AccountRow


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Who a session is from now on; `token` is set where a device has just been made."""

    account: AccountId
    address: str
    device: DeviceId
    token: str | None = None


class Logins:
    """The three ways into an account. Unknown logins and wrong passwords look and take the same."""

    def __init__(
        self,
        node: str,
        database: Database,
        keyring: Keyring,
        blinder: Blinder,
        directory: AccountDirectory,
        devices: Devices,
        hasher: PasswordHasher,
        announcer: Announcer,
        limits: LoginLimits,
        now: Callable[[], int],
        registration_open: bool,
        random: RandomBytes = token_bytes,
    ) -> None:
        self._node = node
        self._database = database
        self._keyring = keyring
        self._blinder = blinder
        self._directory = directory
        self._devices = devices
        self._hasher = hasher
        self._announcer = announcer
        self._limits = limits
        self._now = now
        self._registration_open = registration_open
        self._random = random

    async def register(self, caller: Caller, params: AccountRegister) -> Committed[Authenticated]:
        if not self._registration_open:
            raise Problem(Code.REGISTRATION_CLOSED)
        username = ids.username(params.username)
        self._hasher.check_strength(params.password, username)
        self._limits.sign_ups.take(network(caller.host))
        if ids.is_reserved(username) or await self._directory.by_username(username) is not None:
            raise Problem(Code.USERNAME_TAKEN)
        hashed = await self._hasher.hash(params.password)
        owner, insert = self._new_account(username, hashed)
        try:
            authenticated = await self._new_device(owner, params.device, insert)
        except accounts.AliasTaken:
            raise Problem(Code.USERNAME_TAKEN) from None
        self._directory.keep(owner)
        return authenticated

    async def login(self, caller: Caller, params: SessionLogin) -> Committed[Authenticated]:
        self._limits.take(network(caller.host), params.username.lower())
        try:
            username = ids.username(params.username)
        except Problem:
            username = ""
        owner = await self._directory.by_username(username)
        known = None if owner is None else owner.password_hash
        if not await self._hasher.verify(params.password, known) or owner is None or known is None:
            raise Problem(Code.BAD_CREDENTIALS)
        self._limits.proved(network(caller.host), username)
        fresh = await self._hasher.hash(params.password) if self._hasher.outdated(known) else known

        def still_right(c: Connection) -> None:
            # Else a login that was under way would survive the change of a password that was stolen.
            if fresh == known:
                check_hash(c, owner, known)
            else:
                replace_hash(c, owner, known, fresh)

        authenticated = await self._new_device(owner, params.device, still_right)
        owner.password_hash = fresh
        return authenticated

    async def resume(self, caller: Caller, params: SessionResume) -> Authenticated:
        owner, device = await self._devices.recognise(params.token)
        return Authenticated(owner.account, self._address(owner), device)

    def _address(self, owner: OpenAccount) -> str:
        return f"{owner.username}@{self._node}"

    def _new_account(self, username: str, hashed: str) -> tuple[OpenAccount, Callable[[Connection], None]]:
        account = ids.new_account_id(self._node, self._random)
        blind = self._blinder.account(account)
        key, wrapped = self._keyring.new_key(blind)
        record = AccountRecord(account, username, self._now(), hashed)
        row = AccountRow(blind, seal(key, record, blind), wrapped)
        alias = self._blinder.alias(username)
        found_system_chat = self._announcer.found(account)

        def insert(c: Connection) -> None:
            accounts.insert_account(c, row, alias)
            found_system_chat(c)

        return OpenAccount(account, blind, key, username, hashed), insert

    async def _new_device(
        self,
        owner: OpenAccount,
        info: DeviceInfo,
        before: Callable[[Connection], None] | None = None,
    ) -> Committed[Authenticated]:
        device, token, row = self._devices.new(owner, info)
        connected = self._devices.connected(owner.account)
        alert = await self._announcer.login(owner.account, device, info)

        def store(c: Connection) -> bytes | None:
            if before is not None:
                before(c)
            gone = self._devices.insert(c, row, connected)
            alert.store(c)
            return gone

        gone = await self._database.transact(store)

        def publish() -> None:
            if gone is not None:
                self._devices.dropped(owner.account, gone)
            alert.publish()

        return Committed(Authenticated(owner.account, self._address(owner), device, token), publish)
