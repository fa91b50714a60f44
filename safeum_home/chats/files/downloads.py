"""Downloads: whoever has a ticket may read a file for as long as its message is there for its account."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.chats.files.means import CHECK_EVERY, FileMeans
from safeum_home.chats.files.octets import CHUNK, SEALED, chunks, open_chunks, sealed_size
from safeum_home.chats.files.own_keys import opener
from safeum_home.chats.files.record import OpenFile, open_file, unreadable
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import FileId
from safeum_home.storage import files
from safeum_home.storage.rows import FileRow


class Downloads:
    """The part of `ports.FileTransfers` that is about downloads."""

    def __init__(self, means: FileMeans) -> None:
        self._means = means

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

        def read(c: Connection) -> OpenFile:
            row = found(c)
            return open_file(chat.key, row, opener(c, means.fleeting, row))

        means.slots.take(grant.account)
        try:
            opened = await means.database.read(read)
        except BaseException as error:
            means.slots.release(grant.account)
            if isinstance(error, Tampered):
                raise unreadable(chat) from None
            raise
        return OpenReading(means, opened, grant.name, found, lambda: means.slots.release(grant.account))


class OpenReading:
    """`ports.Reading`."""

    def __init__(
        self, means: FileMeans, file: OpenFile, name: str, check: Callable[[Connection], object], closed: Any
    ) -> None:
        """`check` raises what is in the way of reading on."""
        self._means = means
        self._check = check
        self._check_at = means.now() + CHECK_EVERY
        self._open = file
        self._closed = closed
        self._busy = False
        self.file: FileId = file.id
        self.name = name
        self.size = file.size

    def read(self, offset: int, most: int) -> Deferred[bytes]:
        return Deferred.fromCoroutine(self._read(offset, most))

    async def _read(self, offset: int, most: int) -> bytes:
        store, file = self._means.store, self._open
        first, last = offset // CHUNK, (min(offset + most, file.size) - 1) // CHUNK
        last = min(last, first + max(1, store.batch // CHUNK) - 1)
        ends = min((last + 1) * SEALED, sealed_size(file.size))

        def work() -> bytes:
            sealed = store.read(file.blob, first * SEALED, ends - first * SEALED)
            plain = open_chunks(file.key, file.blob, first, chunks(file.size), sealed)
            start = offset - first * CHUNK
            return plain[start : start + most]

        self._busy = True
        try:
            if self._means.now() >= self._check_at:
                await self._means.database.read(self._check)
                self._check_at = self._means.now() + CHECK_EVERY
            return await self._means.work(work)
        finally:
            self._busy = False
            if self._closed is None:
                file.key.wipe()

    def close(self) -> None:
        closed, self._closed = self._closed, None
        if closed is not None:
            closed()
            if not self._busy:
                self._open.key.wipe()
