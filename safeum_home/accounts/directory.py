"""The accounts of this node by id: opened from the database when asked for, a bounded number kept in RAM."""

from collections import OrderedDict
from dataclasses import dataclass, field

from sqlalchemy import Connection
from twisted.internet.defer import Deferred, succeed

from safeum_home.accounts.records import AccountRecord, ProfileRecord, unseal
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Database, Key, Keyring, Known
from safeum_home.protocol.types import Profile
from safeum_home.storage import accounts, profiles
from safeum_home.storage.rows import AccountRow, ProfileRow


@dataclass(slots=True)
class OpenAccount:
    """An account whose key is in memory."""

    account: AccountId
    blind: bytes
    key: Key
    username: str
    password_hash: str
    profile: Profile = field(default_factory=Profile)


class AccountDirectory:
    """`ports.Directory`, and for this package the opened accounts themselves."""

    def __init__(
        self, database: Database, keyring: Keyring, blinder: Blinder, system: Known, size: int = 20_000
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._blinder = blinder
        self._system = system
        self._size = size
        self._open: OrderedDict[AccountId, OpenAccount] = OrderedDict()

    def get(self, account: AccountId) -> "Deferred[OpenAccount | None]":
        """The account; None where this node has none of this id."""
        if (kept := self._open.get(account)) is not None:
            self._open.move_to_end(account)
            return succeed(kept)
        blind = self._blinder.account(account)

        def read(c: Connection) -> tuple[AccountRow, ProfileRow | None] | None:
            row = accounts.account(c, blind)
            return None if row is None else (row, profiles.profile(c, blind))

        return self._database.read(read).addCallback(self._keep)

    def by_username(self, username: str) -> "Deferred[OpenAccount | None]":
        """The account that signs in as `username`."""
        alias = self._blinder.alias(username)

        def read(c: Connection) -> tuple[AccountRow, ProfileRow | None] | None:
            row = accounts.account_by_alias(c, alias)
            return None if row is None else (row, profiles.profile(c, row.account))

        return self._database.read(read).addCallback(self._keep)

    async def need(self, account: AccountId) -> OpenAccount:
        """The account; raises `not_found`."""
        if (opened := await self.get(account)) is None:
            raise Problem(Code.NOT_FOUND)
        return opened

    def known(self, account: AccountId) -> "Deferred[Known | None]":
        if account == self._system.account:
            return succeed(self._system)

        def known(opened: OpenAccount | None) -> Known | None:
            if opened is None:
                return None
            profile = opened.profile
            return Known(account, opened.username, profile.display_name, profile.status)

        return self.get(account).addCallback(known)

    def opened(self, row: AccountRow, profile: ProfileRow | None) -> OpenAccount:
        """An account from its rows, kept from now on; raises `Tampered`."""
        key = self._keyring.unwrap(row.account, row.key)
        record = unseal(key, AccountRecord, row.sealed, row.account)
        kept = self._open.get(account := AccountId(record.account))
        if kept is not None:
            return kept
        opened = OpenAccount(account, row.account, key, record.username, record.password_hash)
        if profile is not None:
            shown = unseal(key, ProfileRecord, profile.sealed, profile.account)
            opened.profile = Profile(shown.display_name, shown.status)
        self.keep(opened)
        return opened

    def keep(self, opened: OpenAccount) -> None:
        """Remember an account; the one not asked for longest makes room."""
        self._open[opened.account] = opened
        if len(self._open) > self._size:
            self._open.popitem(last=False)

    def _keep(self, rows: tuple[AccountRow, ProfileRow | None] | None) -> OpenAccount | None:
        return None if rows is None else self.opened(*rows)
