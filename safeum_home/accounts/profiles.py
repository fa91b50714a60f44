"""Profiles: what an account shows to its contacts, and to nobody else."""

from collections.abc import AsyncIterator

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.accounts.contact_rows import ContactSide
from safeum_home.accounts.directory import AccountDirectory, OpenAccount
from safeum_home.accounts.records import ProfileRecord, seal, unseal
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports import Bus, Caller, Committed, Cursors, Database, Keyring, Published
from safeum_home.protocol import frames
from safeum_home.protocol.commands import Done, ProfileGet, ProfileResult, ProfileSet
from safeum_home.protocol.events import ProfileChanged
from safeum_home.protocol.types import ContactState, Profile
from safeum_home.storage import keys, profiles
from safeum_home.storage.rows import ProfileRow

_PAGE = 500


class Profiles:
    """The commands `profile.*`."""

    def __init__(
        self,
        node: str,
        database: Database,
        keyring: Keyring,
        cursors: Cursors,
        directory: AccountDirectory,
        side: ContactSide,
        bus: Bus,
    ) -> None:
        self._node = node
        self._database = database
        self._keyring = keyring
        self._cursors = cursors
        self._directory = directory
        self._side = side
        self._bus = bus

    async def get(self, caller: Caller, params: ProfileGet) -> ProfileResult:
        mine = await self._directory.need(caller.account)
        account = AccountId(params.account or caller.account)
        shown = mine if account == caller.account else await self._directory.get(account)
        if shown is None or not (shown is mine or await self._are_contacts(mine, shown)):
            raise Problem(Code.NOT_FOUND)
        return ProfileResult(shown.account, f"{shown.username}@{self._node}", shown.profile)

    async def set(self, caller: Caller, params: ProfileSet) -> Committed[Done]:
        mine = await self._directory.need(caller.account)
        profile = params.profile
        record = ProfileRecord(mine.account, profile.display_name, profile.status)
        sealed = seal(mine.key, record, mine.blind)
        watchers = [mine.account, *[account async for account in self._contacts(mine)]]
        position = self._database.next_position()
        row = ProfileRow(mine.blind, position, sealed)
        await self._database.transact(lambda c: profiles.put_profile(c, row))
        mine.profile = profile
        event = self._event(mine.account, profile, position)

        def publish() -> None:
            for account in watchers:
                self._bus.publish(account, event)

        return Committed(Done(), publish)

    def since(self, account: AccountId, after: int, limit: int) -> "Deferred[list[Published]]":
        """`ports.Source` of profile changes."""
        return Deferred.fromCoroutine(self._since(account, after, limit))

    async def _since(self, account: AccountId, after: int, limit: int) -> list[Published]:
        owner = await self._directory.need(account)

        def read(c: Connection) -> list[tuple[ProfileRecord, int]]:
            rows = profiles.profiles_since(c, owner.blind, after, limit)
            return [(self._open(c, row), row.position) for row in rows]

        return [
            self._event(AccountId(record.account), Profile(record.display_name, record.status), position)
            for record, position in await self._database.read(read)
        ]

    def _open(self, c: Connection, row: ProfileRow) -> ProfileRecord:
        if (wrapped := keys.key(c, row.account)) is None:
            raise Problem(Code.NOT_FOUND)
        return unseal(self._keyring.unwrap(row.account, wrapped), ProfileRecord, row.sealed, row.account)

    def _event(self, account: AccountId, profile: Profile, position: int) -> Published:
        event = ProfileChanged(self._cursors.encode(position), account, profile)
        return Published(frames.text_frame(frames.encode_event(event)), position)

    async def _are_contacts(self, mine: OpenAccount, other: OpenAccount) -> bool:
        entry = await self._database.read(lambda c: self._side.read(c, other, mine.account))
        return entry is not None and entry.state is ContactState.ACCEPTED

    async def _contacts(self, mine: OpenAccount) -> AsyncIterator[AccountId]:
        after: AccountId | None = None
        more = True
        while more:
            entries, more = await self._side.page(mine, after, _PAGE)
            for entry in entries:
                after = entry.account
                if entry.state is ContactState.ACCEPTED:
                    yield entry.account
