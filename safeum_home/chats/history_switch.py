"""Switching a chat's history off, which erases its past for all, and on again.

1. one commit: the chat has another key, its record and its roster are sealed under that, its members see
   nothing up to here, and the rows of before are left to be swept;
2. in the same turn of the reactor: what is open in memory is dropped, all members' devices are told to wipe;
3. the keyring's epoch is turned: no old copy of the database opens any of it; only now comes the answer,
   with a receipt that the node has signed;
4. the rows of before, which nobody can open any more, are swept away.

A crash after 1 is made good at the next start: 3 by `node.turning`, 4 by the sweep.
"""

from collections.abc import Awaitable, Callable

from msgspec import structs
from sqlalchemy import Connection

from safeum_home.chats.contents import Chat, ChatContents, ChatKind
from safeum_home.chats.infos import ChatInfos
from safeum_home.chats.record import ChatRecord, ErasureRecord, open_record, seal_record
from safeum_home.chats.registry import ChatRegistry
from safeum_home.chats.roster import Role, RosterState, open_entry, seal_entry
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem, Tampered
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
    WrappedKey,
)
from safeum_home.protocol.commands import ChatHistoryReceipt, ChatHistorySet, HistoryReceipt, HistorySet
from safeum_home.protocol.erasure import Erasure, signed_receipt
from safeum_home.spawn import spawn
from safeum_home.storage import chats, erasure, keys, roster
from safeum_home.storage.rows import RosterRow

_FIXED = (ChatKind.SYSTEM, ChatKind.SUPPORT)


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
        infos: ChatInfos,
        bus: Bus,
        turns: EpochTurns,
        sweep: Callable[[], Awaitable[None]],
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
        self._infos = infos
        self._bus = bus
        self._turns = turns
        self._sweep = sweep
        self._now = now
        self._limit = limit

    async def set(self, caller: Caller, params: ChatHistorySet) -> HistorySet:
        chat = await self._chat(caller, params.chat)
        record = chat.record
        if record.history is not params.enabled:
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
        registry, infos = self._registry, self._infos
        registry.changing(chat.id)
        try:
            # Key, position and transaction in one turn: what was sealed under the old key is ahead of this.
            fresh = self._keyring.new_key(chat.blind)
            position, now = self._database.next_position(), self._now()

            def switch(c: Connection) -> tuple[ChatContents, tuple[AccountId, ...]]:
                return self._switched(c, account, chat, enabled, fresh, position, now)

            changed, members = await self._database.transact(switch)
            if changed.changed != position:
                return changed.record
            # Before anybody who waits for the chat goes on: what he writes comes behind this.
            told = infos.updated(changed, position)
            for member in members:
                self._bus.publish(member, told)
            registry.erased()
        finally:
            registry.changed(chat.id)
        if not enabled:
            await self._turns.turned()
            spawn(self._swept(), "sweeping up")
        return changed.record

    def _switched(
        self,
        c: Connection,
        account: AccountId,
        chat: Chat,
        enabled: bool,
        fresh: tuple[Key, WrappedKey],
        position: int,
        now: int,
    ) -> tuple[ChatContents, tuple[AccountId, ...]]:
        """In the writer's thread: the chat as it is afterwards, and its members."""
        row = chats.chat(c, chat.blind)
        if row is None:
            raise Problem(Code.NOT_FOUND)  # it was erased as a whole
        old = self._keyring.unwrap(row.chat, row.key)
        record, kind = open_record(old, row.chat, row.sealed), ChatKind(row.kind)
        entries = [(entry, open_entry(old, entry)) for entry in self._roster(c, old, chat.blind)]
        members = record.members
        if kind is ChatKind.GROUP:
            here = {entry.account for entry, _ in entries if entry.state == RosterState.MEMBER}
            here &= {member.account for member in chats.members(c, chat.blind)}
            members = tuple(found.account for entry, found in entries if entry.account in here)
            roles = {found.account: found.role for entry, found in entries if entry.account in here}
            if roles.get(account) != Role.OWNER:
                raise Problem(Code.NOT_FOUND if account not in roles else Code.OWNER_ONLY)
        elif account not in members:
            raise Tampered
        if record.history is enabled:
            return ChatContents(
                record.id, row.chat, kind, old, members, record, row.changed, self._keyring
            ), members
        key = old
        if enabled:
            record = structs.replace(record, history=True)
        else:
            key, wrapped = fresh
            epoch = self._turns.epoch
            past = ErasureRecord(now, epoch)
            record = structs.replace(record, history=False, erased=position, pinned=(), erasure=past)
            keys.put_key(c, chat.blind, wrapped)
            roster.put_entries(
                c,
                [
                    seal_entry(
                        key, chat.blind, entry.account, entry.position, RosterState(entry.state), found
                    )
                    for entry, found in entries
                ],
            )
            erasure.erase_past(c, chat.blind, position, epoch)
        chats.update_chat(c, chat.blind, seal_record(key, chat.blind, record), position)
        return ChatContents(record.id, row.chat, kind, key, members, record, position, self._keyring), members

    def _roster(self, c: Connection, key: Key, chat: bytes) -> list[RosterRow]:
        """The entries that open: others are lost with the old key, as they were without it."""

        def opens(row: RosterRow) -> RosterRow:
            open_entry(key, row)
            return row

        return undamaged(roster.entries(c, chat), opens, "members")

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

    async def _swept(self) -> None:
        await self._sweep()
