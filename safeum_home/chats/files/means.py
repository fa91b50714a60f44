"""What uploads, downloads and the janitor work with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.chats.contents import Chat
from safeum_home.chats.files.outage import StoreOutage
from safeum_home.chats.files.record import unreadable
from safeum_home.chats.files.slots import Slots
from safeum_home.chats.files.tickets import Grant, Tickets
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.registry import ChatRegistry
from safeum_home.config import FileSection
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.ports import Blinder, Busy, Cursors, Database, Keyring
from safeum_home.ports.files import BlobLost, BlobStore
from safeum_home.storage import chats, devices, file_upkeep
from safeum_home.storage.rows import MemberRow

T = TypeVar("T")
InThread = Callable[[Callable[[], object]], "Deferred[Any]"]


class FileStorage(NamedTuple):
    """Where files lie, and what runs the work on them."""

    store: BlobStore
    threads: InThread


RETRY_AFTER = 5.0
CHECK_EVERY = 5.0
"""Seconds for which a transfer goes on before it is looked whether it still may."""


@dataclass(frozen=True, slots=True)
class FileMeans:
    """`fleeting` has the keys that files of chats without history have of their own.

    `now` is in seconds since 1970; `threads` runs what blocks; `rate` is for each account."""

    database: Database
    fleeting: Keyring
    blinder: Blinder
    cursors: Cursors
    registry: ChatRegistry
    opener: ChatOpener
    store: BlobStore
    threads: InThread
    tickets: Tickets
    slots: Slots
    rate: RateLimit
    section: FileSection
    now: Callable[[], float]
    outage: StoreOutage
    busy: Busy

    async def work(self, fn: Callable[[], T]) -> T:
        """Do something with the store or a key, in a thread.

        Raises `storage_unavailable` where the store fails, `file_lost` where it has not what it should.
        """
        try:
            result: T = await self.threads(fn)
        except OSError as error:
            self.outage.failed(error)
            raise Problem(Code.STORAGE_UNAVAILABLE, retry_after=RETRY_AFTER) from None
        except (BlobLost, Tampered):
            raise Problem(Code.FILE_LOST) from None
        self.outage.works()
        return result

    async def chat(self, grant: Grant) -> Chat:
        """The chat of a ticket, if its account is in it now; raises `not_found`."""
        chat = await self.registry.load(grant.chat)
        if chat is None or grant.account not in chat.members:
            raise Problem(Code.NOT_FOUND)
        return chat

    def check(self, c: Connection, grant: Grant, chat: Chat) -> MemberRow:
        """In a snapshot: the ticket's device still is one, and its account a member. Raises `bad_ticket`."""
        account = self.blinder.account(grant.account)
        found = devices.device(c, self.blinder.device(grant.device))
        member = chats.member(c, chat.blind, account)
        if found is None or found[0].account != account or member is None:
            raise Problem(Code.BAD_TICKET)
        return member

    async def find(self, chat: Chat, read: Callable[[Connection], T | None]) -> T:
        """What `read` opens of `chat`; raises `not_found` where that is None, and as `unreadable` says."""
        try:
            found = await self.database.read(read)
        except Tampered:
            raise unreadable(chat) from None
        if found is None:
            raise Problem(Code.NOT_FOUND)
        return found

    async def forget_blob(self, blob: bytes) -> None:
        """Delete what no row refers to any more. What fails is left to the janitor."""

        def delete() -> None:
            self.store.delete(blob)

        try:
            await self.work(delete)
        except Problem:
            return
        await self.database.transact(lambda c: file_upkeep.deleted(c, [blob]))

    def forget_account(self, account: AccountId) -> None:
        """An account was closed."""
        self.tickets.forget_account(account)
