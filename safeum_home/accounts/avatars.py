"""Pictures of accounts: one each, without metadata, for contacts alone."""

from msgspec.structs import replace
from sqlalchemy import Connection

from safeum_home.accounts.contact_rows import ContactSide
from safeum_home.accounts.directory import AccountDirectory, OpenAccount
from safeum_home.accounts.foreign_avatars import ForeignAvatars
from safeum_home.accounts.profile_changes import ProfileChanges
from safeum_home.accounts.profiles import shows_itself
from safeum_home.accounts.records import AvatarRecord, ProfileRecord, seal, unseal
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, avatar_id
from safeum_home.images import clean
from safeum_home.limits import RateLimit
from safeum_home.ports import Blinder, Caller, Committed, Database
from safeum_home.protocol.commands import AvatarGet, AvatarKept, AvatarRemove, AvatarResult, AvatarSet, Done
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.federation.questions import AvatarHeld, AvatarOf
from safeum_home.storage import avatars


class Avatars:
    """The commands `profile.avatar.*`.

    A picture's id is a keyed hash of it: it tells nothing of the picture, and whoever holds that picture
    already need not ask for it. The profile names the id, and changes in the same commit as the picture.
    """

    def __init__(
        self,
        database: Database,
        blinder: Blinder,
        directory: AccountDirectory,
        side: ContactSide,
        changes: ProfileChanges,
        limit: RateLimit,
        foreign: ForeignAvatars,
        asked: RateLimit,
    ) -> None:
        """`foreign` are those of accounts of other nodes, and `asked` is how often each of these may ask."""
        self._database = database
        self._blinder = blinder
        self._directory = directory
        self._side = side
        self._changes = changes
        self._limit = limit
        self._foreign = foreign
        self._asked = asked

    async def set(self, caller: Caller, params: AvatarSet) -> Committed[AvatarKept]:
        self._limit.take(caller.account)
        picture = clean(params.data, params.type)
        mine = await self._directory.need(caller.account)
        avatar = avatar_id(self._blinder.avatar(mine.account, picture.data))
        sealed = seal(mine.key, AvatarRecord(avatar, picture.type, picture.data), mine.blind)

        def edit(c: Connection, record: ProfileRecord) -> ProfileRecord | None:
            avatars.put_avatar(c, mine.blind, sealed)
            return None if record.avatar == avatar else replace(record, avatar=avatar)

        return Committed(AvatarKept(avatar), await self._changes.change(mine, edit))

    async def remove(self, caller: Caller, params: AvatarRemove) -> Committed[Done]:
        self._limit.take(caller.account)
        mine = await self._directory.need(caller.account)

        def edit(c: Connection, record: ProfileRecord) -> ProfileRecord | None:
            avatars.delete_avatar(c, mine.blind)
            return None if record.avatar is None else replace(record, avatar=None)

        return Committed(Done(), await self._changes.change(mine, edit))

    async def get(self, caller: Caller, params: AvatarGet) -> AvatarResult:
        mine = await self._directory.need(caller.account)
        account = AccountId(params.account or caller.account)
        if node_of(account) != node_of(caller.account):
            return await self._foreign.get(mine, account, params.avatar)
        owner = mine if account == caller.account else await self._directory.need(account)

        held = await self._held(owner, mine.account, params.avatar)
        return AvatarResult(account, params.avatar, held.type, held.data)

    async def answer(self, node: str, question: AvatarOf) -> AvatarHeld:
        """The same for a contact at another node: `not_found` alike where it is none."""
        self._asked.take(node)
        if node_of(question.viewer) != node:
            raise Problem(Code.NOT_FOUND)
        owner = await self._directory.need(AccountId(question.account))
        held = await self._held(owner, AccountId(question.viewer), question.avatar)
        return AvatarHeld(held.type, held.data)

    async def _held(self, owner: OpenAccount, viewer: AccountId, avatar: str) -> AvatarRecord:
        """The picture, for its owner or a contact; raises `not_found`."""

        def read(c: Connection) -> bytes | None:
            if owner.account != viewer and not shows_itself(c, self._side, owner, viewer):
                return None
            return avatars.avatar(c, owner.blind)

        sealed = await self._database.read(read)

        def open_row(row: bytes) -> AvatarRecord:
            return unseal(owner.key, AvatarRecord, row, owner.blind)

        held = undamaged([sealed] if sealed else [], open_row, "avatars")
        if not held or held[0].avatar != avatar:
            raise Problem(Code.NOT_FOUND)
        return held[0]
