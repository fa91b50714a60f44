"""Profiles: what an account shows to its contacts, and to nobody else."""

from msgspec.structs import replace
from sqlalchemy import Connection

from safeum_home.accounts.contact_rows import ContactSide
from safeum_home.accounts.directory import AccountDirectory, OpenAccount
from safeum_home.accounts.foreign_profiles import ForeignProfiles
from safeum_home.accounts.profile_changes import ProfileChanges, present
from safeum_home.accounts.profile_views import ProfileViews
from safeum_home.accounts.records import ProfileRecord
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, public_address, written
from safeum_home.limits import RateLimit
from safeum_home.ports import Blinder, Caller, Committed, Database, Missed, Published
from safeum_home.protocol.commands import Done, ProfileGet, ProfileResult, ProfileSet
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.types import ContactState, Profile
from safeum_home.storage import profiles
from safeum_home.storage.rows import ProfileRow


class Profiles:
    """The commands `profile.get` and `profile.set`."""

    def __init__(
        self,
        node: str,
        database: Database,
        blinder: Blinder,
        directory: AccountDirectory,
        side: ContactSide,
        views: ProfileViews,
        changes: ProfileChanges,
        limit: RateLimit,
        foreign: ForeignProfiles,
    ) -> None:
        """`foreign` are those of accounts of other nodes."""
        self._node = node
        self._database = database
        self._blinder = blinder
        self._directory = directory
        self._side = side
        self._views = views
        self._changes = changes
        self._limit = limit
        self._foreign = foreign

    async def get(self, caller: Caller, params: ProfileGet) -> ProfileResult:
        mine = await self._directory.need(caller.account)
        account = AccountId(params.account or caller.account)
        if node_of(account) != self._node:
            address, theirs = await self._database.read(lambda c: self._foreign.shown(c, mine, account))
            return ProfileResult(account, address, theirs)
        shown = mine if account == caller.account else await self._directory.need(account)

        def read(c: Connection) -> Profile:
            if shown is mine:
                return self._views.own(c, present(c, mine))
            if not shows_itself(c, self._side, shown, mine.account):
                raise Problem(Code.NOT_FOUND)
            return self._views.shown(c, present(c, shown))

        profile = await self._database.read(read)
        alias, node = shown.username, self._node
        address = written(alias, node) if shown is mine else public_address(alias, shown.account, node)
        return ProfileResult(shown.account, address, profile)

    async def set(self, caller: Caller, params: ProfileSet) -> Committed[Done]:
        self._limit.take(caller.account)
        mine = await self._directory.need(caller.account)
        new = params.profile

        def edit(c: Connection, record: ProfileRecord) -> ProfileRecord:
            return replace(
                record,
                display_name=new.display_name,
                status=new.status,
                about=new.about,
                fields=new.fields,
                show_safenum=new.show_safenum,
            )

        return Committed(Done(), await self._changes.change(mine, edit))

    def since(self, c: Connection, account: AccountId, after: int, limit: int) -> Missed:
        """`ports.Source` of profile changes."""
        rows = profiles.profiles_since(c, self._blinder.account(account), after, limit)

        def open_row(row: ProfileRow) -> Published:
            record = self._directory.read_profile(c, row)
            view = self._views.own if record.account == account else self._views.shown
            return self._changes.event(AccountId(record.account), view(c, record), row.position)

        return Missed(
            undamaged(rows, open_row, "profiles"), rows[-1].position if len(rows) == limit else None
        )


def shows_itself(c: Connection, side: ContactSide, owner: OpenAccount, other: AccountId) -> bool:
    """Whether `owner` has accepted `other`, and so lets it see what contacts see."""
    entry = side.read(c, owner, other)
    return entry is not None and entry.state is ContactState.ACCEPTED
