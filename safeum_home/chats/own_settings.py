"""What an account has set for its chats: sealed under its own key, told to its own devices alone."""

from collections.abc import Iterable
from typing import Any

from msgspec import UNSET, Struct, structs
from sqlalchemy import Connection

from safeum_home.chats.altering import Altering
from safeum_home.chats.registry import ChatRegistry
from safeum_home.chats.sealed_records import SealedRecords
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
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
from safeum_home.protocol.message_types import ChatSettings
from safeum_home.storage import events, settings
from safeum_home.storage.rows import SettingsRow


class SettingsRecord(Struct, frozen=True):
    chat: ChatId
    settings: ChatSettings


_records = SealedRecords(SettingsRecord)
_NOTHING = ChatSettings()


def _open(key: Key, row: SettingsRow) -> SettingsRecord:
    """Raises `Tampered`."""
    return _records.open(key, row.sealed, b"settings" + row.account + row.chat)


def settings_of(c: Connection, key: Key, account: bytes, chats: Iterable[bytes]) -> dict[bytes, ChatSettings]:
    """What an account has set for some of its chats, by their blind indexes; in one query."""
    rows = settings.settings_of(c, account, chats)
    opened = undamaged(rows, lambda row: (row.chat, _open(key, row).settings), "settings")
    return {chat: each for chat, each in opened if each != _NOTHING}


class OwnSettings:
    """`chat.settings.set`, and what a device that was away has missed of it."""

    def __init__(
        self,
        altering: Altering,
        database: Database,
        blinder: Blinder,
        cursors: Cursors,
        registry: ChatRegistry,
        owners: Owners,
        bus: Bus,
    ) -> None:
        self._altering = altering
        self._database = database
        self._blinder = blinder
        self._cursors = cursors
        self._registry = registry
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
            _, visible = self._altering.contents(c, chat.blind, account)
            before = settings_of(c, owner.key, owner.blind, [chat.blind]).get(chat.blind, _NOTHING)
            now = self._changed(c, before, params, chat.blind, visible)
            if now == before:
                return now, False
            context = b"settings" + owner.blind + chat.blind
            sealed = _records.seal(owner.key, SettingsRecord(chat.id, now), context)
            settings.put_settings(c, SettingsRow(owner.blind, chat.blind, position, sealed))
            return now, True

        kept, changed = await self._database.transact(store)

        def publish() -> None:
            if changed:
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

    def since(self, c: Connection, account: AccountId, after: int, limit: int) -> Missed:
        """`ports.Source` of settings."""
        rows = settings.settings_since(c, self._blinder.account(account), after, limit)
        if not rows or (owner := self._owners.read(c, account)) is None:
            return Missed([], None)

        def tell(row: SettingsRow) -> Published:
            record = _open(owner.key, row)
            return self._event(record.chat, record.settings, row.position)

        return Missed(undamaged(rows, tell, "settings"), rows[-1].position if len(rows) == limit else None)

    def _event(self, chat: ChatId, kept: ChatSettings, position: int) -> Published:
        event = SettingsChanged(self._cursors.encode(position), chat, kept)
        return Published(frames.text_frame(frames.encode_event(event)), position)
