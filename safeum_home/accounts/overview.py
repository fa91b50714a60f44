"""What the operator is told of accounts: that they are there, and nothing of what is in them."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from safeum_home import ids
from safeum_home.accounts.directory import AccountDirectory, OpenAccount
from safeum_home.accounts.records import AccountRecord, unseal
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports import Database
from safeum_home.storage import accounts
from safeum_home.storage.devices import devices_of


@dataclass(frozen=True, slots=True)
class Overview:
    """An account from outside. Times are in milliseconds since 1970."""

    account: AccountId
    created_at: int
    devices: int
    connected: int
    policy: str | None
    policy_at: int | None


class Accounts:
    """For the operator's socket alone."""

    def __init__(
        self,
        database: Database,
        directory: AccountDirectory,
        connected: Callable[[AccountId], frozenset[DeviceId]],
    ) -> None:
        self._database = database
        self._directory = directory
        self._connected = connected

    async def show(self, login: str) -> Overview:
        """The account with this login, number or id; raises `not_found`."""
        owner: OpenAccount | None = None
        try:
            alias = ids.alias(login.strip())
            if ids.is_account(alias):
                owner = await self._directory.get(AccountId(alias))
            else:
                owner = await self._directory.by_username(alias)
        except Problem as problem:
            if problem.code is not Code.INVALID_USERNAME:
                raise
        if owner is None:
            raise Problem(Code.NOT_FOUND, "there is no account with this login")
        found = owner

        def read(c: Connection) -> tuple[AccountRecord, int]:
            row = accounts.account(c, found.blind)
            if row is None:
                raise Problem(Code.NOT_FOUND, "there is no account with this login")
            return unseal(found.key, AccountRecord, row.sealed, found.blind), len(devices_of(c, found.blind))

        record, devices = await self._database.read(read)
        connected, consent = len(self._connected(found.account)), record.consent
        agreed = (None, None) if consent is None else (consent.version, consent.at)
        return Overview(found.account, record.created_at, devices, connected, *agreed)
