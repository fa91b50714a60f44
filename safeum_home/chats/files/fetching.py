"""Fetching what another node has: once, whoever asks for it meanwhile, sealed and written as it comes.

What came is kept, sealed under the file's own key, so that it is there when the other node is away, and is
gone with the key of the chat. In memory are a few batches, however long the file is: where the store is
slower than the other node, that is held back.
"""

from secrets import token_bytes

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.chats.files.means import CHECK_EVERY, FileMeans
from safeum_home.chats.files.octets import CHUNK, SEALED, chunks, seal_chunks
from safeum_home.chats.files.receiving import CHECKPOINT
from safeum_home.chats.files.record import OpenFile, Source
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports.federation import Peers
from safeum_home.ports.files import BLOB_SIZE, Intake
from safeum_home.protocol.federation.files import FetchFile
from safeum_home.spawn import spawn
from safeum_home.storage.fetched import NONE, advance_copy, begin_copy, copy_of, forget_copy
from safeum_home.storage.rows import FetchedRow

LINGER = 30.0
"""Seconds for which fetching goes on when nobody reads any more: who was cut off comes back."""
PATIENCE, LEAST_RATE = 600.0, 32 * 1024
"""Fetching takes no longer than so many seconds, and so many octets a second: then the rest is asked for."""
RETRY_AFTER = 1.0


class Copies:
    """The copies that are being read or fetched, each once."""

    def __init__(self, means: FileMeans, peers: Peers) -> None:
        self._means = means
        self._peers = peers
        self._open: dict[bytes, Copy] = {}
        self._stopped = False

    def __len__(self) -> int:
        return len(self._open)

    async def open(self, file: OpenFile) -> "Copy":
        """The copy of a file of another node; `release` it afterwards. The file's key is its from here on.

        Raises `not_found` where no message has the file any more, and `too_large`; then the key is zeroed.
        """
        copy = self._open.get(file.blob)
        if copy is not None:
            file.key.wipe()
            copy.readers += 1
            return copy
        source = file.source
        assert source is not None
        copy = self._open[file.blob] = Copy(self, file, source)
        copy.readers = 1
        try:
            if file.size > min(self._means.section.largest, self._means.section.copies):
                raise Problem(Code.TOO_LARGE)
            copy.adopt(await copy.look())
        except BaseException:
            copy.release()
            raise
        return copy

    async def stop(self) -> None:
        """Fetch nothing more; afterwards nothing of this uses the database or the store."""
        self._stopped = True
        for copy in tuple(self._open.values()):
            await copy.stop()


