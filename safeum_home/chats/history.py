"""Reading back: the list of chats and the pages of one chat, opened off the reactor's thread.

A client holds no storage: what it shows after a login comes from here.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Raw
from sqlalchemy import Connection

from safeum_home.chats.registry import ChatContents, ChatKind, ChatRegistry
from safeum_home.chats.sealed import open_encoded, open_message
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId, Cursor
from safeum_home.ports import Blinder, Caller, Cursors, Database, Directory, Receipts
from safeum_home.protocol import MAX_FRAME, commands
from safeum_home.protocol.types import ChatSummary, Message
from safeum_home.storage import chats, events
from safeum_home.storage.rows import EventRow, MemberRow

BUDGET = MAX_FRAME - 4096
"""Octets of messages in one answer, so that its frame stays within bounds. One message always fits."""
UNREAD_LIMIT = 100


class _Overview(NamedTuple):
    """A chat as found in the database, opened."""

    chat: ChatContents
    last: Message
    size: int
    position: int
    unread: int
    mine: MemberRow
    others: MemberRow | None


class History:
    """The commands `chat.history` and `chat.list`."""

    def __init__(
        self,
        node: str,
        database: Database,
        blinder: Blinder,
        cursors: Cursors,
        registry: ChatRegistry,
        directory: Directory,
        receipts: Receipts,
        system: AccountId,
    ) -> None:
        self._node = node
        self._database = database
        self._blinder = blinder
        self._cursors = cursors
        self._registry = registry
        self._directory = directory
        self._receipts = receipts
        self._system = system

    async def history(self, caller: Caller, params: commands.ChatHistory) -> Raw:
        before = None if params.before is None else self._cursors.decode(params.before)
        chat = await self._registry.load(ChatId(params.chat))
        if chat is None or caller.account not in chat.members:
            raise Problem(Code.NOT_FOUND)

        def read(c: Connection) -> tuple[list[bytes], bool, int]:
            rows = events.events_before(c, chat.blind, before, params.limit + 1)
            newest_first = [open_encoded(chat.key, row) for row in reversed(rows[-params.limit :])]
            fitting = _within_budget([len(message) + 1 for message in newest_first])
            last = rows[-1].position if rows else 0
            return newest_first[:fitting], fitting < len(rows), last

        messages, more, last = await self._database.read(read)
        if before is None and last:
            self._receipts.delivered(caller.account, chat.id, last)
        body = b",".join(reversed(messages))
        return Raw(b'{"messages":[%b],"more":%b}' % (body, b"true" if more else b"false"))

    async def list(self, caller: Caller, params: commands.ListChats) -> commands.ChatList:
        before = None if params.before is None else self._cursors.decode(params.before)
        blind = self._blinder.account(caller.account)

        def read(c: Connection) -> list[_Overview]:
            found = chats.chats_of(c, blind, before, params.limit + 1)
            return [
                self._overview(c, caller.account, self._registry.contents(row), last) for row, last in found
            ]

        found = await self._database.read(read)
        fitting = max(1, _within_budget([overview.size for overview in found[: params.limit]]))
        shown = found[:fitting]
        for overview in shown:
            if overview.last.sender != caller.account and overview.mine.delivered < overview.position:
                self._receipts.delivered(caller.account, overview.chat.id, overview.position)
        summaries = [await self._summary(caller.account, overview) for overview in shown]
        more = len(found) > len(shown)
        return commands.ChatList(summaries, self._cursors.encode(shown[-1].position) if more else None)

    def _overview(self, c: Connection, account: AccountId, chat: ChatContents, last: EventRow) -> _Overview:
        blind = self._blinder.account(account)
        members = chats.members(c, chat.blind)
        mine = next(member for member in members if member.account == blind)
        others = next((member for member in members if member.account != blind), None)
        unread = events.events_after(c, chat.blind, mine.read, UNREAD_LIMIT)
        count = sum(1 for row in unread if open_message(chat.key, row).sender != account)
        encoded = open_encoded(chat.key, last)
        return _Overview(
            chat, open_message(chat.key, last), len(encoded) + 1024, last.position, count, mine, others
        )

    async def _summary(self, account: AccountId, found: _Overview) -> ChatSummary:
        system = found.chat.kind is ChatKind.SYSTEM
        peer = self._system if system else next(m for m in found.chat.members if m != account)
        known = await self._directory.known(peer)
        others = found.others
        return ChatSummary(
            chat=found.chat.id,
            kind="system" if system else "direct",
            peer=peer,
            address="" if known is None else f"{known.username}@{self._node}",
            display_name="" if known is None else known.display_name,
            last=found.last,
            unread=found.unread,
            read=self._id(found.mine.read),
            peer_delivered=None if others is None else self._id(others.delivered),
            peer_read=None if others is None else self._id(others.read),
        )

    def _id(self, position: int) -> Cursor | None:
        return self._cursors.encode(position) if position else None


def _within_budget(sizes: Sequence[int]) -> int:
    """How many parts of these sizes, in octets, fit into one answer."""
    total = 0
    for count, size in enumerate(sizes):
        total += size
        if total > BUDGET:
            return count
    return len(sizes)
