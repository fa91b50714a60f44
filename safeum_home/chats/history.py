"""Reading back: the list of chats and the pages of one chat, opened off the reactor's thread.

A client holds no storage: what it shows after a login comes from here.
"""

from collections.abc import Callable
from typing import NamedTuple

from msgspec import Raw
from sqlalchemy import Connection

from safeum_home.chats.across.posts.box import PostBox
from safeum_home.chats.changes.reacted import with_own
from safeum_home.chats.contents import Chat, ChatKind
from safeum_home.chats.listing import ChatListing, Listed, tell_held, within
from safeum_home.chats.registry import ChatRegistry
from safeum_home.chats.sealed import open_encoded
from safeum_home.chats.settled import settled
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Blinder, Caller, Cursors, Database, Receipts
from safeum_home.protocol import MAX_FRAME, commands
from safeum_home.storage import chats, events
from safeum_home.storage.rows import MemberRow

BUDGET = MAX_FRAME - 4096
"""Octets of messages in one answer, so that its frame stays within bounds. One message always fits."""


class _Messages(NamedTuple):
    """Encoded messages of a chat, as many as fit into one answer; `newest` is a position."""

    newest_first: list[bytes]
    more: bool
    newest: int


class History:
    """The commands `chat.history` and `chat.list`."""

    def __init__(
        self,
        database: Database,
        blinder: Blinder,
        cursors: Cursors,
        registry: ChatRegistry,
        listing: ChatListing,
        receipts: Receipts,
        posts: PostBox,
    ) -> None:
        self._database = database
        self._blinder = blinder
        self._cursors = cursors
        self._registry = registry
        self._listing = listing
        self._receipts = receipts
        self._posts = posts

    async def history(self, caller: Caller, params: commands.ChatHistory) -> Raw:
        before = None if params.before is None else self._cursors.decode(params.before)
        own = self._registry.own_chats(caller.account)
        while True:
            chat = await self._registry.load(ChatId(params.chat))
            if chat is None and params.chat in own:
                return Raw(b'{"messages":[],"more":false}')  # nothing was written yet
            if chat is None or caller.account not in chat.members:
                raise Problem(Code.NOT_FOUND)
            page, delivered, waiting = await self._database.read(
                self._reading(chat, caller.account, before, params.limit)
            )
            if not chat.stale:
                break
            # It may have been erased since it was read: its members were told, and would get it once more.
        if before is None and page.newest > delivered and chat.kind is not ChatKind.SELF:
            self._receipts.delivered(caller.account, chat.id, page.newest)
        body = b",".join(reversed(page.newest_first))
        left = b',"waiting":[%b]' % b",".join(waiting) if waiting else b""
        return Raw(b'{"messages":[%b],"more":%b%b}' % (body, b"true" if page.more else b"false", left))

    def _reading(
        self, chat: Chat, account: AccountId, before: int | None, limit: int
    ) -> Callable[[Connection], tuple[_Messages, int, list[bytes]]]:
        def read(c: Connection) -> tuple[_Messages, int, list[bytes]]:
            mine, waiting = self._member(c, chat.blind, account), list[bytes]()
            if chat.hub is not None and before is None:
                waiting = self._posts.waiting(c, chat, account)
                del waiting[within([len(message) + 1 for message in waiting], BUDGET // 2) :]
            room = BUDGET - sum(len(message) + 1 for message in waiting)
            return _page(c, chat, before, limit, mine, room), mine.delivered, waiting

        return read

    async def list(self, caller: Caller, params: commands.ListChats) -> commands.ChatList:
        before = None if params.before is None else self._cursors.decode(params.before)

        def read(c: Connection) -> Listed:
            return self._listing.read(c, caller.account, before, params.limit, BUDGET)

        listed = await settled(self._database, read, lambda: self._registry.erasures)
        tell_held(self._receipts, caller.account, listed)
        return listed.list

    def _member(self, c: Connection, chat: bytes, account: AccountId) -> MemberRow:
        if (member := chats.member(c, chat, self._blinder.account(account))) is None:
            raise Problem(Code.NOT_FOUND)  # it was erased, or left, since it was looked up
        return member


def _page(
    c: Connection, chat: Chat, before: int | None, limit: int, mine: MemberRow, budget: int
) -> _Messages:
    """The messages before a position; where none of a page can be opened, those before that page."""
    newest = 0
    while True:
        rows = events.events_before(c, chat.blind, before, limit + 1, mine.visible)
        newest = newest or (rows[-1].position if rows else 0)
        page = rows[-limit:]
        opened = undamaged(reversed(page), lambda row: (row, open_encoded(c, chat, row)), "messages")
        messages = with_own(c, chat, mine.account, opened)
        if messages or len(rows) <= limit:
            break
        before = page[0].position
    fitting = within([len(message) + 1 for message in messages], budget)
    return _Messages(messages[:fitting], fitting < len(messages) or len(rows) > limit, newest)