class Copy:
    """A file of another node, as far as it is here."""

    def __init__(self, copies: Copies, file: OpenFile, source: Source) -> None:
        self._copies = copies
        self._means = copies._means
        self.file = file
        self._source = source
        self.readers = 0
        self._left_at = 0.0
        self._row = FetchedRow(file.blob, b"", NONE, 0, 0, 0)
        self.received = 0
        """Octets that can be read."""
        self._waiting: list[Deferred[None]] = []
        self._running: Deferred[None] | None = None
        self._body: Intake | None = None
        self._problem: Problem | None = None
        self._stopped = self._spoilt = False

    @property
    def stored(self) -> bytes:
        """The name in the store, which chunks are sealed for as well."""
        return self._row.stored

    async def look(self) -> FetchedRow:
        """What is kept of it; raises `not_found`."""
        row = await self._means.database.read(lambda c: copy_of(c, self.file.blob))
        if row is None:
            raise Problem(Code.NOT_FOUND)
        return row

    def adopt(self, row: FetchedRow) -> None:
        """This is what is kept, unless something was begun meanwhile."""
        if self._row.stored == NONE:
            self._row, self.received = row, row.received

    async def until(self, end: int) -> int:
        """Return when the octets before `end` can be read, fetching them where they are not there yet.

        How many can be read then. Raises what is in the way: `node_unreachable`, `not_found`, `file_quota`, …
        """
        while self.received < end:
            if self._copies._stopped:
                raise Problem(Code.SHUTTING_DOWN, retry_after=5)
            if self._running is None:
                self._problem = None
                self._running = running = spawn(self._fetch(), "fetching a file of another node")
                running.addBoth(self._over)
                if self.received >= end:
                    break
                if self._running is None:
                    raise self._problem or Problem(Code.INTERNAL)
            moved: Deferred[None] = Deferred()
            self._waiting.append(moved)
            await moved
            if self._running is None and self.received < end:
                raise self._problem or Problem(Code.INTERNAL)
        return self.received

    def release(self) -> None:
        """Somebody reads it no more."""
        self.readers -= 1
        self._left_at = self._means.now()
        self._let_go()

    async def lost(self, stored: bytes) -> Problem:
        """What should be there is gone or damaged: it is fetched anew, when it is asked for again."""
        again = Problem(Code.BUSY, "it has to be fetched anew", RETRY_AFTER)
        if stored != self.stored:
            return again  # that is done already
        self._spoilt = True
        if self._body is not None:
            self._body.stop()
        elif self._running is None:
            await self._drop()
        return again

    async def stop(self) -> None:
        """End what is being fetched."""
        self._stopped = True
        if self._body is not None:
            self._body.stop()
        if self._running is not None:
            over: Deferred[None] = Deferred()
            self._running.addBoth(lambda _: over.callback(None))
            await over

    # --- fetching

    def _over(self, _: object) -> None:
        self._running = None
        self._tell()
        self._let_go()

    def _let_go(self) -> None:
        if self.readers == 0 and self._running is None and self._copies._open.get(self.file.blob) is self:
            del self._copies._open[self.file.blob]
            self.file.key.wipe()

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, []
        for moved in waiting:
            moved.callback(None)

    async def _fetch(self) -> None:
        means, reader = self._means, self._source.reader
        try:
            with means.slots.one(reader):
                await self._fetched(reader)
        except Problem as problem:
            self._problem = problem

    async def _fetched(self, reader: AccountId) -> None:
        try:
            await self._begin(reader)
            await self._receive()
        except Problem as problem:
            gone = problem.code in (Code.NOT_FOUND, Code.FILE_LOST)
            if gone or self._spoilt or self.received == 0:
                await self._drop()
            elif self.received > self._row.received:
                await self._note()
            if problem.code is Code.FILE_LOST or self._spoilt:
                raise Problem(Code.BUSY, "it has to be fetched anew", RETRY_AFTER) from None
            raise

    async def _begin(self, reader: AccountId) -> None:
        """There is a row, room, and a place in the store that ends where the next octets go."""
        means, file = self._means, self.file
        self.adopt(await self.look())
        account = means.blinder.account(reader)
        if self._row.stored == NONE:
            # What was kept of it, if anything, is not there any more.
            row, self.received = self._row._replace(stored=token_bytes(BLOB_SIZE), received=0), 0
            row = self._dated(row._replace(account=account))
            most, busy = means.section.copies, set(self._copies._open)

            def begin(c: Connection) -> bool:
                if copy_of(c, file.blob) is None:
                    raise Problem(Code.NOT_FOUND)
                return begin_copy(c, row, file.size, most, busy)

            if not await means.database.transact(begin):
                raise Problem(Code.FILE_QUOTA)
            self._row, self._spoilt = row, False
        elif self.received:
            number, stored = self.received // CHUNK, self._row.stored
            await means.work(lambda: means.store.truncate(stored, number * SEALED))

    async def _receive(self) -> None:
        file, source = self.file, self._source
        question = FetchFile(
            source.chat, source.message, source.reader, source.file, file.size, file.type, self.received
        )
        self._body = body = await self._copies._peers.fetch(source.node, question)
        try:
            if not self._stopped:
                await self._take(body)
        finally:
            body.stop()
            self._body = None
        if self._stopped:
            raise Problem(Code.SHUTTING_DOWN, retry_after=5)
        if self.received < file.size:
            raise Problem(Code.NODE_UNREACHABLE)
        await self._note()

    async def _take(self, body: Intake) -> None:
        """Until all of it is there, or it breaks off: then what is there is whole chunks."""
        means, size = self._means, self.file.size
        rest, noted, began = bytearray(), self.received, means.now()
        check_at, most_time = began + CHECK_EVERY, PATIENCE + size / LEAST_RATE
        while data := await body.take(means.store.batch):
            rest += data
            if self.received + len(rest) > size:
                self._spoilt = True
            if self._spoilt:
                raise Problem(Code.NODE_UNREACHABLE)
            ends = self.received + len(rest) == size
            whole = len(rest) if ends else len(rest) // CHUNK * CHUNK
            if whole:
                await self._store(bytes(memoryview(rest)[:whole]))
                del rest[:whole]
            now = means.now()
            if ends:
                return
            if self._stopped or now - began > most_time or self._is_alone(now):
                return
            if self.received - noted >= CHECKPOINT:
                await self._note()
                noted = self.received
            elif now >= check_at:
                check_at = now + CHECK_EVERY
                if not await means.database.read(self._is_kept):
                    raise Problem(Code.NOT_FOUND)

    async def _store(self, octets: bytes) -> None:
        means, file, stored = self._means, self.file, self._row.stored
        number = self.received // CHUNK

        def store() -> None:
            sealed = seal_chunks(file.key, stored, number, chunks(file.size), octets)
            means.store.append(stored, number * SEALED, sealed)

        await means.work(store)
        self.received += len(octets)
        self._tell()

    async def _note(self) -> None:
        """What was received is on disk from here on; raises `not_found` where it is to be kept no more."""
        means, row = self._means, self._dated(self._row._replace(received=self.received))
        stored = row.stored
        if row.received:
            await means.work(lambda: means.store.sync(stored))
        if await means.database.transact(lambda c: advance_copy(c, row)):
            self._row = row
            return
        await self._drop()
        raise Problem(Code.NOT_FOUND)

    async def _drop(self) -> None:
        """Nothing of it is kept."""
        means, stored = self._means, self._row.stored
        self._row, self.received = self._row._replace(stored=NONE, received=0), 0
        if stored != NONE:
            await means.database.transact(lambda c: forget_copy(c, self.file.blob, stored))
            # What was appended since it was dropped may have brought it back.
            await means.forget_blob(stored)

    def _dated(self, row: FetchedRow) -> FetchedRow:
        means, whole = self._means, row.received == self.file.size
        now = int(means.now() * 1000)
        ends = 0 if whole else now + int(means.section.unfinished_seconds * 1000)
        return row._replace(used=now, ends=ends)

    def _is_alone(self, now: float) -> bool:
        return self.readers == 0 and now - self._left_at > LINGER

    def _is_kept(self, c: Connection) -> bool:
        row = copy_of(c, self.file.blob)
        return row is not None and row.stored == self._row.stored
