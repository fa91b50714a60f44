"""The bodies of transactions, made when they are sent, or while the one before them is under way."""

from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from federation.building import Built
from safeum_home.errors import Problem
from safeum_home.ports.outbox import Batch, Outbox

AHEAD = 100
"""Where so many rows wait behind a batch the next one is made while that is under way.

Each batch costs both nodes something, whatever is in it; but one that is not there in time has both wait.
"""
Build = Callable[[Batch], "Deferred[Built]"]
_log = Logger()


class Ready(NamedTuple):
    """A batch as it is to be sent."""

    batch: Batch
    built: Built


class Arrivals:
    """Counts what comes to wait for a node."""

    def __init__(self) -> None:
        self._count = self._enough = 0
        self._waiting: Deferred[None] | None = None

    def one(self) -> None:
        """One more has come."""
        self._count += 1
        if self._waiting is not None and self._count >= self._enough:
            waiting, self._waiting = self._waiting, None
            waiting.callback(None)

    def more(self, least: int) -> "Deferred[None]":
        """Fires when so many more have come; for one at a time, who may cancel it."""
        self._enough = self._count + least
        self._waiting = Deferred(self._given_up)
        return self._waiting

    def _given_up(self, _: object) -> None:
        self._waiting = None


class Maker:
    """Makes them; what is not sent in a batch after all is taken out of it."""

    def __init__(self, outbox: Outbox, build: Build, key_id: Callable[[], str]) -> None:
        """`key_id` names the key that requests are signed with now."""
        self._outbox = outbox
        self._build = build
        self._key_id = key_id

    async def made(self, node: str, batch: Batch, ready: Ready | None) -> Ready:
        """A batch, which may have been made ahead; it may have no rows left."""
        if ready is not None and ready.batch == batch and ready.built.key_id == self._key_id():
            return ready
        while True:
            ready = await self._made(node, batch)
            if ready.built.key_id == self._key_id():
                return ready
            # The key was replaced meanwhile: the old one signs nothing that is sent from now on.
            batch = ready.batch

    def ahead(self, node: str, batch: Batch, arrivals: Arrivals) -> "Ahead":
        """Begin to make what comes behind a batch that is under way, as soon as enough waits."""
        return Ahead(arrivals, lambda: self._following(node, batch), at_once=len(batch.rows) >= AHEAD)

    async def _following(self, node: str, batch: Batch) -> Ready | None:
        following = await self._outbox.ahead(node, batch, AHEAD)
        return None if following is None else await self._made(node, following)

    async def _made(self, node: str, batch: Batch) -> Ready:
        built = await self._build(batch)
        if not built.is_whole:
            batch = await self._outbox.trim(node, batch, built.trim)
        return Ready(batch, built)


class Ahead:
    """The batch behind one that is under way; it is looked for until that is answered."""

    def __init__(
        self, arrivals: Arrivals, look: Callable[[], Coroutine[Any, Any, Ready | None]], at_once: bool
    ) -> None:
        """`at_once`: much waited before, so that more may wait already."""
        self._arrivals = arrivals
        self._look = look
        self._waiting: Deferred[None] | None = None
        self._answered = False
        self._made = Deferred.fromCoroutine(self._run(at_once))

    def answered(self) -> "Deferred[Ready | None]":
        """Look no more; what was made, which is None where too little waits, or it cannot be made."""
        self._answered = True
        if self._waiting is not None:
            self._waiting.cancel()
        return self._made

    async def _run(self, at_once: bool) -> Ready | None:
        try:
            while at_once or await self._enough():
                if (ready := await self._look()) is not None:
                    return ready
                at_once = False
        except CancelledError:
            raise
        except Problem:
            """The database's, which shows again when it is its turn."""
        except Exception:
            _log.failure("A transaction cannot be made ahead.")
        return None

    async def _enough(self) -> bool:
        """Wait until so much may wait; False where the batch was answered meanwhile."""
        if not self._answered:
            self._waiting = self._arrivals.more(AHEAD)
            try:
                await self._waiting
            except CancelledError:
                if not self._answered:
                    raise
            finally:
                self._waiting = None
        return not self._answered
