"""Fetching what another node has: sealed and written as it comes, and noted when it is on disk.

In memory are two batches at the most, however long the file is: where the store is slower than the other
node, that is held back. What came before something broke is kept, and gone on with; what cannot be right, or
is not to be had any more, leaves nothing.
"""

from collections.abc import Callable

from safeum_home.chats.files.kept import Kept
from safeum_home.chats.files.means import CHECK_EVERY, FileMeans
from safeum_home.chats.files.octets import CHUNK
from safeum_home.chats.files.receiving import CHECKPOINT
from safeum_home.chats.files.record import Source
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports.federation import Peers
from safeum_home.ports.files import Intake
from safeum_home.protocol.federation.files import FetchFile

PATIENCE, LEAST_RATE = 600.0, 32 * 1024
"""Fetching takes no longer than so many seconds, and so many octets a second: then the rest is asked for."""
RETRY_AFTER = 1.0


class Fetching:
    """One request for the rest of a file. `moved` is called whenever more of it can be read.

    `wanted` says whether anybody waits for it still.
    """

    def __init__(
        self,
        means: FileMeans,
        peers: Peers,
        source: Source,
        kept: Kept,
        moved: Callable[[], None],
        wanted: Callable[[], bool],
    ) -> None:
        self._means = means
        self._peers = peers
        self._source = source
        self._kept = kept
        self._moved = moved
        self._wanted = wanted
        self._body: Intake | None = None
        self._stopped = self._spoilt = False

    async def run(self, busy: set[bytes]) -> None:
        """Return when all of it is there. Raises what is in the way; then it can be tried again.

        That is `busy`, `file_quota`, `not_found`, `node_unreachable`, and what the store raises.
        """
        reader = reader_of(self._source)
        with self._means.slots.one(reader):
            try:
                await self._kept.begin(self._means.blinder.account(reader), busy)
                await self._receive()
            except Problem as problem:
                raise await self._ended(problem) from None

    def stop(self, spoilt: bool = False) -> None:
        """Take nothing more; `spoilt`: and keep nothing of it."""
        self._stopped, self._spoilt = True, spoilt or self._spoilt
        if self._body is not None:
            self._body.stop()

    async def _ended(self, problem: Problem) -> Problem:
        kept, lost = self._kept, problem.code is Code.FILE_LOST
        if lost or self._spoilt or problem.code is Code.NOT_FOUND or not kept.received:
            await kept.drop()
        elif kept.received > kept.noted:
            await kept.note()
        if lost:
            return Problem(Code.BUSY, "it has to be fetched anew", RETRY_AFTER)
        return problem

    async def _receive(self) -> None:
        kept, source = self._kept, self._source
        file = kept.file
        if kept.received < file.size:
            question = FetchFile(
                source.chat,
                source.message,
                reader_of(source),
                source.file,
                file.size,
                file.type,
                kept.received,
            )
            self._body = body = await self._peers.fetch(source.node, question)
            try:
                if not self._stopped:
                    await self._take(body)
            finally:
                body.stop()
                self._body = None
        if self._stopped:
            raise Problem(Code.BUSY, retry_after=RETRY_AFTER)
        if kept.received < file.size:
            raise Problem(Code.NODE_UNREACHABLE)
        await kept.note()

    async def _take(self, body: Intake) -> None:
        """Until all of it is there, or it breaks off: then what is there is whole chunks."""
        means, kept, size = self._means, self._kept, self._kept.file.size
        rest, began = bytearray(), means.now()
        check_at, over_at = began + CHECK_EVERY, began + PATIENCE + size / LEAST_RATE
        while kept.received < size and (data := await body.take(means.store.batch)):
            rest += data
            come, now = kept.received + len(rest), means.now()
            if come > size:
                self._spoilt = True
                raise Problem(Code.NODE_UNREACHABLE)
            whole = len(rest) if come == size else len(rest) // CHUNK * CHUNK
            if whole:
                await kept.append(bytes(memoryview(rest)[:whole]))
                del rest[:whole]
                self._moved()
            if now > over_at or not self._wanted():
                return
            if kept.received - kept.noted >= CHECKPOINT:
                await kept.note()
            elif now >= check_at:
                await kept.check()
                check_at = now + CHECK_EVERY


def reader_of(source: Source) -> AccountId:
    """For whom it is fetched; `Source.read_by` has said so."""
    assert source.reader is not None
    return source.reader
