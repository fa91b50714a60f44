"""Changing a password: the answer to one that somebody else knows, so all other devices are logged out."""

from sqlalchemy import Connection

from safeum_home.accounts.devices import Devices
from safeum_home.accounts.directory import AccountDirectory
from safeum_home.accounts.login_limits import LoginLimits
from safeum_home.accounts.own_record import check_hash, replace_hash
from safeum_home.accounts.passwords import PasswordHasher
from safeum_home.accounts.pins import PinVerifier, is_pin
from safeum_home.errors import Code, Problem
from safeum_home.limits import network
from safeum_home.ports import Caller, Committed, Database
from safeum_home.protocol.commands import AccountPassword, Done


class PasswordChange:
    """The command `account.password`."""

    def __init__(
        self,
        database: Database,
        directory: AccountDirectory,
        devices: Devices,
        hasher: PasswordHasher,
        limits: LoginLimits,
        verifier: PinVerifier,
    ) -> None:
        self._database = database
        self._directory = directory
        self._devices = devices
        self._hasher = hasher
        self._limits = limits
        self._verifier = verifier

    async def change(self, caller: Caller, params: AccountPassword) -> Committed[Done]:
        owner = await self._directory.need(caller.account)
        peer = network(caller.host)
        # A stolen device must not be a way to guess what its owner's password is.
        self._limits.take(peer, owner.username)
        for name in (owner.username, owner.username.removeprefix("+")):
            self._hasher.check_strength(params.new, name)
        pins, known = owner.pins, owner.password_hash
        if not await self._hasher.verify(params.current, known):
            raise Problem(Code.BAD_CREDENTIALS)
        self._limits.proved(peer, owner.username)
        like_a_pin = is_pin(params.new)
        if like_a_pin and await self._verifier.match(pins, params.new) is not None:
            raise Problem(Code.WEAK_PASSWORD, "it is a PIN of the account")
        hashed = await self._hasher.hash(params.new)

        def store(c: Connection) -> list[bytes]:
            # A PIN that another device has set meanwhile may be this very password.
            if like_a_pin and check_hash(c, owner, known).pins != pins:
                raise Problem(Code.BUSY, "another device changes the PINs", retry_after=1.0)
            replace_hash(c, owner, known, hashed)
            return self._devices.delete_others(c, caller.account, caller.device)

        gone = await self._database.transact(store)
        owner.password_hash = hashed
        self._directory.keep(owner)

        def publish() -> None:
            for device in gone:
                self._devices.dropped(caller.account, device)

        return Committed(Done(), publish)
