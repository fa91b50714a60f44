"""Uploads: begun, received in as many parts as it takes, looked up, thrown away."""

from secrets import token_bytes

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home import ids
from safeum_home.chats.contents import Chat
from safeum_home.chats.files.means import FileMeans
from safeum_home.chats.files.octets import CHUNK, open_tail, seal_chunks
from safeum_home.chats.files.own_keys import OwnKey, opener
from safeum_home.chats.files.receiving import Receiving
from safeum_home.chats.files.record import OpenFile, open_upload, seal_upload
from safeum_home.chats.files.tickets import UploadGrant
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import FileId
from safeum_home.ports.files import BLOB_SIZE, Checksum, Intake, UploadState
from safeum_home.storage import files
from safeum_home.storage.rows import UploadRow


class Uploads:
    """The part of `ports.FileTransfers` that is about uploads.

    One body is received for an upload at a time: whoever comes later may be the same client, whose
    connection broke without anybody noticing, so the former one is ended first.
    """

    def __init__(self, means: FileMeans) -> None:
        self._means = means
        self._active: dict[FileId, tuple[Intake, list[Deferred[None]]]] = {}

    @property
    def largest(self) -> int:
        return self._means.section.largest

    async def create(self, ticket: str, size: int, type: str) -> UploadState:
        means, section = self._means, self._means.section
        grant = self._granted(ticket)
        if size > section.largest:
            raise Problem(Code.TOO_LARGE, f"{section.largest} octets are the most")
        if grant.file is not None:
            await self._stop(grant.file)
        chat = await means.chat(grant)
        if grant.account not in chat.writers:
            raise Problem(Code.NOT_A_CONTACT)
        file = OpenFile(
            ids.new_file_id(), grant.account, size, type, token_bytes(BLOB_SIZE), chat.key.fresh()
        )
        blind, account = means.blinder.file(file.id), means.blinder.account(grant.account)
        ends = self._ends(complete=size == 0)
        own = None if chat.record.history else OwnKey(means.fleeting, files.upload_owner(blind))
        sealed = seal_upload(chat.key, blind, file, None if own is None else own.key)
        row = UploadRow(blind, chat.blind, file.blob, 0, ends, sealed, b"")
        # Whoever asks again with this ticket replaces what is begun here, also before that is stored.
        before, grant.file = grant.file, file.id
        former = None if before is None else means.blinder.file(before)

        def begin(c: Connection) -> None:
            means.check(c, grant, chat)
            if former is not None:
                files.drop_upload(c, former)
            if files.waiting(c, account) >= section.waiting:
                raise Problem(Code.LIMIT_REACHED, "too many uploads that were not sent")
            if files.used(c, account) + size > section.quota:
                raise Problem(Code.FILE_QUOTA)
            files.begin_upload(c, row, account, size)
            if own is not None:
                own.store(c)

        try:
            try:
                await means.database.transact(begin)
            except BaseException:
                if grant.file == file.id:
                    grant.file = before
                raise
            if size == 0:
                await self._store_empty(file)
        finally:
            file.key.wipe()
        return UploadState(file.id, size, 0, ends / 1000)

    async def _store_empty(self, file: OpenFile) -> None:
        """It has a chunk as well, and may have been thrown away before that was there."""
        means = self._means
        await means.work(lambda: _store_empty(means, file))
        if not await means.database.read(lambda c: files.is_there(c, file.blob)):
            await means.forget_blob(file.blob)
            raise Problem(Code.NOT_FOUND)

    async def state(self, ticket: str, file: str) -> UploadState:
        grant = self._granted(ticket, file)
        await self._stop(FileId(file))
        row, opened = await self._open(grant, await self._means.chat(grant))
        opened.key.wipe()
        return UploadState(opened.id, opened.size, row.received, row.ends / 1000)

    async def receive(
        self, ticket: str, file: str, offset: int, length: int | None, checksum: Checksum | None, body: Intake
    ) -> UploadState:
        grant = self._granted(ticket, file)
        with self._means.slots.one(grant.account), self._means.busy.hold(grant.device):
            await self._stop(FileId(file))
            waiting: list[Deferred[None]] = []
            self._active[FileId(file)] = body, waiting
            try:
                return await self._receive(grant, offset, length, checksum, body)
            finally:
                del self._active[FileId(file)]
                for waiter in waiting:
                    waiter.callback(None)

    async def terminate(self, ticket: str, file: str) -> None:
        grant = self._granted(ticket, file)
        await self._stop(FileId(file))
        chat = await self._means.chat(grant)
        row, opened = await self._open(grant, chat)
        opened.key.wipe()

        def drop(c: Connection) -> bool:
            files.drop_upload(c, row.file)
            return not files.is_there(c, opened.blob)

        if not await self._means.database.transact(drop):
            raise Problem(Code.NOT_FOUND)  # a message was sent with it meanwhile, and has its octets
        await self._means.forget_blob(opened.blob)

    async def _receive(
        self, grant: UploadGrant, offset: int, length: int | None, checksum: Checksum | None, body: Intake
    ) -> UploadState:
        means = self._means
        chat = await means.chat(grant)
        row, opened = await self._open(grant, chat)
        try:
            if offset != row.received:
                raise Problem(Code.WRONG_OFFSET)
            if offset + (length or 0) > opened.size:
                raise Problem(Code.TOO_LARGE, "the upload would be longer than it was said to be")
            try:
                tail = (
                    open_tail(opened.key, opened.blob, row.received, row.tail)
                    if _has_tail(row, opened)
                    else b""
                )
            except Tampered:
                raise Problem(Code.FILE_LOST) from None
            receiving = Receiving(means, opened, row, tail, self._ends, lambda c: means.check(c, grant, chat))
            received, ends = await receiving.run(body, checksum)
            return UploadState(opened.id, opened.size, received, ends / 1000)
        finally:
            opened.key.wipe()

    async def _open(self, grant: UploadGrant, chat: Chat) -> tuple[UploadRow, OpenFile]:
        """The upload of a ticket; raises `not_found` where it is none (any more)."""
        means = self._means
        assert grant.file is not None
        blind = means.blinder.file(grant.file)

        def read(c: Connection) -> tuple[UploadRow, OpenFile] | None:
            means.check(c, grant, chat)
            row = files.upload(c, blind)
            if row is None or row.chat != chat.blind:
                return None
            return row, open_upload(chat.key, row, opener(c, means.fleeting, row))

        row, opened = await means.find(chat, read)
        if opened.account != grant.account or opened.id != grant.file:
            opened.key.wipe()
            raise Problem(Code.NOT_FOUND)
        return row, opened

    def _granted(self, ticket: str, file: str | None = None) -> UploadGrant:
        grant = self._means.tickets.upload(ticket)
        if file is not None and grant.file != file:
            raise Problem(Code.NOT_FOUND)
        self._means.rate.take(grant.account)
        return grant

    async def _stop(self, file: FileId) -> None:
        """End what is being received for an upload, and wait until what came of it is on disk."""
        while (active := self._active.get(file)) is not None:
            body, waiting = active
            stopped: Deferred[None] = Deferred()
            waiting.append(stopped)
            body.stop()
            await stopped

    def _ends(self, complete: bool) -> int:
        section = self._means.section
        seconds = section.unsent_seconds if complete else section.unfinished_seconds
        return int((self._means.now() + seconds) * 1000)


def _has_tail(row: UploadRow, file: OpenFile) -> bool:
    """Whether what was received does not end with a chunk."""
    return row.received < file.size and row.received % CHUNK > 0


def _store_empty(means: FileMeans, file: OpenFile) -> None:
    means.store.append(file.blob, 0, seal_chunks(file.key, file.blob, 0, 1, b""))
    means.store.sync(file.blob)
