"""The staff's side of support: which accounts have written, what, and an answer to one of them.

There is no way from here to an account that has not written first, and none to two accounts at once.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from safeum_home.chats.contents import Chat, ChatKind
from safeum_home.chats.messages import Messages
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.receipts import Receipts
from safeum_home.chats.registry import ChatRegistry
from safeum_home.chats.sealed import open_encoded, open_message
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Database, Staged
from safeum_home.protocol.types import Message, Text
from safeum_home.storage import chats, events, support
from safeum_home.storage.rows import EventRow, SupportRow

BUDGET = 96 * 1024
"""Octets of messages in one page."""
_PAGE = 100


class Conversation(NamedTuple):
    """An open conversation. `waiting_since` is in milliseconds since 1970; None: it is answered."""

    account: AccountId
    last: Message
    waiting_since: int | None


class ConversationPage(NamedTuple):
    """Messages, oldest first; `before` is where older ones are, None where there are none."""

    messages: Sequence[Message]
    before: int | None


class SupportDesk:
    """What the operator's staff can do. All raise `storage_unavailable`."""

    def __init__(
        self,
        database: Database,
        registry: ChatRegistry,
        opener: ChatOpener,
        messages: Messages,
        receipts: Receipts,
        blinder: Blinder,
        support: AccountId,
    ) -> None:
        self._database = database
        self._blinder = blinder
        self._registry = registry
        self._opener = opener
        self._messages = messages
        self._receipts = receipts
        self._support = support

    async def conversations(self, before: int | None, limit: int) -> tuple[list[Conversation], int | None]:
        """The open conversations, the newest message first, and where the next page begins."""

        def read(c: Connection) -> tuple[list[Conversation], int | None]:
            rows = support.conversations(c, before, limit + 1)
            page = rows[:limit]
            more = page[-1].position if len(rows) > limit else None
            return undamaged(page, lambda row: self._conversation(c, row), "conversations"), more

        return await self._database.read(read)

    def _conversation(self, c: Connection, row: SupportRow) -> Conversation:
        """Raises `Tampered`."""
        found = chats.chat(c, row.chat)
        if found is None or found.kind != ChatKind.SUPPORT:
            raise Tampered
        chat = self._opener.contents(c, found, self._support)
        account = next(member for member in chat.members if member != self._support)

        def opened(position: int) -> Message:
            if (event := events.event(c, row.chat, position)) is None:
                raise Tampered
            return open_message(c, chat, event)

        return Conversation(account, opened(row.position), opened(row.waiting).at if row.waiting else None)

    async def read(self, account: AccountId, before: int | None, limit: int) -> ConversationPage:
        """A page of what was said; the account is told that the newest was read. Raises `not_found`."""
        chat = await self._chat(account)

        def read(c: Connection) -> tuple[ConversationPage, list[EventRow]]:
            rows = events.events_before(c, chat.blind, before, limit + 1)
            shown, octets = 0, 0
            for row in reversed(rows[-limit:]):
                octets += len(row.sealed)
                if shown and octets > BUDGET:
                    break
                shown += 1
            page = rows[len(rows) - shown :]
            found = undamaged(page, lambda row: open_message(c, chat, row), "messages")
            return ConversationPage(found, page[0].position if len(rows) > shown else None), page

        answer, page = await self._database.read(read)
        if before is None and page:
            await self._receipts.read_by(chat, self._support, page[-1].position)
        return answer

    async def reply(self, account: AccountId, text: str) -> bool:
        """Answer an account that has written; done when it is on disk. Raises `not_found`.

        It answers what the staff has read: what came in since then still waits. True where something does.
        """
        chat = await self._chat(account)
        staged = Staged(*self._messages.compose_system(chat, self._support, Text(text)))

        def store(c: Connection) -> bool:
            if chats.chat(c, chat.blind) is None:
                raise Problem(Code.NOT_FOUND, "this account was closed")
            staged.store(c)
            [newest] = events.events_before(c, chat.blind, None, 1)
            unread = self._unread(c, chat)
            support.answered(c, SupportRow(chat.blind, newest.position, unread))
            return bool(unread)

        waits = await self._database.transact(store)
        staged.publish()
        return waits

    async def close(self, account: AccountId) -> bool:
        """Take a conversation off the list until the account writes again; raises `not_found`.

        False, and nothing is done, where something came in that the staff has not read.
        """
        chat = await self._chat(account)

        def store(c: Connection) -> bool:
            if self._unread(c, chat):
                return False
            support.close(c, chat.blind)
            return True

        return await self._database.transact(store)

    def _unread(self, c: Connection, chat: Chat) -> int:
        """The first message of the account that the staff has not read; 0 where there is none."""
        own = self._blinder.account(self._support)
        after = next((member.read for member in chats.members(c, chat.blind) if member.account == own), None)
        if after is None:
            raise Problem(Code.NOT_FOUND)  # the account was closed, and this chat erased
        while rows := events.events_after(c, chat.blind, after, _PAGE):
            found = undamaged(rows, lambda row: (open_message(c, chat, row), row.position), "messages")
            for message, position in found:
                if message.sender != self._support:
                    return position
            after = rows[-1].position
        return 0

    async def _chat(self, account: AccountId) -> Chat:
        """The chat that an account has begun."""
        chat = await self._registry.load(self._registry.support_chat(account))
        if chat is not None and chat.kind is ChatKind.SUPPORT:

            def written(c: Connection) -> bool:
                newest = events.events_before(c, chat.blind, None, 1)
                return bool(undamaged(newest, lambda row: open_encoded(c, chat, row), "messages"))

            if await self._database.read(written):
                return chat
        raise Problem(Code.NOT_FOUND, "nobody of this login or id has written to support")
