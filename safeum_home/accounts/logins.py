"""Sign-up and login with login and password, and coming back with a token."""

from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_bytes

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home import ids
from safeum_home.accounts.admission import Admission, Admitted
from safeum_home.accounts.claims import Claims
from safeum_home.accounts.closing import Closing
from safeum_home.accounts.devices import Devices
from safeum_home.accounts.directory import AccountDirectory, OpenAccount
from safeum_home.accounts.login_limits import LoginLimits
from safeum_home.accounts.own_record import check_hash, replace_hash
from safeum_home.accounts.passwords import PasswordHasher
from safeum_home.accounts.records import AccountRecord, seal
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, DeviceId, RandomBytes
from safeum_home.limits import network
from safeum_home.ports import Announcer, Blinder, Caller, Committed, Database, GivesNumbers, Keyring, Staged
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
    policy: str | None = None
    """A version of the policy that the owner has not agreed to yet."""


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
        closing: Closing,
        announcer: Announcer,
        claims: Claims,
        limits: LoginLimits,
        now: Callable[[], int],
        admission: Admission,
        numbers: GivesNumbers,
        random: RandomBytes = token_bytes,
    ) -> None:
        self._node = node
        self._database = database
        self._keyring = keyring
        self._blinder = blinder
        self._directory = directory
        self._devices = devices
        self._hasher = hasher
        self._closing = closing
        self._announcer = announcer
        self._claims = claims
        self._limits = limits
        self._now = now
        self._admission = admission
        self._numbers = numbers
        self._random = random

    async def register(self, caller: Caller, params: AccountRegister) -> Committed[Authenticated]:
        self._admission.check(params.consent)
        username = ids.username(params.username)
        self._hasher.check_strength(params.password, username)
        self._limits.sign_ups.take(network(caller.host))
        admitted = await self._admission.admit(params.consent, params.invite)
        if ids.is_reserved(username) or await self._directory.is_taken(username):
            raise Problem(Code.USERNAME_TAKEN)
        hashed = await self._hasher.hash(params.password)
        owner, insert = self.new_account(username, hashed, admitted)
        try:
            authenticated = await self.new_device(owner, params.device, insert)
        except accounts.AliasTaken:
            raise Problem(Code.USERNAME_TAKEN) from None
        self._directory.keep(owner)
        return authenticated

    async def login(self, caller: Caller, params: SessionLogin) -> Committed[Authenticated]:
        try:
            alias = ids.alias(params.username)
        except Problem:
            alias = ""
        return await self.enter(caller, alias, params.username.lower(), params.password, params.device)

    async def enter(
        self, caller: Caller, alias: str, counted: str, password: str, info: DeviceInfo
    ) -> Committed[Authenticated]:
        """A new device of the account with `alias`; raises `bad_credentials` for all that is not right.

        Tries are counted under `counted` before anything is looked up or hashed.
        """
        self._limits.take(network(caller.host), counted)
        found = await self._directory.credentials(alias)
        known = None if found is None else found.password_hash
        if not await self._hasher.verify(password, known) or found is None or known is None:
            await self._closing.instead_of_password(found, network(caller.host), counted, password)
            raise Problem(Code.BAD_CREDENTIALS)
        self._limits.proved(network(caller.host), counted)
        if (owner := await self._directory.get(found.account)) is None:
            raise Problem(Code.BAD_CREDENTIALS)  # closed since it was looked up
        fresh = await self._hasher.hash(password) if self._hasher.outdated(known) else known

        def still_right(c: Connection) -> None:
            self._claims.end(c, owner)
            # Else a login that was under way would survive the change of a password that was stolen.
            if fresh == known:
                check_hash(c, owner, known)
            else:
                replace_hash(c, owner, known, fresh)

        try:
            authenticated = await self.new_device(owner, info, still_right)
        except Problem as problem:
            # Closed since it was looked up.
            raise Problem(Code.BAD_CREDENTIALS) if problem.code is Code.NOT_FOUND else problem from None
        owner.password_hash = fresh

        def publish() -> None:
            authenticated.publish()
            self._numbers.logged_in(owner.account)

        return Committed(authenticated.result, publish)

    async def resume(self, caller: Caller, params: SessionResume) -> Authenticated:
        owner, device = await self._devices.recognise(params.token, self._claims.used)
        due = self._admission.due(owner.consented)
        return Authenticated(owner.account, self._address(owner), device, policy=due)

    def _address(self, owner: OpenAccount) -> str:
        return ids.written(owner.username, self._node)

    def new_account(
        self, username: str, hashed: str, admitted: Admitted
    ) -> tuple[OpenAccount, Callable[[Connection], None]]:
        """An account, and what stores it (raising `AliasTaken`, and what `admitted` raises)."""
        account = ids.new_account_id(self._node, self._random)
        blind = self._blinder.account(account)
        key, wrapped = self._keyring.new_key(blind)
        record = AccountRecord(account, username, self._now(), hashed, consent=admitted.consent)
        row = AccountRow(blind, seal(key, record, blind), wrapped)
        alias = self._blinder.alias(username)
        found_system_chat = self._announcer.found(account)

        def insert(c: Connection) -> None:
            accounts.insert_account(c, row, alias)
            admitted.store(c)
            self._numbers.signed_up(c, blind)
            found_system_chat(c)

        owner = OpenAccount(account, blind, key, username, hashed, consented=admitted.consent.version)
        return owner, insert

    async def new_device(
        self,
        owner: OpenAccount,
        info: DeviceInfo,
        before: Callable[[Connection], None],
        also: Callable[[], "Deferred[Staged]"] | None = None,
    ) -> Committed[Authenticated]:
        """A new device and its alert, in one commit with `before`, and with what `also` stages."""
        device, token, row = self._devices.new(owner, info)
        connected = self._devices.connected(owner.account)
        staged = [] if also is None else [await also()]
        # The last: with `also` it is that of a new account, whose chat is at hand: no turn ends between.
        staged.append(await self._announcer.login(owner.account, device, info))

        def store(c: Connection) -> bytes | None:
            before(c)
            gone = self._devices.insert(c, row, connected)
            for message in staged:
                message.store(c)
            return gone

        gone = await self._database.transact(store)

        def publish() -> None:
            if gone is not None:
                self._devices.dropped(owner.account, gone)
            for message in staged:
                message.publish()

        due = self._admission.due(owner.consented)
        return Committed(Authenticated(owner.account, self._address(owner), device, token, due), publish)
