"""What an account has set for its chats: sealed under its own key, told to its own devices alone.

A draft is sealed under the chat's key as well, so that nobody opens it any more once the chat's past was
erased. While the history of a chat is off none is kept: it would outlive the messages.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import UNSET, Struct, structs
from sqlalchemy import Connection

from safeum_home.chats.changes.altering import Altering
from safeum_home.chats.contents import Chat, ChatContents
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.registry import ChatRegistry
from safeum_home.chats.sealed_records import SealedRecords
from safeum_home.chats.secure import check_unsealed
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import (
    Blinder,
    Bus,
    Caller,
    Committed,
    Cursors,
    Database,
    Key,
    Missed,
    Owners,
    Published,
)
from safeum_home.protocol import frames
from safeum_home.protocol.commands import ChatSettingsSet, SettingsKept
from safeum_home.protocol.events import SettingsChanged
from safeum_home.protocol.message_types import ChatSettings, Draft
from safeum_home.storage import events, settings
from safeum_home.storage.rows import SettingsRow


class SettingsRecord(Struct, frozen=True):
    """`settings` are those without the draft."""

    chat: ChatId
    settings: ChatSettings


_records = SealedRecords(SettingsRecord)
_drafts = SealedRecords(Draft)
_NOTHING = ChatSettings()


def _seal(key: Key, chat: ChatContents, account: bytes, position: int, now: ChatSettings) -> SettingsRow:
    place, draft = account + chat.blind, None
    record = SettingsRecord(chat.id, structs.replace(now, draft=None))
    if now.draft is not None:
        # The chat's key is the outer one: where that is gone nothing is opened at all.
        draft = chat.key.seal(_drafts.seal(key, now.draft, b"draft" + place), b"draft" + place)
    sealed = _records.seal(key, record, b"settings" + place)
    return SettingsRow(account, chat.blind, position, sealed, draft)


def open_settings(key: Key, row: SettingsRow) -> SettingsRecord:
    """All but the draft; raises `Tampered`."""
    return _records.open(key, row.sealed, b"settings" + row.account + row.chat)


def _open_draft(key: Key, chat: Key, row: SettingsRow, sealed: bytes) -> Draft:
    """Raises `Tampered`."""
    context = b"draft" + row.account + row.chat
    return _drafts.open(key, chat.open(sealed, context), context)


def _open_whole(key: Key, chat: Key, row: SettingsRow) -> SettingsRecord:
    """Without a draft where that is damaged; raises `Tampered` where all the rest is."""
    record = open_settings(key, row)
    sealed = [] if row.draft is None else [row.draft]
    for draft in undamaged(sealed, lambda sealed: _open_draft(key, chat, row, sealed), "drafts"):
        record = SettingsRecord(record.chat, structs.replace(record.settings, draft=draft))
    return record


def settings_of(
    c: Connection, key: Key, account: bytes, chats: Mapping[bytes, Key]
) -> dict[bytes, ChatSettings]:
    """What an account has set for some of its chats, by their blind indexes; in one query.

    `chats` are the keys that the chats have on this connection.
    """
    rows = settings.settings_of(c, account, chats)
    opened = undamaged(rows, lambda row: (row.chat, _open_whole(key, chats[row.chat], row)), "settings")
    return {chat: each.settings for chat, each in opened if each.settings != _NOTHING}


class OwnSettings:
    """`chat.settings.set`, what becomes of drafts, and what a device that was away has missed of both."""

    def __init__(
        self,
        altering: Altering,
        database: Database,
        blinder: Blinder,
        cursors: Cursors,
        registry: ChatRegistry,
        opener: ChatOpener,
        owners: Owners,
        bus: Bus,
        mutes: Callable[[AccountId, ChatId], None],
    ) -> None:
        """`mutes` is told that an account has muted a chat, or not any more, or until another time."""
        self._tell_mutes = mutes
        self._altering = altering
        self._database = database
        self._blinder = blinder
        self._cursors = cursors
        self._registry = registry
        self._opener = opener
        self._owners = owners
        self._bus = bus

    async def set(self, caller: Caller, params: ChatSettingsSet) -> Committed[SettingsKept]:
        account = caller.account
        if params.draft and params.draft.reply_to is not None:
            self._cursors.decode(params.draft.reply_to)
        owner = await self._owners.need(account)
        chat = await self._registry.load(ChatId(params.chat), account)
        if chat is None or account not in chat.members:
            raise Problem(Code.NOT_FOUND)
        position = self._database.next_position()

        def store(c: Connection) -> tuple[ChatSettings, bool]:
            self._owners.must_be_there(c, owner)
            contents, visible = self._altering.finder.contents(c, chat.blind, account)
            known = settings_of(c, owner.key, owner.blind, {chat.blind: contents.key})
            before = known.get(chat.blind, _NOTHING)
            now = self._changed(c, before, params, chat.blind, visible)
            if now.draft is not None:
                check_unsealed(contents.record)
            if now.draft is not None and not contents.record.history:
                raise Problem(Code.DRAFT_NOT_KEPT)
            if now == before:
                return now, False
            settings.put_settings(c, _seal(owner.key, contents, owner.blind, position, now))
            return now, True

        kept, changed = await self._database.transact(store)

        def publish() -> None:
            if changed:
                if params.muted_until is not UNSET:
                    self._tell_mutes(account, chat.id)
                self._bus.publish(account, self._event(chat.id, kept, position))

        return Committed(SettingsKept(kept), publish)

    def _changed(
        self, c: Connection, before: ChatSettings, params: ChatSettingsSet, chat: bytes, visible: int
    ) -> ChatSettings:
        given: dict[str, Any] = {
            name: value
            for name in ("muted_until", "pinned", "draft")
            if (value := getattr(params, name)) is not UNSET
        }
        if (draft := given.get("draft")) is not None and not draft.text and draft.reply_to is None:
            given["draft"] = None
        if params.archived is not UNSET:
            newest = events.events_before(c, chat, None, 1, visible) if params.archived else []
            given["archived"] = self._cursors.encode(newest[0].position) if newest else None
        return structs.replace(before, **given)

    def drop_drafts(self, c: Connection, chat: Chat, position: int) -> list[tuple[AccountId, Published]]:
        """Forget all drafts of a chat, inside a transaction; who is to be told of that, and what."""
        rows = settings.drop_drafts(c, chat.blind, position)
        members = {self._blinder.account(member): member for member in chat.members} if rows else {}

        def told(row: SettingsRow) -> tuple[AccountId, Published]:
            account = members.get(row.account)
            if account is None or (owner := self._owners.read(c, account)) is None:
                raise Tampered
            return account, self._event(chat.id, open_settings(owner.key, row).settings, position)

        return undamaged(rows, told, "settings")

    def since(self, c: Connection, account: AccountId, after: int, limit: int) -> Missed:
        """`ports.Source` of settings."""
        rows = settings.settings_since(c, self._blinder.account(account), after, limit)
        if not rows or (owner := self._owners.read(c, account)) is None:
            return Missed([], None)

        opened = self._opener.opener(c, account, [row.chat for row in rows if row.draft is not None])

        def tell(row: SettingsRow) -> Published:
            if row.draft is None:
                record = open_settings(owner.key, row)
            else:
                record = _open_whole(owner.key, opened(row.chat).key, row)
            return self._event(record.chat, record.settings, row.position)

        return Missed(undamaged(rows, tell, "settings"), rows[-1].position if len(rows) == limit else None)

    def _event(self, chat: ChatId, kept: ChatSettings, position: int) -> Published:
        event = SettingsChanged(self._cursors.encode(position), chat, kept)
        return Published(frames.text_frame(frames.encode_event(event)), position)
