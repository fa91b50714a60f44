"""Switching a chat's history off, which erases its past for all, and on again.

1. one commit: the chat has another key, its record and its roster are sealed under that, its members see
   nothing up to here, drafts are dropped, and the rows of before are left to be swept;
2. in the same turn of the reactor: what is open in memory is dropped, all members' devices are told to wipe;
3. the keyring's epoch is turned: no old copy of the database opens any of it; only now comes the answer,
   with a receipt that the node has signed;
4. the rows of before, which nobody can open any more, are swept away.

A crash after 1 is made good at the next start: 3 by `node.turning`, 4 by the sweep.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NamedTuple

from msgspec import structs
from sqlalchemy import Connection

from safeum_home.chats.contents import Chat, ChatKind, check_local
from safeum_home.chats.delivery import Delivery
from safeum_home.chats.group_notices import NoticeWriter
from safeum_home.chats.infos import ChatInfos
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.record import ChatRecord, ErasureRecord, seal_record
from safeum_home.chats.registry import ChatRegistry
from safeum_home.chats.resealing import reseal_chat
from safeum_home.chats.rights import Action, may
from safeum_home.chats.roster import RosterState, open_entry
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId
from safeum_home.limits import RateLimit
from safeum_home.ports import (
    Blinder,
    Bus,
    Caller,
    Cursors,
    Database,
    EpochTurns,
    Key,
    Keyring,
    NodeSigner,
    Published,
    WrappedKey,
)
from safeum_home.protocol.commands import ChatHistoryReceipt, ChatHistorySet, HistoryReceipt, HistorySet
from safeum_home.protocol.erasure import Erasure, signed_receipt
from safeum_home.protocol.types import Notice
from safeum_home.spawn import spawn
from safeum_home.storage import chats, erasure, keys, roster

DropDrafts = Callable[[Connection, Chat, int], list[tuple[AccountId, Published]]]
"""Forgets what was begun in a chat by anybody, at a position; who is to be told of that, and what."""
_FIXED = (ChatKind.SYSTEM, ChatKind.SUPPORT)


class _Means(NamedTuple):
    """What was taken for a switch in the reactor's turn in which it was handed to the database."""

    key: Key
    wrapped: WrappedKey
    position: int
    drafts: int
    notice: int
    at: int


class _Switched(NamedTuple):
    """The chat as it is then, and whether anything was `done`: it may have been so already.

    `notice` is what is written into it; None where the account may not write to the other one.
    """

    chat: Chat
    done: bool
    notice: bytes | None = None
    drafts: Sequence[tuple[AccountId, Published]] = ()


