"""Profiles: what an account shows to its contacts, and to nobody else."""

from sqlalchemy import Connection

from safeum_home.accounts.contact_rows import ContactSide, Entry
from safeum_home.accounts.directory import AccountDirectory, OpenAccount
from safeum_home.accounts.records import ProfileRecord, seal
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Bus, Caller, Committed, Cursors, Database, Missed, Published
from safeum_home.protocol import frames
from safeum_home.protocol.commands import Done, ProfileGet, ProfileResult, ProfileSet
from safeum_home.protocol.events import ProfileChanged
from safeum_home.protocol.types import ContactState, Profile
from safeum_home.storage import profiles
from safeum_home.storage.rows import ProfileRow

_CHANGES = 500
"""More contacts do not change while a contact list is read."""


class Profiles:
    """The commands `profile.*`."""

    def __init__(
        self,
        node: str,
        database: Database,
        blinder: Blinder,
        cursors: Cursors,
        directory: AccountDirectory,
        side: ContactSide,
        bus: Bus,
    ) -> None:
        self._node = node
        self._database = database
        self._blinder = blinder
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
        known_at = self._database.committed
        watchers = await self._side.accepted(mine)
        position = self._database.next_position()
        row = ProfileRow(mine.blind, position, sealed)

        def store(c: Connection) -> list[Entry]:
            self._directory.must_be_there(c, mine)
            profiles.put_profile(c, row)
            return self._side.changed(c, mine, known_at, _CHANGES)

        for entry in await self._database.transact(store):
            # Who came or went while the contact list was read.
            (watchers.add if entry.state is ContactState.ACCEPTED else watchers.discard)(entry.account)
        mine.profile = profile
        self._directory.keep(mine)
        event = self._event(mine.account, profile, position)

        def publish() -> None:
            for account in (mine.account, *watchers):
                self._bus.publish(account, event)

        return Committed(Done(), publish)

    def since(self, c: Connection, account: AccountId, after: int, limit: int) -> Missed:
        """`ports.Source` of profile changes."""
        rows = profiles.profiles_since(c, self._blinder.account(account), after, limit)

        def open_row(row: ProfileRow) -> Published:
            return self._event(*self._directory.read_profile(c, row), row.position)

        return Missed(
            undamaged(rows, open_row, "profiles"), rows[-1].position if len(rows) == limit else None
        )

    def _event(self, account: AccountId, profile: Profile, position: int) -> Published:
        event = ProfileChanged(self._cursors.encode(position), account, profile)
        return Published(frames.text_frame(frames.encode_event(event)), position)

    async def _are_contacts(self, mine: OpenAccount, other: OpenAccount) -> bool:
        entry = await self._database.read(lambda c: self._side.read(c, other, mine.account))
        return entry is not None and entry.state is ContactState.ACCEPTED
