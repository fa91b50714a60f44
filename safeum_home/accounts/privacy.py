"""What an account keeps to itself: the command, and who may see whom as the database has it."""

from collections.abc import Sequence

from msgspec import structs
from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.accounts.contact_rows import ContactSide
from safeum_home.accounts.directory import AccountDirectory, OpenAccount
from safeum_home.accounts.records import AccountRecord, seal, unseal
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.ports import Acquaintance, Blinder, Caller, Database, RelationWatch
from safeum_home.protocol.commands import AccountPrivacy, PrivacyResult
from safeum_home.protocol.presence import NOTHING_HIDDEN, Privacy
from safeum_home.storage import accounts, contacts


class MutualContacts:
    """`ports.Acquaintances`."""

    def __init__(self, database: Database, directory: AccountDirectory, side: ContactSide) -> None:
        self._database = database
        self._directory = directory
        self._side = side

    def of(self, accounts: Sequence[AccountId]) -> "Deferred[list[Acquaintance | None]]":
        return Deferred.fromCoroutine(self._of(accounts))

    async def _of(self, accounts: Sequence[AccountId]) -> list[Acquaintance | None]:
        # Whoever has just come was opened for that: these are in memory.
        owners = [await self._directory.get(account) for account in accounts]

        def read(c: Connection) -> list[Acquaintance | None]:
            return [None if owner is None else self._read(c, owner) for owner in owners]

        return await self._database.read(read)

    def _read(self, c: Connection, owner: OpenAccount) -> Acquaintance:
        rows = contacts.mutual_elsewhere(c, owner.blind)
        entries = undamaged(rows, lambda row: self._side.open(owner, row), "contacts")
        elsewhere = tuple(entry.account for entry in entries)
        return Acquaintance(contacts.mutual(c, owner.blind), owner.privacy, elsewhere)


class MutualContactsHere:
    """`ports.Acquaintances` of accounts of other nodes: what they hide their own nodes know."""

    def __init__(self, database: Database, blinder: Blinder) -> None:
        self._database = database
        self._blinder = blinder

    def of(self, accounts: Sequence[AccountId]) -> "Deferred[list[Acquaintance | None]]":
        blinds = [self._blinder.account(account) for account in accounts]

        def read(c: Connection) -> list[Acquaintance | None]:
            found = (b"".join(contacts.mutual_here(c, blind)) for blind in blinds)
            return [Acquaintance(peers, NOTHING_HIDDEN) for peers in found]

        return self._database.read(read)


class PrivacySettings:
    """The command `account.privacy`."""

    def __init__(
        self, database: Database, directory: AccountDirectory, watch: RelationWatch, limit: RateLimit
    ) -> None:
        self._database = database
        self._directory = directory
        self._watch = watch
        self._limit = limit

    async def privacy(self, caller: Caller, params: AccountPrivacy) -> PrivacyResult:
        owner = await self._directory.need(caller.account)
        wanted = {name: value for name, value in structs.asdict(params).items() if value is not None}
        if not wanted:
            return _shown(owner.privacy)
        self._limit.take(caller.account)
        privacy = await self._database.transact(lambda c: _change(c, owner, wanted))
        owner.privacy = privacy
        self._directory.keep(owner)
        self._watch.privacy_changed(owner.account, privacy)
        return _shown(privacy)


def _change(c: Connection, owner: OpenAccount, wanted: dict[str, bool]) -> Privacy:
    row = accounts.account(c, owner.blind)
    if row is None:
        raise Problem(Code.NOT_FOUND)
    record = unseal(owner.key, AccountRecord, row.sealed, owner.blind)
    privacy = structs.replace(record.privacy, **wanted)
    changed = structs.replace(record, privacy=privacy)
    accounts.update_account(c, owner.blind, seal(owner.key, changed, owner.blind))
    return privacy


def _shown(privacy: Privacy) -> PrivacyResult:
    return PrivacyResult(privacy.hide_presence, privacy.hide_typing)
