"""Switching a chat's history off, which erases its past for all, and on again.

1. one commit: the chat has another key, its record and its roster are sealed under that, its members see
   nothing up to here, drafts are dropped, the rows of before are left to be swept, and nodes of other members
   are to be told;
2. in the same turn of the reactor: what is open in memory is dropped, all members' devices are told to wipe;
3. the keyring's epoch is turned: no old copy of the database opens any of it; only now comes the answer,
   with a receipt that the node has signed;
4. the rows of before, which nobody can open any more, are swept away.

A crash after 1 is made good at the next start: 3 by `node.turning`, 4 by the sweep.
"""

from collections.abc import Callable, Iterable

import msgspec
from msgspec import structs
from sqlalchemy import Connection

from safeum_home.chats import lives
from safeum_home.chats.across.telling import Telling
from safeum_home.chats.contents import OF_NODE, Chat, ChatKind
from safeum_home.chats.groups import lives as group_lives
from safeum_home.chats.groups.rights import Action, may
from safeum_home.chats.groups.roster import RosterState, open_entry
from safeum_home.chats.history_changes import Change, HistoryChanges, Switched
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.record import ChatRecord
from safeum_home.chats.registry import ChatRegistry
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId
from safeum_home.limits import RateLimit
from safeum_home.ports import Blinder, Caller, Cursors, Database, EpochTurns, NodeSigner
from safeum_home.protocol.commands import ChatHistoryReceipt, ChatHistorySet, HistoryReceipt, HistorySet
from safeum_home.protocol.erasure import Erasure, signed_receipt
from safeum_home.protocol.federation.events import Event
from safeum_home.spawn import spawn
from safeum_home.storage import owed, roster

_FIXED = (*OF_NODE, ChatKind.SUPPORT)


