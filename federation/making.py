"""The bodies of transactions, made when they are sent, or while the one before them is under way."""

from collections.abc import Callable
from typing import NamedTuple

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from federation.building import Built
from safeum_home.errors import Problem
from safeum_home.ports.outbox import Batch, Outbox

AHEAD = 250
"""Behind a batch of so many rows the next one is made while it is under way: much waits then."""
Build = Callable[[Batch], "Deferred[Built]"]
_log = Logger()


class Ready(NamedTuple):
    """A batch as it is to be sent."""

    batch: Batch
    built: Built


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

    async def ahead(self, node: str, batch: Batch) -> Ready | None:
        """What comes behind a batch that is under way; None where too little waits, or it cannot be made."""
        if len(batch.rows) < AHEAD:
            return None
        try:
            following = await self._outbox.ahead(node, batch)
            return None if following is None else await self._made(node, following)
        except CancelledError:
            raise
        except Problem:
            return None  # the database's, which shows again when it is its turn
        except Exception:
            _log.failure("A transaction cannot be made ahead.")
            return None

    async def _made(self, node: str, batch: Batch) -> Ready:
        built = await self._build(batch)
        if not built.is_whole:
            batch = await self._outbox.trim(node, batch, built.trim)
        return Ready(batch, built)
