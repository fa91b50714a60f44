"""Reading back: the list of chats and the pages of one chat, opened off the reactor's thread.

A client holds no storage: what it shows after a login comes from here.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec import Raw
from sqlalchemy import Connection

from safeum_home import ids
from safeum_home.chats.contents import Chat, ChatContents, ChatKind
from safeum_home.chats.infos import ChatInfos
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.registry import ChatRegistry
from safeum_home.chats.sealed import decode, open_encoded, open_message
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId, Cursor
from safeum_home.ports import Blinder, Caller, Cursors, Database, Directory, Known, Receipts
from safeum_home.protocol import MAX_FRAME, commands
from safeum_home.protocol.news import is_news
from safeum_home.protocol.types import ChatSummary, Message
from safeum_home.storage import chats, events
from safeum_home.storage.rows import ChatRow, EventRow, MemberRow

BUDGET = MAX_FRAME - 4096
"""Octets of messages in one answer, so that its frame stays within bounds. One message always fits."""
UNREAD_LIMIT = 100
_SUMMARY = 1536
"""Octets of a summary besides its message, at the most."""


class _Overview(NamedTuple):
    """A chat as found in the database, opened; `last` is None where it is damaged."""

    chat: ChatContents
    last: Message | None
    size: int
    position: int
    unread: int
    mine: MemberRow
    others: MemberRow | None
    people: int
    """How many members there are, of a group."""
    writes: bool
    """Whether the account may write: it is in the other one's list."""

    def sent_by(self, account: AccountId) -> bool:
        return self.last is not None and self.last.sender == account


class _Messages(NamedTuple):
    """Encoded messages of a chat, as many as fit into one answer; `newest` is a position."""

    newest_first: list[bytes]
    more: bool
    newest: int


