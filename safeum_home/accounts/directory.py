"""The accounts of this node by id: opened from the database when asked for, a bounded number kept in RAM."""

from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass

from sqlalchemy import Connection
from twisted.internet.defer import Deferred, succeed

from safeum_home.accounts.records import AccountRecord, PinRecord, ProfileRecord, unseal
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId, is_account
from safeum_home.ports import Blinder, Database, Key, Keyring, Known, Owner, WrappedKey
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.presence import NOTHING_HIDDEN, Privacy
from safeum_home.storage import accounts, keys, profiles
from safeum_home.storage.rows import AccountRow, ProfileRow


@dataclass(slots=True)
class OpenAccount:
    """An account whose key is in memory."""

    account: AccountId
    blind: bytes
    key: Key
    username: str
    password_hash: str
    display_name: str = ""
    status: str = ""
    consented: str | None = None
    """The version of the policy that the owner has agreed to."""
    pins: PinRecord | None = None
    privacy: Privacy = NOTHING_HIDDEN


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody who signs in has to fit."""

    account: AccountId
    password_hash: str
    pins: PinRecord | None


class AccountDirectory:
    """`ports.Directory`, and for this package the opened accounts themselves."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        blinder: Blinder,
        system: Known,
        support: Known,
        size: int = 20_000,
    ) -> None:
        """`system` and `support` are the node's own contacts."""
        self._database = database
        self._keyring = keyring
        self._blinder = blinder
        self._own = {known.account: known for known in (system, support)}
        self._node = node_of(system.account)
        self._size = size
        self._open: OrderedDict[AccountId, OpenAccount] = OrderedDict()
        self._forgotten = 0

    def get(self, account: AccountId) -> "Deferred[OpenAccount | None]":
        """The account; None where this node has none of this id."""
        if (kept := self._open.get(account)) is not None:
            self._open.move_to_end(account)
            return succeed(kept)
        return self._load(lambda c: self.read(c, account))

    def by_username(self, username: str) -> "Deferred[OpenAccount | None]":
        """The account that signs in as `username`."""
        alias = self._blinder.alias(username)

        def read(c: Connection) -> OpenAccount | None:
            row = accounts.account_by_alias(c, alias)
            opened = None if row is None else self._from_rows(row, profiles.profile(c, row.account))
            # An alias that was moved to another account names nobody.
            return opened if opened is not None and opened.username == username else None

        return self._load(read)

    def is_taken(self, username: str) -> "Deferred[bool]":
        """Whether nobody can sign up as `username`: somebody has, be it that the account was closed."""
        alias = self._blinder.alias(username)
        return self._database.read(lambda c: accounts.is_taken(c, alias))

    def must_be_there(self, c: Connection, owner: Owner) -> None:
        """Inside a transaction that writes rows for `owner`; raises `not_found` where it was closed."""
        if not accounts.exists(c, owner.blind):
            raise Problem(Code.NOT_FOUND)

    def behind(self, c: Connection, blind: bytes) -> OpenAccount | None:
        """The account of a row, without its profile; raises `Tampered`."""
        row = accounts.account(c, blind)
        return None if row is None else self._from_rows(row, None)

    def forget_account(self, account: AccountId) -> None:
        """The account was closed.

        Its key is zeroed with the last command that is still using it.
        """
        self._forgotten += 1
        self._open.pop(account, None)

    def credentials(self, alias: str) -> "Deferred[Credentials | None]":
        """Whose alias this is. Where it is nobody's, another account is opened, so that it costs the same."""
        blind = self._blinder.alias(alias)

        def read(c: Connection) -> Credentials | None:
            row = accounts.nearest_account(c, blind)
            for opened in undamaged([row] if row else [], self._open_record, "accounts"):
                found = Credentials(AccountId(opened.account), opened.password_hash, opened.pins)
                return found if opened.username == alias else None
            return None

        return self._database.read(read)

    def read(self, c: Connection, account: AccountId) -> OpenAccount | None:
        """The account as the database has it now, on a reading connection and in its thread."""
        row = accounts.account(c, self._blinder.account(account))
        return None if row is None else self._from_rows(row, profiles.profile(c, row.account))

    def read_profile(self, c: Connection, row: ProfileRow) -> ProfileRecord:
        """What a row holds; raises `Tampered`."""
        if (wrapped := keys.LASTING.key(c, row.account)) is None:
            raise Tampered
        return open_profile(self._keyring.unwrap(row.account, wrapped), row)

    def display_name(self, c: Connection, account: AccountId) -> str:
        """What an account is called, on a reading connection; empty where that is not known."""
        row = profiles.profile(c, self._blinder.account(account))
        names = undamaged([row] if row else [], lambda row: self.read_profile(c, row), "profiles")
        return names[0].display_name if names else ""

    def names(self, c: Connection, among: Collection[AccountId]) -> dict[bytes, str]:
        """What those of some accounts are called that have a profile, by their blind indexes."""

        def open_row(row: tuple[ProfileRow, WrappedKey]) -> tuple[bytes, str]:
            profile, wrapped = row
            key = self._keyring.unwrap(profile.account, wrapped)
            return profile.account, open_profile(key, profile).display_name

        rows = profiles.profiles_among(c, [self._blinder.account(account) for account in among])
        return dict(undamaged(rows, open_row, "profiles"))

    def all_behind(self, c: Connection, among: Collection[bytes]) -> dict[bytes, AccountId]:
        """Whose some blind indexes are: of this node, and of others as far as those have told a profile.

        On any connection; what cannot be opened is left out.
        """

        def open_profile_of(row: tuple[ProfileRow, WrappedKey]) -> tuple[bytes, AccountId]:
            profile, wrapped = row
            key = self._keyring.unwrap(profile.account, wrapped)
            return profile.account, AccountId(open_profile(key, profile).account)

        def open_account(row: AccountRow) -> tuple[bytes, AccountId]:
            return row.account, AccountId(self._open_record(row).account)

        found = dict(undamaged(accounts.accounts_among(c, list(among)), open_account, "accounts"))
        others = profiles.profiles_among(c, [blind for blind in among if blind not in found])
        return found | dict(undamaged(others, open_profile_of, "profiles"))

    def people(self, c: Connection, among: Collection[AccountId]) -> dict[AccountId, Known]:
        """`ports.Directory.people`."""
        asked = [account for account in among if account not in self._own]
        found = {account: own for account in among if (own := self._own.get(account)) is not None}
        names = self.names(c, asked)
        found.update(self._foreign(c, [account for account in asked if node_of(account) != self._node]))
        rows = accounts.accounts_among(c, [self._blinder.account(account) for account in asked])
        for row, record in undamaged(rows, lambda row: (row, self._open_record(row)), "accounts"):
            account = AccountId(record.account)
            found[account] = Known(account, record.username, names.get(row.account, ""), "")
        return found

    def _foreign(self, c: Connection, among: list[AccountId]) -> dict[AccountId, Known]:
        """Accounts of other nodes, as far as those have told of them."""
        found = {account: Known(account, account, "", "") for account in among}

        def open_row(row: tuple[ProfileRow, WrappedKey]) -> ProfileRecord:
            profile, wrapped = row
            return open_profile(self._keyring.unwrap(profile.account, wrapped), profile)

        rows = profiles.profiles_among(c, [self._blinder.account(account) for account in among])
        for record in undamaged(rows, open_row, "profiles"):
            account = AccountId(record.account)
            login = record.address if is_account(record.address) else record.address.partition("@")[0]
            found[account] = Known(account, login, record.display_name, "")
        return found

    async def need(self, account: AccountId) -> OpenAccount:
        """The account; raises `not_found`."""
        if (opened := await self.get(account)) is None:
            raise Problem(Code.NOT_FOUND)
        return opened

    def known(self, account: AccountId) -> "Deferred[Known | None]":
        if (own := self._own.get(account)) is not None:
            return succeed(own)
        if node_of(account) != self._node:
            return self._database.read(lambda c: self._foreign(c, [account])[account])

        def known(opened: OpenAccount | None) -> Known | None:
            if opened is None:
                return None
            return Known(account, opened.username, opened.display_name, opened.status)

        return self.get(account).addCallback(known)

    def opened(self, row: AccountRow, profile: ProfileRow | None) -> OpenAccount:
        """An account from its rows, kept from now on; raises `Tampered`."""
        return self.keep(self._from_rows(row, profile), replace=False)

    def keep(self, opened: OpenAccount, replace: bool = True) -> OpenAccount:
        """Remember an account; the one not asked for longest makes room.

        What is kept of it already is newer than what was just read, unless the caller has changed it.
        """
        if not replace and (kept := self._open.get(opened.account)) is not None:
            return kept
        self._open[opened.account] = opened
        if len(self._open) > self._size:
            self._open.popitem(last=False)
        return opened

    def forget(self) -> None:
        """Open accounts anew. Their keys stay for those who are using them."""
        self._open.clear()

    def wipe(self) -> None:
        """Zero all keys: the node stops."""
        while self._open:
            self._open.popitem()[1].key.wipe()

    def _open_record(self, row: AccountRow) -> AccountRecord:
        key = self._keyring.unwrap(row.account, row.key)
        try:
            return unseal(key, AccountRecord, row.sealed, row.account)
        finally:
            key.wipe()

    def _from_rows(self, row: AccountRow, profile: ProfileRow | None) -> OpenAccount:
        key = self._keyring.unwrap(row.account, row.key)
        record = unseal(key, AccountRecord, row.sealed, row.account)
        opened = OpenAccount(
            AccountId(record.account), row.account, key, record.username, record.password_hash
        )
        opened.consented = None if record.consent is None else record.consent.version
        opened.pins, opened.privacy = record.pins, record.privacy
        # An account is its owner's even where its profile is lost.
        for shown in undamaged([profile] if profile else [], lambda row: open_profile(key, row), "profiles"):
            opened.display_name, opened.status = shown.display_name, shown.status
        return opened

    def _load(self, read: Callable[[Connection], OpenAccount | None]) -> "Deferred[OpenAccount | None]":
        forgotten = self._forgotten

        def loaded(opened: OpenAccount | None) -> "OpenAccount | Deferred[OpenAccount | None] | None":
            # What was read may be from before an account was closed that has just been forgotten.
            if forgotten != self._forgotten:
                return self._load(read)
            return None if opened is None else self.keep(opened, replace=False)

        return self._database.read(read).addCallback(loaded)


def open_profile(key: Key, row: ProfileRow) -> ProfileRecord:
    """What a row holds; raises `Tampered`."""
    return unseal(key, ProfileRecord, row.sealed, row.account)
