"""A chat's history is switched, by whomever: another key, and nobody sees what was before; or kept anew.

Whoever switches takes a `Change` in the turn in which it is handed to the database, stores it there, and
tells it in the turn in which it is committed. docs/erasure.md narrates it.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec import structs
from sqlalchemy import Connection

from safeum_home.chats.contents import Chat
from safeum_home.chats.delivery import Delivery
from safeum_home.chats.groups.notices import NoticeWriter
from safeum_home.chats.infos import ChatInfos
from safeum_home.chats.record import AcrossRecord, ChatRecord, ErasureRecord, keep_record
from safeum_home.chats.registry import ChatRegistry
from safeum_home.chats.resealing import reseal_chat
from safeum_home.ids import AccountId
from safeum_home.ports import Bus, Database, EpochTurns, Key, Keyring, Published, WrappedKey
from safeum_home.protocol.types import Notice
from safeum_home.storage import erasure, keys

DropDrafts = Callable[[Connection, Chat, int], list[tuple[AccountId, Published]]]
"""Forgets what was begun in a chat by anybody, at a position; who is to be told of that, and what."""


class Change(NamedTuple):
    """What was taken for a switch in the reactor's turn in which it is handed to the database."""

    key: Key
    wrapped: WrappedKey
    position: int
    drafts: int
    notice: int
    at: int


class Switched(NamedTuple):
    """The chat as it is then, and whether anything was `done`: it may have been so already.

    `notice` is what is written into it; None where the account may not write to the other one.
    """

    chat: Chat
    done: bool
    notice: bytes | None = None
    drafts: Sequence[tuple[AccountId, Published]] = ()


class HistoryChanges:
    """Carries them out."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        registry: ChatRegistry,
        infos: ChatInfos,
        delivery: Delivery,
        notices: NoticeWriter,
        bus: Bus,
        turns: EpochTurns,
        drop_drafts: DropDrafts,
        now: Callable[[], int],
    ) -> None:
        """`now` is in milliseconds."""
        self._database = database
        self._keyring = keyring
        self._registry = registry
        self._infos = infos
        self._delivery = delivery
        self._notices = notices
        self._bus = bus
        self._turns = turns
        self._drop_drafts = drop_drafts
        self._now = now

    def take(self, chat: bytes) -> Change:
        """For the chat with this blind index, in the turn in which it is handed to the database."""
        # All in one turn: what was sealed under the old key is ahead of this.
        key, wrapped = self._keyring.new_key(chat)
        place, following, notice = (self._database.next_position() for _ in range(3))
        return Change(key, wrapped, place, following, notice, self._now())

    def erase(
        self,
        c: Connection,
        chat: Chat,
        by: AccountId,
        change: Change,
        *,
        kept: bool = False,
        across: AcrossRecord | None = None,
    ) -> Switched:
        """All that was written is gone, inside a transaction; `kept`: it was switched on again since then."""
        epoch = self._turns.epoch
        record = structs.replace(
            chat.record,
            history=kept,
            erased=change.position,
            pinned=(),
            pins=None,
            erasure=ErasureRecord(change.at, epoch),
            across=across,
        )
        if kept:
            record = structs.replace(record, kept=change.position)
        reseal_chat(c, chat.key, change.key, chat.blind)
        chat.key = change.key
        keys.LASTING.put_key(c, chat.blind, change.wrapped)
        erasure.erase_past(c, chat.blind, change.position, epoch)
        drafts = self._drop_drafts(c, chat, change.drafts)
        return self._stored(c, chat, by, change, record)._replace(drafts=drafts)

    def keep(
        self, c: Connection, chat: Chat, by: AccountId, change: Change, across: AcrossRecord | None = None
    ) -> Switched:
        """Messages are kept from now on, inside a transaction."""
        record = structs.replace(chat.record, history=True, kept=change.position, across=across)
        return self._stored(c, chat, by, change, record)

    def _stored(
        self, c: Connection, chat: Chat, by: AccountId, change: Change, record: ChatRecord
    ) -> Switched:
        chat.record = record
        keep_record(c, chat.key, chat.blind, record, change.position)
        if by not in chat.writers:
            # What both have written is either's to erase, but nothing is to be said with it.
            return Switched(chat, True)
        notice = Notice("history_on" if record.history else "history_off", by=by)
        told = self._notices.store(c, chat, chat.key, notice, change.notice, record.history)
        return Switched(chat, True, told)

    def tell(self, done: Switched, change: Change) -> None:
        """Tell all members of this node, once it is committed.

        Before anybody who waits for the chat goes on: what he writes comes behind this.
        """
        chat, notice = done.chat, done.notice
        self._registry.erased()
        told = self._infos.updated(chat, change.position)
        for member in chat.members:
            self._bus.publish(member, told)
        for member, dropped in done.drafts:
            self._bus.publish(member, dropped)
        if notice is None:
            return
        self._notices.told(chat, change.notice)
        self._delivery.message(chat, self._notices.system, notice, change.notice, None)
