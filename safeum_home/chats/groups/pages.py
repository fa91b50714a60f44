"""What a group says of itself: its name, what it is about, its picture, and what newcomers see."""

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from safeum_home.chats.groups.changes import GroupChanges
from safeum_home.chats.groups.draft import Draft
from safeum_home.chats.groups.entrance import GroupLimits
from safeum_home.chats.groups.reading import GroupRoster
from safeum_home.chats.groups.rights import Action
from safeum_home.chats.sealed_records import SealedRecords
from safeum_home.chats.secure import check_unsealed
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId, avatar_id
from safeum_home.images import clean
from safeum_home.ports import Blinder, Caller, Committed, Database, Key
from safeum_home.protocol.commands import (
    Done,
    GroupAvatar,
    GroupAvatarGet,
    GroupAvatarRemove,
    GroupAvatarSet,
    GroupPicture,
    GroupSet,
)
from safeum_home.protocol.types import AvatarType
from safeum_home.storage import avatars


class PictureRecord(Struct, frozen=True):
    """A group's picture, sealed under the group's key."""

    avatar: str
    type: AvatarType
    data: bytes


_pictures = SealedRecords(PictureRecord)


def seal_picture(key: Key, chat: bytes, record: PictureRecord) -> bytes:
    """A picture for the row of the chat with this blind index."""
    return _pictures.seal(key, record, b"picture" + chat)


def open_picture(key: Key, chat: bytes, sealed: bytes) -> PictureRecord:
    """Raises `Tampered`."""
    return _pictures.open(key, sealed, b"picture" + chat)


class GroupPages:
    """The commands `group.set` and `group.avatar.*`."""

    def __init__(
        self,
        database: Database,
        blinder: Blinder,
        changes: GroupChanges,
        roster: GroupRoster,
        limits: GroupLimits,
    ) -> None:
        self._database = database
        self._blinder = blinder
        self._changes = changes
        self._roster = roster
        self._limits = limits

    async def set(self, caller: Caller, params: GroupSet) -> Committed[Done]:
        self._limits.descriptions.take(caller.account)
        me = caller.account

        def work(draft: Draft) -> None:
            draft.member(me)
            before = draft.group
            name = before.name if params.name is None else params.name
            about = before.about if params.about is None else params.about
            earlier = before.earlier if params.earlier is None else params.earlier
            if params.name is not None or params.about is not None:
                draft.allowed(me, Action.DESCRIBE)
                check_unsealed(draft.record)
            if params.earlier is not None:
                draft.allowed(me, Action.SHOW_EARLIER)
            now = replace(before, name=name, about=about, earlier=earlier)
            if now == before:
                return
            draft.describe(now)
            if name != before.name:
                draft.notice("named", by=me, text=name)
            if about != before.about:
                draft.notice("described", by=me)
            if earlier is not before.earlier:
                draft.notice("earlier" if earlier else "not_earlier", by=me)

        change = await self._changes.change(ChatId(params.chat), [me], 4, work, me)
        return Committed(Done(), change.publish)

    async def set_avatar(self, caller: Caller, params: GroupAvatarSet) -> Committed[GroupPicture]:
        self._limits.descriptions.take(caller.account)
        picture = clean(params.data, params.type)
        me, chat = caller.account, ChatId(params.chat)
        avatar = avatar_id(self._blinder.avatar(chat, picture.data))

        def work(draft: Draft) -> None:
            draft.allowed(me, Action.DESCRIBE)
            check_unsealed(draft.record)
            record = PictureRecord(avatar, picture.type, picture.data)
            avatars.put_avatar(draft.c, draft.chat.blind, seal_picture(draft.key, draft.chat.blind, record))
            if draft.group.avatar != avatar:
                draft.describe(replace(draft.group, avatar=avatar))
                draft.notice("pictured", by=me)

        change = await self._changes.change(chat, [me], 2, work, me)
        return Committed(GroupPicture(avatar), change.publish)

    async def remove_avatar(self, caller: Caller, params: GroupAvatarRemove) -> Committed[Done]:
        self._limits.descriptions.take(caller.account)
        me = caller.account

        def work(draft: Draft) -> None:
            draft.allowed(me, Action.DESCRIBE)
            avatars.delete_avatar(draft.c, draft.chat.blind)
            if draft.group.avatar is not None:
                draft.describe(replace(draft.group, avatar=None))
                draft.notice("unpictured", by=me)

        change = await self._changes.change(ChatId(params.chat), [me], 2, work, me)
        return Committed(Done(), change.publish)

    async def avatar(self, caller: Caller, params: GroupAvatarGet) -> GroupAvatar:
        def read(c: Connection) -> list[PictureRecord]:
            blind, key = self._roster.open(c, AccountId(caller.account), params.chat)
            sealed = avatars.avatar(c, blind)
            return undamaged([sealed] if sealed else [], lambda row: open_picture(key, blind, row), "avatars")

        held = await self._database.read(read)
        if not held or held[0].avatar != params.avatar:
            raise Problem(Code.NOT_FOUND)
        return GroupAvatar(params.chat, params.avatar, held[0].type, held[0].data)
