"""What becomes of objects that another node has refused: for good, or for now."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from functools import partial

from sqlalchemy import Connection
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from safeum_home.errors import Code
from safeum_home.node.federation_rows import PeerRows
from safeum_home.node.held_back import PASSING, HeldBack
from safeum_home.node.untold import give_up
from safeum_home.ports import Database
from safeum_home.ports.federation import Founding, SharedKind
from safeum_home.ports.outbox import Batch, Refused, Waiting
from safeum_home.storage import outbox, peers

BLIND = 16
"""Octets of a blind index, with that of the chat the pointers of all that is in one begin."""
HOUR = 3600 * 1000
KEPT_HOURS = 30 * 24
"""After so many hours what waits for a node that is away is dropped."""
Untold = Callable[[str, Sequence[tuple[str, bytes]]], Awaitable[None]]
"""A node, and the types and pointers of objects."""


async def _nothing_comes_of_it(node: str, rows: Sequence[tuple[str, bytes]]) -> None:
    """What waited is gone, and that is all."""


def _nobody_doubts(c: Connection, node: str, chat: bytes) -> None:
    """Nothing rests on anything else."""


class Refusals:
    """Sorts them. What is public of it is set once it is known of what kinds objects are."""

    def __init__(self, database: Database, rows: PeerRows) -> None:
        self._database = database
        self._rows = rows
        self.untold: Untold = _nothing_comes_of_it
        """Told of a node, and of what it will never be told, before that is dropped."""
        self.doubted: Callable[[Connection, str, bytes], None] = _nobody_doubts
        """`ports.Founding.doubted`."""
        self.patient: Collection[str] = ()
        """The kinds that may wait: see `SharedKind`."""
        self.late: Mapping[str, Collection[str]] = {}
        """Of kinds, with which codes an object is better told later than never: see `SharedKind`."""
        self.held_back: HeldBack | None = None
        """When those are told again that were held back."""

    def know(
        self, kinds: Sequence[SharedKind], clock: IReactorTime, wake: Callable[[Iterable[str]], None]
    ) -> None:
        """Of what kinds objects are; `wake`: something waits for some nodes again."""
        self.untold = partial(give_up, self._database, kinds)
        self.patient = frozenset(kind.type for kind in kinds if getattr(kind, "may_wait", False))
        self.late = {kind.type: getattr(kind, "late", ()) for kind in kinds}
        for kind in kinds:
            if isinstance(kind, Founding):
                self.doubted = kind.doubted
        self.held_back = HeldBack(clock, self.release, wake)

    def stop(self) -> None:
        """What is held back waits for the next start."""
        if self.held_back is not None:
            self.held_back.stop()

    def doubt(self, c: Connection, node: str, batch: Batch, refused: Sequence[Refused]) -> None:
        """In the transaction that notes them: what is refused as of people who are no contacts."""
        rows = [batch.rows[each.place] for each in refused if each.code == Code.NOT_A_CONTACT.code]
        for chat in {row.pointer[:BLIND] for row in rows if row.type.startswith("chat.")}:
            self.doubted(c, node, chat)

    async def later(self, node: str, batch: Batch, refused: Sequence[Refused]) -> list[Refused]:
        """Which of these are to be held back. Of the others it is said that they will never be told."""
        if not refused:
            return []
        peer, oldest = self._rows.blind(node), self._rows.milliseconds() // HOUR - KEPT_HOURS

        def read(c: Connection) -> tuple[list[Refused], list[Waiting]]:
            later, gone = [], []
            for each in refused:
                row = batch.rows[each.place]
                if self._may_wait(row, each) and outbox.waiting_since(c, peer, row) >= oldest:
                    later.append(each)
                else:
                    gone.append(row)
            return later, outbox.unchanged(c, peer, batch.number, gone)

        later, gone = await self._database.read(read)
        if gone:
            await self.untold(node, [(row.type, row.pointer) for row in gone])
        return later

    def _may_wait(self, row: Waiting, refused: Refused) -> bool:
        if refused.code in self.late.get(row.type, ()):
            return True
        return row.type in self.patient and (refused.retry_after is not None or refused.code in PASSING)

    def committed(self, node: str, later: Sequence[Refused], is_whole: bool) -> None:
        """These are held back now. `is_whole`: the node has taken all else that it was told."""
        if self.held_back is None:
            return
        if later:
            self.held_back.more(node, later)
        elif is_whole:
            self.held_back.none(node)

    def release(self, node: str) -> "Deferred[None]":
        """What was held back for a node waits as all else does."""
        return self._database.transact(lambda c: release(c, self._rows.blind(node)))


def release(c: Connection, peer: bytes) -> None:
    """What was held back for a node waits as all else does."""
    peers.counted(c, peer, -outbox.release(c, peer))
