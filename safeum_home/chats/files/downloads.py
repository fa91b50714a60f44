"""Downloads: whoever has a ticket may read a file for as long as its message is there for its account."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.chats.contents import Chat
from safeum_home.chats.files.copies import Copies, Copy
from safeum_home.chats.files.means import CHECK_EVERY, FileMeans
from safeum_home.chats.files.octets import CHUNK, SEALED, chunks, open_chunks, sealed_size
from safeum_home.chats.files.own_keys import opener
from safeum_home.chats.files.record import OpenFile, Source, open_file, unreadable
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId, FileId
from safeum_home.ports import Hold
from safeum_home.storage import files
from safeum_home.storage.rows import FileRow

Found = Callable[[Connection], FileRow]
"""The row of a file, for who may read it; raises `Problem`."""


class Readings:
    """Opens files for who may read them."""

    def __init__(self, means: FileMeans, copies: Copies) -> None:
        self._means = means
        self._copies = copies

    async def open(
        self,
        account: AccountId,
        chat: Chat,
        name: str,
        found: Found,
        lent: bool = False,
        hold: Hold | None = None,
    ) -> "OpenReading":
        """The file that `found` finds in `chat`, read by `account`: one of its transfers.

        `lent`: another node asks, which has what came from other nodes from these. `hold` is ended when it
        is closed. Raises what `found` does, `busy`, and `file_lost` where what is kept of it is damaged.
        """
        means = self._means

        def read(c: Connection) -> OpenFile:
            row = found(c)
            opened = open_file(chat.key, row, opener(c, means.fleeting, row))
            if lent and opened.source is not None and opened.source.reader is None:
                opened.key.wipe()
                raise Problem(Code.NOT_FOUND)
            return opened

        means.slots.take(account)
        try:
            opened = await means.database.read(read)
            copy = None if opened.source is None else await self._copies.open(opened)
        except BaseException as error:
            means.slots.release(account)
            if isinstance(error, Tampered):
                raise unreadable(chat) from None
            raise
        source = None if opened.source is None else opened.source.read_by(account)

        def closed() -> None:
            means.slots.release(account)
            if hold is not None:
                hold.end()

        return OpenReading(means, opened, name, found, closed, copy, source)


class Downloads:
    """The part of `ports.FileTransfers` that is about downloads."""

    def __init__(self, means: FileMeans, readings: Readings) -> None:
        self._means = means
        self._readings = readings

    async def open(self, ticket: str) -> "OpenReading":
        means = self._means
        grant = means.tickets.download(ticket)
        means.rate.take(grant.account)
        chat = await means.chat(grant)

        def found(c: Connection) -> FileRow:
            member = means.check(c, grant, chat)
            row = files.file(c, chat.blind, grant.position)
            if row is None or grant.position <= member.visible:
                raise Problem(Code.NOT_FOUND)
            return row

        hold = means.busy.hold(grant.device)
        try:
            return await self._readings.open(grant.account, chat, grant.name, found, hold=hold)
        except BaseException:
            hold.end()
            raise


class OpenReading:
    """`ports.Reading`."""

    def __init__(
        self,
        means: FileMeans,
        file: OpenFile,
        name: str,
        check: Callable[[Connection], object],
        closed: Any,
        copy: Copy | None,
        source: Source | None,
    ) -> None:
        """`check` raises what is in the way of reading on. A `copy` has the file's key; else this has it.

        `source` says where the rest of a copy is had.
        """
        self._means = means
        self._check = check
        self._check_at = means.now() + CHECK_EVERY
        self._open = file if copy is None else copy.kept.file
        self._closed = closed
        self._copy = copy
        self._source = source
        self._busy = False
        self.file: FileId = file.id
        self.type = file.type
        self.name = name
        self.size = file.size

    def read(self, offset: int, most: int) -> Deferred[bytes]:
        return Deferred.fromCoroutine(self._read(offset, most))

    async def _read(self, offset: int, most: int) -> bytes:
        self._busy = True
        try:
            if self._means.now() >= self._check_at:
                await self._means.database.read(self._check)
                self._check_at = self._means.now() + CHECK_EVERY
            if self._copy is None or self._source is None:
                return await self._part(self._open.blob, offset, most)
            there = await self._copy.until(min((offset // CHUNK + 1) * CHUNK, self.size), self._source)
            return await self._part_of(self._copy, offset, min(most, there - offset))
        finally:
            self._busy = False
            if self._closed is None:
                self._let_go()

    async def _part_of(self, copy: Copy, offset: int, most: int) -> bytes:
        stored = copy.kept.stored
        try:
            return await self._part(stored, offset, most)
        except Problem as problem:
            if problem.code is not Code.FILE_LOST:
                raise
        raise await copy.lost(stored)

    async def _part(self, stored: bytes, offset: int, most: int) -> bytes:
        """Octets of the file, which the store has under this name."""
        store, file = self._means.store, self._open
        first, last = offset // CHUNK, (min(offset + most, file.size) - 1) // CHUNK
        last = min(last, first + max(1, store.batch // CHUNK) - 1)
        ends = min((last + 1) * SEALED, sealed_size(file.size))

        def work() -> bytes:
            sealed = store.read(stored, first * SEALED, ends - first * SEALED)
            plain = open_chunks(file.key, stored, first, chunks(file.size), sealed)
            start = offset - first * CHUNK
            return plain[start : start + most]

        return await self._means.work(work)

    def close(self) -> None:
        closed, self._closed = self._closed, None
        if closed is not None:
            closed()
            if not self._busy:
                self._let_go()

    def _let_go(self) -> None:
        if self._copy is not None:
            self._copy.release()
        else:
            self._open.key.wipe()
