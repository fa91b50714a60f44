"""Which chats accounts have muted, for who wakes their devices."""

from collections.abc import Collection

from sqlalchemy import Connection

from safeum_home.chats.own_settings import open_settings
from safeum_home.damage import undamaged
from safeum_home.ids import ChatId
from safeum_home.ports import Blinder, Owner
from safeum_home.storage import settings


class Mutes:
    """`ports.Mutes`."""

    def __init__(self, blinder: Blinder) -> None:
        self._blinder = blinder

    def muted_until(self, c: Connection, owner: Owner, chats: Collection[ChatId]) -> dict[ChatId, int]:
        rows = settings.settings_of(c, owner.blind, [self._blinder.chat(chat) for chat in chats])
        records = undamaged(rows, lambda row: open_settings(owner.key, row), "settings")
        until = {record.chat: record.settings.muted_until for record in records}
        return {chat: at for chat, at in until.items() if at is not None}
