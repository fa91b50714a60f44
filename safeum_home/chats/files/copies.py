"""Files that other nodes have, read here: fetched once, whoever asks for them meanwhile.

What came is kept, sealed under the file's own key, so that it is there when the other node is away, and is
gone with the key of the chat.
"""

from twisted.internet.defer import Deferred

from safeum_home.chats.files.fetching import RETRY_AFTER, Fetching
from safeum_home.chats.files.kept import Kept
from safeum_home.chats.files.means import FileMeans
from safeum_home.chats.files.record import OpenFile, Source
from safeum_home.errors import Code, Problem
from safeum_home.ports.federation import Peers
from safeum_home.spawn import spawn

LINGER = 30.0
"""Seconds for which fetching goes on when nobody reads any more: who was cut off comes back."""


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
        """The copy of a file; `release` it afterwards. The file's key belongs to it from here on.

        Raises `not_found` where no message has the file any more, and `too_large`; then the key is zeroed.
        """
        means = self._means
        if (copy := self._open.get(file.blob)) is not None:
            file.key.wipe()
            copy.readers += 1
            return copy
        if file.size > min(means.section.largest, means.section.copies):
            file.key.wipe()
            raise Problem(Code.TOO_LARGE)
        copy = self._open[file.blob] = Copy(self, Kept(means, file))
        try:
            await copy.kept.look()
        except BaseException:
            copy.release()
            raise
        return copy

    async def stop(self) -> None:
        """Fetch nothing more; afterwards nothing of this uses the database or the store."""
        self._stopped = True
        for copy in tuple(self._open.values()):
            await copy.stop()

    # --- for the copies

    def fetching(self, copy: "Copy", source: Source) -> Fetching:
        """What fetches the rest of one; raises `shutting_down`."""
        if self._stopped:
            raise Problem(Code.SHUTTING_DOWN, retry_after=RETRY_AFTER)
        return Fetching(self._means, self._peers, source, copy.kept, copy.moved, copy.is_wanted)

    def now(self) -> float:
        return self._means.now()

    @property
    def busy(self) -> set[bytes]:
        """The blobs of those that are in use: they stay."""
        return set(self._open)

    def close(self, copy: "Copy") -> None:
        """Nobody uses one any more."""
        if self._open.get(copy.kept.file.blob) is copy:
            del self._open[copy.kept.file.blob]
            copy.kept.file.key.wipe()


class Copy:
    """A file of another node, as far as it is here, and whoever reads it. It has one reader at first."""

    def __init__(self, copies: Copies, kept: Kept) -> None:
        self._copies = copies
        self.kept = kept
        self._asked: Source | None = None
        """With whose right it is being fetched, or was last."""
        self.readers = 1
        self._left_at = 0.0
        self._fetching: Fetching | None = None
        self._problem: Problem | None = None
        self._waiting: list[Deferred[None]] = []

    async def until(self, end: int, source: Source) -> int:
        """Return when the octets before `end` can be read, fetching them where they are not there yet.

        That is done with the right of who reads first; where that is none any more, with `source`.
        How many can be read then. Raises what is in the way, as `Fetching.run` does.
        """
        while self.kept.received < end:
            if self._fetching is None:
                self._begin(source)
            if self._fetching is not None:
                await self._more()
            if self.kept.received < end and self._fetching is None:
                problem = self._problem or Problem(Code.INTERNAL)
                if problem.code is not Code.NOT_FOUND or self._asked == source:
                    raise problem
        return self.kept.received

    def release(self) -> None:
        """Somebody reads it no more."""
        self.readers -= 1
        self._left_at = self._copies.now()
        self._let_go()

    async def lost(self, stored: bytes) -> Problem:
        """What should be there is gone or damaged: it is fetched anew, when it is asked for again.

        `stored` is the name under which it was looked for.
        """
        if stored == self.kept.stored:
            if self._fetching is not None:
                self._fetching.stop(spoilt=True)
            else:
                await self.kept.drop()
        return Problem(Code.BUSY, "it has to be fetched anew", RETRY_AFTER)

    async def stop(self) -> None:
        """End what is being fetched."""
        if self._fetching is not None:
            self._fetching.stop()
        while self._fetching is not None:
            await self._more()

    def moved(self) -> None:
        """More of it can be read, or no more is coming."""
        waiting, self._waiting = self._waiting, []
        for moved in waiting:
            moved.callback(None)

    def is_wanted(self) -> bool:
        """Whether somebody reads it, or may come back."""
        return self.readers > 0 or self._copies.now() - self._left_at < LINGER

    def _begin(self, source: Source) -> None:
        self._problem, self._asked = None, source
        self._fetching = fetching = self._copies.fetching(self, source)
        spawn(self._run(fetching), "fetching a file of another node").addBoth(self._over)

    async def _run(self, fetching: Fetching) -> None:
        try:
            await fetching.run(self._copies.busy)
        except Problem as problem:
            self._problem = problem

    def _over(self, _: object) -> None:
        self._fetching = None
        self.moved()
        self._let_go()

    def _more(self) -> "Deferred[None]":
        moved: Deferred[None] = Deferred()
        self._waiting.append(moved)
        return moved

    def _let_go(self) -> None:
        if not self.readers and self._fetching is None:
            self._copies.close(self)
