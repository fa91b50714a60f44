"""What is kept here of a file that another node has: its row, and its sealed octets in the store."""

from secrets import token_bytes

from sqlalchemy import Connection

from safeum_home.chats.files.means import FileMeans
from safeum_home.chats.files.octets import CHUNK, SEALED, chunks, seal_chunks
from safeum_home.chats.files.record import OpenFile
from safeum_home.errors import Code, Problem
from safeum_home.ports.files import BLOB_SIZE
from safeum_home.storage.fetched import NONE, advance_copy, begin_copy, copy_of, forget_copy, touch_copy
from safeum_home.storage.rows import FetchedRow


class Kept:
    """Grows chunk by chunk. `received` octets can be read; of these the row says how many are on disk."""

    def __init__(self, means: FileMeans, file: OpenFile) -> None:
        self._means = means
        self.file = file
        self._row = FetchedRow(file.blob, b"", NONE, 0, 0, 0)
        self.received = 0

    @property
    def stored(self) -> bytes:
        """The name in the store, which chunks are sealed for as well; empty where nothing is kept."""
        return self._row.stored

    @property
    def noted(self) -> int:
        """How much is on disk."""
        return self._row.received

    async def look(self) -> None:
        """Take over what the row says, unless something was begun already; raises `not_found`."""
        row = await self._means.database.read(lambda c: copy_of(c, self.file.blob))
        if row is None:
            raise Problem(Code.NOT_FOUND)
        if row.stored != NONE and row.used < self._hour:
            row = row._replace(used=self._hour)
            await self._means.database.transact(lambda c: touch_copy(c, row.blob, row.used))
        if self.stored == NONE:
            self._row, self.received = row, row.received

    async def begin(self, account: bytes, busy: set[bytes]) -> None:
        """It can grow: there is a name, and room for it among what is kept for an account.

        Of that nothing goes that is `busy`. Raises `not_found`, `file_quota`, `file_lost`.
        """
        await self.look()
        if self.stored != NONE:
            await self._go_on()
            return
        means, file, most = self._means, self.file, self._means.section.copies
        row = self._row._replace(stored=token_bytes(BLOB_SIZE), received=0, account=account)
        row, self.received = self._dated(row), 0

        def begin(c: Connection) -> bool:
            if copy_of(c, file.blob) is None:
                raise Problem(Code.NOT_FOUND)
            return begin_copy(c, row, file.size, most, busy)

        if not await means.database.transact(begin):
            raise Problem(Code.FILE_QUOTA)
        self._row = row

    async def _go_on(self) -> None:
        """What lies in the store behind the octets that were received was not noted."""
        number, stored = self.received // CHUNK, self.stored
        if number:
            await self._means.work(lambda: self._means.store.truncate(stored, number * SEALED))

    async def append(self, octets: bytes) -> None:
        """Whole chunks, or all that is missing."""
        means, file, stored, number = self._means, self.file, self.stored, self.received // CHUNK

        def store() -> None:
            sealed = seal_chunks(file.key, stored, number, chunks(file.size), octets)
            means.store.append(stored, number * SEALED, sealed)

        await means.work(store)
        self.received += len(octets)

    async def note(self) -> None:
        """What was received is on disk from here on; raises `not_found` where it is to be kept no more."""
        means, row = self._means, self._dated(self._row._replace(received=self.received))
        await means.work(lambda: means.store.sync(row.stored))
        if not await means.database.transact(lambda c: advance_copy(c, row)):
            await self.drop()
            raise Problem(Code.NOT_FOUND)
        self._row = row

    async def check(self) -> None:
        """Raises `not_found` where it is to be kept no more."""
        if not await self._means.database.read(self._is_kept):
            raise Problem(Code.NOT_FOUND)

    async def drop(self) -> None:
        """Keep nothing of it."""
        means, stored = self._means, self.stored
        self._row, self.received = self._row._replace(stored=NONE, received=0), 0
        if stored != NONE:
            await means.database.transact(lambda c: forget_copy(c, self.file.blob, stored))
            # What was appended since a row was dropped may have brought it back.
            await means.forget_blob(stored)

    def _is_kept(self, c: Connection) -> bool:
        row = copy_of(c, self.file.blob)
        return row is not None and row.stored == self.stored

    def _dated(self, row: FetchedRow) -> FetchedRow:
        means, whole = self._means, row.received == self.file.size
        ends = 0 if whole else int((means.now() + means.section.unfinished_seconds) * 1000)
        return row._replace(used=self._hour, ends=ends)

    @property
    def _hour(self) -> int:
        return int(self._means.now() // 3600)