class History:
    """The commands `chat.history` and `chat.list`."""

    def __init__(
        self,
        node: str,
        database: Database,
        blinder: Blinder,
        cursors: Cursors,
        info: ChatInfos,
        registry: ChatRegistry,
        opener: ChatOpener,
        directory: Directory,
        receipts: Receipts,
        system: AccountId,
    ) -> None:
        self._node = node
        self._database = database
        self._blinder = blinder
        self._cursors = cursors
        self._info = info
        self._registry = registry
        self._opener = opener
        self._directory = directory
        self._receipts = receipts
        self._system = system

    async def history(self, caller: Caller, params: commands.ChatHistory) -> Raw:
        before = None if params.before is None else self._cursors.decode(params.before)
        own = (self._registry.support_chat(caller.account), self._registry.self_chat(caller.account))
        while True:
            chat = await self._registry.load(ChatId(params.chat))
            if chat is None and params.chat in own:
                return Raw(b'{"messages":[],"more":false}')  # nothing was written yet
            if chat is None or caller.account not in chat.members:
                raise Problem(Code.NOT_FOUND)
            page, delivered = await self._database.read(
                self._reading(chat, caller.account, before, params.limit)
            )
            if not chat.stale:
                break
            # It may have been erased since it was read: its members were told, and would get it once more.
        if before is None and page.newest > delivered:
            self._receipts.delivered(caller.account, chat.id, page.newest)
        body = b",".join(reversed(page.newest_first))
        return Raw(b'{"messages":[%b],"more":%b}' % (body, b"true" if page.more else b"false"))

    def _reading(
        self, chat: Chat, account: AccountId, before: int | None, limit: int
    ) -> Callable[[Connection], tuple[_Messages, int]]:
        def read(c: Connection) -> tuple[_Messages, int]:
            mine = self._member(c, chat.blind, account)
            return _page(c, chat, before, limit, mine.visible), mine.delivered

        return read

    async def list(self, caller: Caller, params: commands.ListChats) -> commands.ChatList:
        while True:
            erasures = self._registry.erasures
            answer = await self._list(caller, params)
            if erasures == self._registry.erasures:
                return answer
            # A last message may have been erased since it was read.

    async def _list(self, caller: Caller, params: commands.ListChats) -> commands.ChatList:
        before = None if params.before is None else self._cursors.decode(params.before)
        blind = self._blinder.account(caller.account)

        def read(c: Connection) -> tuple[list[_Overview], int | None]:
            rows = chats.chats_of(c, blind, before, params.limit + 1)
            more = rows[params.limit - 1][1].position if len(rows) > params.limit else None
            page = rows[: params.limit]
            return undamaged(page, lambda row: self._overview(c, caller.account, *row), "chats"), more

        found, more = await self._database.read(read)
        shown = found[: max(1, _within_budget([overview.size for overview in found]))]
        for overview in shown:
            if overview.mine.delivered < overview.position and not overview.sent_by(caller.account):
                self._receipts.delivered(caller.account, overview.chat.id, overview.position)
        summaries = [await self._summary(caller.account, overview) for overview in shown]
        last = shown[-1].position if len(shown) < len(found) else more
        return commands.ChatList(summaries, None if last is None else self._cursors.encode(last))

    def _overview(self, c: Connection, account: AccountId, row: ChatRow, newest: EventRow) -> _Overview:
        chat = self._opener.contents(c, row, account)
        mine, others, people = self._member(c, chat.blind, account), None, 0
        if chat.kind is ChatKind.GROUP:
            people = chats.count_members(c, chat.blind)
        if chat.kind is not ChatKind.GROUP:
            everybody = chats.members(c, chat.blind)
            others = next((one for one in everybody if one.account != mine.account), None)
        encoded = undamaged([newest], lambda row: open_encoded(c, chat, row), "messages")
        last = decode(encoded[0]) if encoded else None
        size = sum(map(len, encoded)) + _SUMMARY
        unread = _unread(c, chat, account, mine)
        writes = account in self._opener.writers(c, chat)
        return _Overview(chat, last, size, newest.position, unread, mine, others, people, writes)

    def _member(self, c: Connection, chat: bytes, account: AccountId) -> MemberRow:
        if (member := chats.member(c, chat, self._blinder.account(account))) is None:
            raise Problem(Code.NOT_FOUND)  # it was erased, or left, since it was looked up
        return member

    async def _summary(self, account: AccountId, found: _Overview) -> ChatSummary:
        kind, others = found.chat.kind, found.others
        peer = self._peer(found.chat, account)
        known = None if peer is None else await self._directory.known(peer)
        ours = kind is not ChatKind.DIRECT
        return ChatSummary(
            **self._info.members(found.chat.kind, found.chat.record, found.people),
            peer=peer,
            address="" if known is None else ids.public_address(known.username, known.account, self._node),
            # A name is for contacts; it outlives the contact no more than it would anywhere else.
            display_name=self._name(found, known, ours),
            role=None if found.chat.entry is None else found.chat.entry.role.word,
            last=found.last,
            unread=found.unread,
            read=self._id(found.mine.read),
            peer_delivered=None if others is None else self._id(others.delivered),
            peer_read=None if others is None else self._id(others.read),
        )

    def _name(self, found: _Overview, known: Known | None, ours: bool) -> str:
        if (group := found.chat.record.group) is not None:
            return group.name
        return known.display_name if known is not None and (ours or found.writes) else ""

    def _peer(self, chat: ChatContents, account: AccountId) -> AccountId | None:
        """Who is at the other end, where that is one account."""
        if chat.kind is ChatKind.SYSTEM:
            return self._system
        if chat.kind in (ChatKind.GROUP, ChatKind.SELF):
            return None
        return next(member for member in chat.members if member != account)

    def _id(self, position: int) -> Cursor | None:
        return self._cursors.encode(position) if position else None


def _page(c: Connection, chat: Chat, before: int | None, limit: int, visible: int) -> _Messages:
    """The messages before a position; where none of a page can be opened, those before that page."""
    newest = 0
    while True:
        rows = events.events_before(c, chat.blind, before, limit + 1, visible)
        newest = newest or (rows[-1].position if rows else 0)
        page = rows[-limit:]
        messages = undamaged(reversed(page), lambda row: open_encoded(c, chat, row), "messages")
        if messages or len(rows) <= limit:
            break
        before = page[0].position
    fitting = _within_budget([len(message) + 1 for message in messages])
    return _Messages(messages[:fitting], fitting < len(messages) or len(rows) > limit, newest)


def _unread(c: Connection, chat: ChatContents, account: AccountId, mine: MemberRow) -> int:
    """How many of the newest `UNREAD_LIMIT` messages follow what was read and are of others."""
    new = events.events_before(c, chat.blind, None, UNREAD_LIMIT, max(mine.read, mine.visible))
    messages = undamaged(new, lambda row: open_message(c, chat, row), "messages")
    return sum(is_news(message, account) for message in messages)


def _within_budget(sizes: Sequence[int]) -> int:
    """How many parts of these sizes, in octets, fit into one answer."""
    total = 0
    for count, size in enumerate(sizes):
        total += size
        if total > BUDGET:
            return count
    return len(sizes)