class HistorySwitch:
    """The commands `chat.history.set` and `chat.history.receipt`."""

    def __init__(
        self,
        node: str,
        database: Database,
        keyring: Keyring,
        blinder: Blinder,
        cursors: Cursors,
        signer: NodeSigner,
        registry: ChatRegistry,
        opener: ChatOpener,
        infos: ChatInfos,
        delivery: Delivery,
        notices: NoticeWriter,
        bus: Bus,
        turns: EpochTurns,
        sweep: Callable[[], Coroutine[Any, Any, None]],
        drop_drafts: DropDrafts,
        now: Callable[[], int],
        limit: RateLimit,
    ) -> None:
        """`sweep` deletes the rows of what was erased; `now` is in milliseconds."""
        self._node = node
        self._database = database
        self._keyring = keyring
        self._blinder = blinder
        self._cursors = cursors
        self._signer = signer
        self._registry = registry
        self._opener = opener
        self._infos = infos
        self._delivery = delivery
        self._notices = notices
        self._bus = bus
        self._turns = turns
        self._sweep = sweep
        self._drop_drafts = drop_drafts
        self._now = now
        self._limit = limit

    async def set(self, caller: Caller, params: ChatHistorySet) -> HistorySet:
        chat = await self._chat(caller, params.chat)
        record = chat.record
        if record.history is not params.enabled:
            check_local(chat)
            self._limit.take(caller.account)
            record = await self._switch(caller.account, chat, params.enabled)
        if record.history:
            return HistorySet(True)
        return HistorySet(False, await self._receipt(record))

    async def receipt(self, caller: Caller, params: ChatHistoryReceipt) -> HistoryReceipt:
        chat = await self._chat(caller, params.chat)
        receipt = await self._receipt(chat.record)
        if receipt is None:
            raise Problem(Code.NOTHING_ERASED)
        return HistoryReceipt(receipt)

    async def _chat(self, caller: Caller, chat: str) -> Chat:
        if chat in (
            self._registry.support_chat(caller.account),
            self._registry.system_chat(caller.account),
        ):
            raise Problem(Code.HISTORY_FIXED)
        opened = await self._registry.load(ChatId(chat), caller.account)
        if opened is None or caller.account not in opened.members:
            raise Problem(Code.NOT_FOUND)
        if opened.kind in _FIXED:
            raise Problem(Code.HISTORY_FIXED)
        return opened

    async def _switch(self, account: AccountId, chat: Chat, enabled: bool) -> ChatRecord:
        """The chat's record as it is then; where somebody else was faster, as he has left it."""
        database, registry = self._database, self._registry
        registry.changing(chat.id)
        try:
            # All in one turn: what was sealed under the old key is ahead of this.
            key, wrapped = self._keyring.new_key(chat.blind)
            place, following, notice = (database.next_position() for _ in range(3))
            means = _Means(key, wrapped, place, following, notice, self._now())
            done = await database.transact(lambda c: self._switched(c, account, chat.id, enabled, means))
            if not done.done:
                return done.chat.record
            # Before anybody who waits for the chat goes on: what he writes comes behind this.
            self._tell(done, means)
        finally:
            registry.changed(chat.id)
        if not enabled:
            await self._turns.turned()
            spawn(self._sweep(), "sweeping up")
        return done.chat.record

    def _tell(self, done: _Switched, means: _Means) -> None:
        chat, notice = done.chat, done.notice
        self._registry.erased()
        told = self._infos.updated(chat, means.position)
        for member in chat.members:
            self._bus.publish(member, told)
        for member, dropped in done.drafts:
            self._bus.publish(member, dropped)
        if notice is None:
            return
        self._notices.told(chat, means.notice)
        self._delivery.message(chat, self._notices.system, notice, means.notice, None)

    def _switched(
        self, c: Connection, account: AccountId, chat_id: ChatId, enabled: bool, means: _Means
    ) -> _Switched:
        """In the writer's thread."""
        chat = self._opener.read(c, chat_id)
        if chat is None or account not in chat.members:
            raise Problem(Code.NOT_FOUND)  # it was erased as a whole, or left
        if chat.kind is ChatKind.GROUP:
            self._check_right(c, chat, account)
        record = chat.record
        if record.history is enabled:
            return _Switched(chat, False)
        drafts: Sequence[tuple[AccountId, Published]] = ()
        welcome = account in chat.writers
        if enabled and not welcome:
            raise Problem(Code.NOT_A_CONTACT)
        if enabled:
            chat.record = structs.replace(record, history=True, kept=means.position)
        else:
            epoch = self._turns.epoch
            past = ErasureRecord(means.at, epoch)
            chat.record = structs.replace(
                record, history=False, erased=means.position, pinned=(), erasure=past
            )
            reseal_chat(c, chat.key, means.key, chat.blind)
            chat.key = means.key
            keys.LASTING.put_key(c, chat.blind, means.wrapped)
            erasure.erase_past(c, chat.blind, means.position, epoch)
            drafts = self._drop_drafts(c, chat, means.drafts)
        chats.update_chat(c, chat.blind, seal_record(chat.key, chat.blind, chat.record), means.position)
        if not welcome:  # what both have written is either's to erase, but nothing is to be said with it
            return _Switched(chat, True, None, drafts)
        notice = Notice("history_on" if enabled else "history_off", by=account)
        told = self._notices.store(c, chat, chat.key, notice, means.notice, enabled)
        return _Switched(chat, True, told, drafts)

    def _check_right(self, c: Connection, chat: Chat, account: AccountId) -> None:
        row = roster.entry(c, chat.blind, self._blinder.account(account))
        if row is None or row.state != RosterState.MEMBER:
            raise Problem(Code.NOT_FOUND)
        if not may(open_entry(chat.key, row).role, Action.HISTORY):
            raise Problem(Code.NOT_PERMITTED)

    async def _receipt(self, record: ChatRecord) -> Erasure | None:
        """The receipt of the last time that a chat was erased, as soon as it is true."""
        past = record.erasure
        if past is None:
            return None
        if self._turns.oldest <= past.epoch:
            await self._turns.turned()
        erased = self._cursors.encode(record.erased)
        signer = self._signer
        return signed_receipt(
            signer.sign, signer.public_key, self._node, record.id, past.at, erased, past.epoch
        )