class HistorySwitch:
    """The commands `chat.history.set` and `chat.history.receipt`."""

    def __init__(
        self,
        node: str,
        database: Database,
        blinder: Blinder,
        cursors: Cursors,
        signer: NodeSigner,
        registry: ChatRegistry,
        opener: ChatOpener,
        changes: HistoryChanges,
        turns: EpochTurns,
        after: Iterable[Callable[[], object]],
        telling: Telling,
        limit: RateLimit,
    ) -> None:
        """`after` has done what is due when the keyring was turned for what was erased."""
        self._node = node
        self._database = database
        self._blinder = blinder
        self._cursors = cursors
        self._signer = signer
        self._registry = registry
        self._opener = opener
        self._changes = changes
        self._turns = turns
        self._after = tuple(after)
        self._telling = telling
        self._limit = limit

    async def set(self, caller: Caller, params: ChatHistorySet) -> HistorySet:
        chat = await self._chat(caller, params.chat)
        record = chat.record
        if record.history is not params.enabled:
            self._limit.take(caller.account)
            record = await self._switch(caller, chat, params.enabled)
        elif lives.pending(record, self._node) and not params.enabled:
            self._limit.take(caller.account)
            await self._ask_again(caller.account, chat)
        if record.history or not caller.device:
            return HistorySet(record.history, pending=lives.pending(record, self._node))
        receipt = await self._receipt(record)
        return HistorySet(False, receipt, lives.pending(record, self._node), _confirmed(record))

    async def shown(self, caller: Caller, params: ChatHistorySet, told: HistorySet) -> HistorySet:
        """What a member of a group of another node is answered, which has `told` this."""
        record = (await self._chat(caller, params.chat)).record
        if record.history is not told.history:
            return told  # it has not been told here yet
        receipt = None if record.history else await self._receipt(record)
        return HistorySet(record.history, receipt, lives.pending(record, self._node), _confirmed(record))

    async def receipt(self, caller: Caller, params: ChatHistoryReceipt) -> HistoryReceipt:
        chat = await self._chat(caller, params.chat)
        record = chat.record
        receipt = await self._receipt(record)
        if receipt is None:
            raise Problem(Code.NOTHING_ERASED)
        return HistoryReceipt(receipt, lives.pending(record, self._node), _confirmed(record))

    async def _chat(self, caller: Caller, chat: str) -> Chat:
        if chat in (
            self._registry.support_chat(caller.account),
            self._registry.system_chat(caller.account),
            self._registry.voicemail_chat(caller.account),
        ):
            raise Problem(Code.HISTORY_FIXED)
        opened = await self._registry.load(ChatId(chat), caller.account)
        if opened is None or caller.account not in opened.members:
            raise Problem(Code.NOT_FOUND)
        if opened.kind in _FIXED:
            raise Problem(Code.HISTORY_FIXED)
        return opened

    async def _switch(self, caller: Caller, chat: Chat, enabled: bool) -> ChatRecord:
        """The chat's record as it is then; where somebody else was faster, as he has left it."""
        account = caller.account
        database, registry, changes = self._database, self._registry, self._changes
        registry.changing(chat.id)
        try:
            change = changes.take(chat.blind)
            done = await database.transact(lambda c: self._switched(c, account, chat.id, enabled, change))
            if not done.done:
                return done.chat.record
            changes.tell(done, change)
        finally:
            registry.changed(chat.id)
        self._telling.wake(_concerned(chat))
        if not enabled:
            if caller.device:
                await self._finish()
            else:
                # Its own node has a copy, and gets a receipt as soon as this one's can be signed.
                spawn(self._finish(), "what an account of another node has erased")
        return done.chat.record

    async def _finish(self) -> None:
        await self._turns.turned()
        for have_done in self._after:
            have_done()

    def _switched(
        self, c: Connection, account: AccountId, chat_id: ChatId, enabled: bool, change: Change
    ) -> Switched:
        """In the writer's thread."""
        chat = self._opener.read(c, chat_id)
        if chat is None or account not in chat.members:
            raise Problem(Code.NOT_FOUND)  # it was erased as a whole, or left
        if chat.kind is ChatKind.GROUP:
            self._check_right(c, chat, account)
        record, across = chat.record, chat.record.across
        if record.history is enabled:
            return Switched(chat, False)
        if enabled and account not in chat.writers:
            raise Problem(Code.NOT_A_CONTACT)
        if chat.kind is ChatKind.GROUP:
            return self._switched_group(c, chat, account, enabled, change)
        self._telling.history(c, chat.nodes, chat.blind, not enabled)
        if not enabled:
            if chat.nodes:
                across = lives.switched_off(record, account, change.at)
            done = self._changes.erase(c, chat, account, change, across=across)
            self._telling.forget(c, chat.nodes, chat.blind, change.position)
            return done
        if across is not None:
            across = structs.replace(across, at=change.at)
        return self._changes.keep(c, chat, account, change, across)

    def _switched_group(
        self, c: Connection, chat: Chat, account: AccountId, enabled: bool, change: Change
    ) -> Switched:
        """All nodes that hold a copy are told, and of the notice behind that."""
        if enabled:
            across = chat.record.across
            across = None if across is None else structs.replace(across, at=change.at)
            done = self._changes.keep(c, chat, account, change, across)
        else:
            across = group_lives.switched_off(chat.record, change.at, chat.nodes)
            done = self._changes.erase(c, chat, account, change, across=across)
            self._telling.groups.forget(c, _concerned(chat), chat.blind, change.position)
        self._telling.groups.history(c, _concerned(chat), chat.blind)
        if not enabled and chat.nodes:
            owed.owe(c, chat.blind)
        for node in chat.nodes:
            self._telling.groups.again(c, chat, node, change.notice)
        return done

    async def _ask_again(self, account: AccountId, chat: Chat) -> None:
        """Tell nodes that have not confirmed it once more: they may have been away for too long."""

        def note(c: Connection) -> None:
            if chat.kind is ChatKind.GROUP:
                self._check_right(c, chat, account)
                self._telling.groups.history(c, _concerned(chat), chat.blind)
            else:
                self._telling.history(c, chat.nodes, chat.blind, False)

        await self._database.transact(note)
        self._telling.wake(_concerned(chat))

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


def _concerned(chat: Chat) -> tuple[str, ...]:
    """The nodes that are told: those with members, and those that had some and have not confirmed."""
    across = chat.record.across
    if chat.kind is not ChatKind.GROUP or across is None:
        return chat.nodes
    return tuple(sorted({*chat.nodes, *across.awaited}))


MOST_CONFIRMED = 20
"""Receipts of other nodes in one answer: the ones that came last."""


def _confirmed(record: ChatRecord) -> list[Event]:
    """What other nodes have signed of the chat."""
    across = record.across
    if across is None:
        return []
    return [msgspec.json.decode(each.event, type=Event) for each in across.confirmed[-MOST_CONFIRMED:]]
