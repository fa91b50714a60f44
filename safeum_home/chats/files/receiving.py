"""One body on its way into the store: sealed and written in threads, noted when it is on disk.

In memory there are two batches at the most, however long the body is. What the database says was received
is in the store, synced before; what lies behind that is cut off when the upload goes on.
"""

import hashlib
from collections.abc import Callable
from typing import Protocol

from sqlalchemy import Connection

from safeum_home.chats.files.means import CHECK_EVERY, FileMeans
from safeum_home.chats.files.octets import CHUNK, SEALED, chunks, seal_chunks, seal_tail
from safeum_home.chats.files.record import OpenFile
from safeum_home.errors import Code, Problem
from safeum_home.ports.files import Checksum, Intake
from safeum_home.storage import files
from safeum_home.storage.rows import UploadRow

CHECKPOINT = 8 * 1024 * 1024
"""Octets after which what was received is noted: no more than that has to be sent again after a crash."""


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


class Receiving:
    """`ends` tells when an upload is over, complete or not; `tail` is what follows the last whole chunk.

    `check` raises what is in the way of going on: it is looked at every `CHECK_EVERY`, and with each note.
    """

    def __init__(
        self,
        means: FileMeans,
        file: OpenFile,
        row: UploadRow,
        tail: bytes,
        ends: Callable[[bool], int],
        check: Callable[[Connection], object],
    ) -> None:
        self._means = means
        self._check = check
        self._check_at = means.now() + CHECK_EVERY
        self._file = file
        self._blind = row.file
        self._ends = ends
        self._count = chunks(file.size)
        self._noted = self._received = row.received
        self._number = (row.received - len(tail)) // CHUNK
        self._rest = bytearray(tail)
        self._end = row.ends
        self._written = False

    async def run(self, body: Intake, checksum: Checksum | None) -> tuple[int, int]:
        """How many octets are on disk then, and when the upload ends.

        A body that breaks off is kept as far as it came. One with a checksum is kept as a whole, or not.
        Raises `too_large`, `wrong_checksum`, `not_found` where the upload was thrown away meanwhile, what
        `check` and the store do: then it stands where it was noted last.
        """
        try:
            return await self._run(body, checksum)
        except Exception:
            await self._forget()
            raise

    async def _run(self, body: Intake, checksum: Checksum | None) -> tuple[int, int]:
        means, file = self._means, self._file
        if self._number and self._received < file.size:
            await means.work(lambda: means.store.truncate(file.blob, self._number * SEALED))
        digest: _Hash | None = None
        if checksum is not None:
            digest = hashlib.new(checksum.name, usedforsecurity=False)
        while data := await body.take(means.store.batch):
            if self._received + len(data) > file.size:
                raise Problem(Code.TOO_LARGE, "the upload would be longer than it was said to be")
            await self._take(data, digest)
            if digest is None and self._received - self._noted >= CHECKPOINT:
                await self._note()
            elif means.now() >= self._check_at:
                await means.database.read(self._check)
                self._check_at = means.now() + CHECK_EVERY
        if (
            digest is not None
            and checksum is not None
            and (body.broken or digest.digest() != checksum.digest)
        ):
            raise Problem(Code.WRONG_CHECKSUM)
        if self._received > self._noted:
            await self._note()
        return self._received, self._end

    async def _take(self, data: bytes, digest: _Hash | None) -> None:
        means, file, number = self._means, self._file, self._number
        self._received += len(data)
        self._rest += data
        whole = len(self._rest) if self._received == file.size else len(self._rest) // CHUNK * CHUNK
        octets = bytes(memoryview(self._rest)[:whole])
        del self._rest[:whole]

        def store() -> None:
            if digest is not None:
                digest.update(data)
            if octets:
                sealed = seal_chunks(file.key, file.blob, number, self._count, octets)
                means.store.append(file.blob, number * SEALED, sealed)

        await means.work(store)
        if octets:
            self._number += -(-whole // CHUNK)
            self._written = True

    async def _note(self) -> None:
        """What was received is on disk from here on, and may be told."""
        means, file = self._means, self._file
        if self._written:
            await means.work(lambda: means.store.sync(file.blob))
            self._written = False
        noted, received = self._noted, self._received
        tail = seal_tail(file.key, file.blob, received, bytes(self._rest))
        ends = self._ends(received == file.size)

        def note(c: Connection) -> bool:
            self._check(c)
            return files.advance(c, self._blind, noted, received, tail, ends)

        if not await means.database.transact(note):
            raise Problem(Code.NOT_FOUND)  # thrown away meanwhile, or a message has it already
        self._noted, self._end = received, ends
        self._check_at = means.now() + CHECK_EVERY

    async def _forget(self) -> None:
        """Where the upload was thrown away, its blob may have come back by what was appended since."""
        means, blob = self._means, self._file.blob
        try:
            if not await means.database.read(lambda c: files.is_there(c, blob)):
                await means.forget_blob(blob)
        except Problem:
            return  # the janitor finds it
