"""Tidying up: what nobody sent, what was deleted, and what a crash or a restored backup has left."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from sqlalchemy import Connection
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from safeum_home.chats.files.means import FileMeans
from safeum_home.chats.files.outage import reason_of
from safeum_home.errors import Problem
from safeum_home.ports.files import BlobLost
from safeum_home.spawn import spawn
from safeum_home.storage import file_upkeep, files
from safeum_home.storage.fetched import drop_abandoned
from safeum_home.storage.rows import FilePlace

INTERVAL = 60.0
"""Seconds between two rounds."""
COMPARE_EVERY = 86400.0
"""Seconds between two comparisons of the store with the database. There is one at the start."""
GRACE = 86400.0
"""Seconds for which a blob is kept that no row knows: the database may be an old copy, by mistake."""
TURN_EVERY = 3600.0
"""Seconds between two turns of the keyring of fleeting keys for files: each makes anew what is left."""
_BATCH = 200
_FAILURES = 8
"""Blobs in a row that cannot be deleted, after which it is the store that fails."""
_log = Logger()


class FileJanitor:
    """Runs at the start and at intervals. `clock` provides IReactorTime."""

    def __init__(self, clock: Any, means: FileMeans, turn: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """`turn` turns the keyring where something was erased since it did."""
        self._clock = clock
        self._means = means
        self._turn = turn
        self._turn_at = clock.seconds() + TURN_EVERY
        self._next: IDelayedCall | None = None
        self._round: Deferred[None] | None = None
        self._compare_at = 0.0
        self._tidied = b""
        self._stuck: set[bytes] = set()
        self._stopped = False

    def start(self) -> None:
        """Begin, and go on until `stop`."""
        self._go()

    def stop(self) -> Deferred[None]:
        """Begin no further round; done when the one under way is over."""
        self._stopped = True
        if self._next is not None and self._next.active():
            self._next.cancel()
        if self._round is None:
            return succeed(None)
        over: Deferred[None] = Deferred()
        self._round.addBoth(lambda _: over.callback(None))
        return over

    def _go(self) -> None:
        self._round = running = spawn(self._run(), "tidying up files")
        running.addBoth(self._over)

    def _over(self, _: object) -> None:
        self._round = None
        if not self._stopped:
            self._next = self._clock.callLater(INTERVAL, self._go)

    async def _run(self) -> None:
        try:
            await self.tidy()
            if self._clock.seconds() >= self._turn_at:
                self._turn_at = self._clock.seconds() + TURN_EVERY
                await self._turn()
            if self._clock.seconds() >= self._compare_at:
                await self.compare()
                self._compare_at = self._clock.seconds() + COMPARE_EVERY
        except Problem as problem:
            _log.warn("Files could not be tidied up: {code}. It is tried again.", code=problem.code.code)

    async def tidy(self) -> None:
        """Throw away what is over, and delete what was dropped."""
        means = self._means
        now = int(means.now() * 1000)
        await self._until_none(lambda c: file_upkeep.drop_over(c, now, _BATCH) > 0)
        await self._until_none(lambda c: drop_abandoned(c, now, _BATCH) > 0)
        while not self._stopped:
            gone = await means.database.read(partial(_dropped, self._tidied))
            if not gone:
                self._tidied = b""
                return
            deleted, self._tidied = await self._delete(gone)
            if not deleted:
                return  # the store fails, as it seems: the next round goes on behind these
            await means.database.transact(partial(_deleted, deleted))

    async def _until_none(self, some: Callable[[Connection], bool]) -> None:
        while not self._stopped and await self._means.database.transact(some):
            pass

    async def compare(self) -> None:
        """Drop files without a message, and uploads without a blob; delete blobs that no row knew for long.

        Messages whose blob is gone are counted only: the store may be the wrong one, or an old copy.
        """
        await self._alone()
        await self._unknown()
        if lost := await self._lost():
            _log.error("{lost} files of messages are not in the store.", lost=lost)

    async def _alone(self) -> None:
        means, after = self._means, FilePlace(b"", 0)
        while not self._stopped:
            page = await means.database.read(partial(_files_after, after))
            if not page:
                return
            gone = [place for place, alone in page if alone]
            if gone:
                await means.database.transact(partial(_drop, gone))
            after = page[-1][0]

    async def _unknown(self) -> None:
        means, after, found, kept = self._means, b"", 0, 0
        now = int(means.now())
        while not self._stopped:
            names = await means.work(partial(means.store.blobs, after, _BATCH))
            # Looked at only now: a blob is made after its row was committed.
            unknown, noted = await means.database.read(partial(_without_rows, names, after))
            fresh = [blob for blob in unknown if blob not in noted]
            gone = list(noted.keys() - set(unknown))
            if fresh or gone:
                await means.database.transact(partial(_note_strays, fresh, gone, now))
            deleted, _ = await self._delete([b for b in unknown if noted.get(b, now) <= now - GRACE])
            found, kept = found + len(deleted), kept + len(unknown) - len(deleted)
            if not names:
                break
            after = names[-1]
        if kept:
            text = "{kept} blobs are in the store that the database does not know. They are kept for a day."
            _log.warn(text, kept=kept)
        if found:
            _log.info("{found} blobs that belong to nothing were deleted.", found=found)

    async def _lost(self) -> int:
        means, after, lost = self._means, b"", 0
        while not self._stopped:
            rows = await means.database.read(partial(_blobs_after, after))
            if not rows:
                break
            names = await means.work(partial(_names, means, after, rows[-1]))
            for blob in set(rows) - names:
                lost += await means.database.transact(partial(_lost, blob))
            after = rows[-1]
        return lost

    async def _delete(self, names: list[bytes]) -> tuple[list[bytes], bytes]:
        """Delete blobs one by one, going on behind one that fails: which are gone, and the last one tried.

        Where many in a row fail the rest is left.
        """
        means, deleted, blob, failed = self._means, list[bytes](), b"", 0
        for blob in names:
            try:
                await means.threads(partial(means.store.delete, blob))
            except (OSError, BlobLost) as error:
                failed += 1
                if failed == _FAILURES:
                    means.outage.failed(error)
                elif blob not in self._stuck and len(self._stuck) < _BATCH:
                    self._stuck.add(blob)
                    why = reason_of(error)
                    _log.warn("A blob cannot be deleted from the store: {why}. It is tried again.", why=why)
            else:
                deleted.append(blob)
                self._stuck.discard(blob)
                failed = 0
            if self._stopped or failed == _FAILURES:
                break
        return deleted, blob


def _files_after(after: FilePlace, c: Connection) -> list[tuple[FilePlace, bool]]:
    return file_upkeep.files_after(c, after, _BATCH)


def _drop(places: list[FilePlace], c: Connection) -> None:
    for place in places:
        files.drop(c, place.chat, place.position)


def _dropped(after: bytes, c: Connection) -> list[bytes]:
    return file_upkeep.dropped_blobs(c, after, _BATCH)


def _deleted(names: list[bytes], c: Connection) -> None:
    file_upkeep.deleted(c, names)


def _without_rows(names: list[bytes], after: bytes, c: Connection) -> tuple[list[bytes], dict[bytes, int]]:
    """Those of a page of the store that no row knows, and what was noted of these before."""
    noted = file_upkeep.strays_after(c, after, names[-1] if names else None)
    return file_upkeep.without_rows(c, names), noted


def _note_strays(fresh: list[bytes], gone: list[bytes], now: int, c: Connection) -> None:
    file_upkeep.note_strays(c, fresh, gone, now)


def _blobs_after(after: bytes, c: Connection) -> list[bytes]:
    return file_upkeep.blobs_after(c, after, _BATCH)


def _lost(blob: bytes, c: Connection) -> bool:
    return file_upkeep.lost(c, blob)


def _names(means: FileMeans, after: bytes, upto: bytes) -> set[bytes]:
    """The blobs of the store behind `after` and up to `upto`."""
    found: set[bytes] = set()
    while True:
        page = means.store.blobs(after, _BATCH)
        found.update(blob for blob in page if blob <= upto)
        if not page or page[-1] >= upto:
            return found
        after = page[-1]
