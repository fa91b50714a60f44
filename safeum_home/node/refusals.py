"""What becomes of objects that another node has refused: for good, or for now."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection
from twisted.internet.interfaces import IReactorTime

from safeum_home.errors import Code
from safeum_home.node.federation_rows import PeerRows
from safeum_home.node.held_alone import HeldAlone
from safeum_home.node.held_back import LONGEST, LONGEST_IN_LINE, PASSING, HeldBack
from safeum_home.node.untold import give_up
from safeum_home.ports import Database
from safeum_home.ports.federation import Founding, SharedKind
from safeum_home.ports.outbox import Batch, Refused, Waiting
from safeum_home.ports.sealing import BLIND
from safeum_home.storage import lines, outbox, peers

HOUR = 3600 * 1000
KEPT_HOURS = 30 * 24
"""After so many hours what waits for a node that is away is dropped."""
EVER = 1 << 60
"""As a time: all that is held back is due."""
OF_LINE, OF_LINES = 500, 5_000
"""So many rows that stand in line are told again at once: of one chat, and of all."""
Untold = Callable[[str, Sequence[tuple[str, bytes]]], Awaitable[None]]
"""A node, and the types and pointers of objects."""


async def _nothing_comes_of_it(node: str, rows: Sequence[tuple[str, bytes]]) -> None:
    """What waited is gone, and that is all."""


def _nobody_doubts(c: Connection, node: str, chat: bytes) -> None:
    """Nothing rests on anything else."""


class Held(NamedTuple):
    """What of a batch is held back, to be told again later."""

    rows: frozenset[Waiting] = frozenset()
    standing: Sequence[tuple[Waiting, Refused]] = ()
    """Those that hold up what is behind them of the same chat."""
    alone: Sequence[tuple[Waiting, int]] = ()
    """The others, and until when (seconds since 1970): they hold up nothing."""

    @property
    def in_line(self) -> list[Waiting]:
        """The rows of `standing`."""
        return [row for row, _ in self.standing]


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
        self.lasting: Collection[str] = ()
        """The kinds that wait for as long as it takes: see `SharedKind`."""
        self.held_back: HeldAlone | None = None
        """When those are told again that were held back, each for itself."""
        self.standing: HeldBack | None = None
        """When those that stand in line."""
        self._turns: dict[str, bytes] = {}
        """Of nodes for which more stands in line than is released at once: behind which line it goes on."""

    def know(
        self, kinds: Sequence[SharedKind], clock: IReactorTime, wake: Callable[[Iterable[str]], None]
    ) -> None:
        """Of what kinds objects are; `wake`: something waits for some nodes again."""
        self.untold = partial(give_up, self._database, kinds)
        self.patient = frozenset(kind.type for kind in kinds if getattr(kind, "may_wait", False))
        self.lasting = frozenset(kind.type for kind in kinds if getattr(kind, "lasting", False))
        self.late = {kind.type: getattr(kind, "late", ()) for kind in kinds}
        for kind in kinds:
            if isinstance(kind, Founding):
                self.doubted = kind.doubted
        self.held_back = HeldAlone(clock, self._release, wake, self._rows.milliseconds)
        self.standing = HeldBack(clock, self._release_lines, wake, LONGEST_IN_LINE)

    def stop(self) -> None:
        """What is held back waits for the next start."""
        for each in (self.held_back, self.standing):
            if each is not None:
                each.stop()

    def doubt(self, c: Connection, node: str, batch: Batch, refused: Sequence[Refused]) -> None:
        """In the transaction that notes them: what is refused as of people who are no contacts."""
        rows = [batch.rows[each.place] for each in refused if each.code == Code.NOT_A_CONTACT.code]
        for chat in {row.pointer[:BLIND] for row in rows if row.type.startswith("chat.")}:
            self.doubted(c, node, chat)

    async def later(self, node: str, batch: Batch, refused: Sequence[Refused]) -> Held:
        """Which of these are to be held back. Of the others it is said that they will never be told."""
        if not refused:
            return Held()
        peer, oldest = self._rows.blind(node), self._rows.milliseconds() // HOUR - KEPT_HOURS

        def is_young(c: Connection, row: Waiting) -> bool:
            return row.type in self.lasting or outbox.waiting_since(c, peer, row) >= oldest

        def read(c: Connection) -> tuple[list[tuple[Waiting, Refused]], list[Waiting]]:
            later, gone = [], []
            for each in refused:
                row = batch.rows[each.place]
                if self._may_wait(row, each) and is_young(c, row):
                    later.append((row, each))
                else:
                    gone.append(row)
            return later, outbox.unchanged(c, peer, batch.number, gone)

        later, gone = await self._database.read(read)
        if gone:
            await self.untold(node, [(row.type, row.pointer) for row in gone])
        return self._held(node, later)

    def _may_wait(self, row: Waiting, refused: Refused) -> bool:
        if refused.retry_after is not None or refused.code in self.late.get(row.type, ()):
            return True
        return row.type in self.patient and refused.code in PASSING

    def _held(self, node: str, later: Sequence[tuple[Waiting, Refused]]) -> Held:
        standing: list[tuple[Waiting, Refused]] = []
        alone: list[tuple[Waiting, Refused]] = []
        for each in later:
            row, refused = each
            stands = refused.retry_after is not None and row.type not in self.patient
            (standing if stands else alone).append(each)
        until = self.held_back.until(node, alone) if self.held_back is not None else []
        return Held(frozenset(row for row, _ in later), standing, until)

    def committed(self, node: str, batch: Batch, held: Held, is_whole: bool) -> None:
        """These are held back now. `is_whole`: the node has taken all else that it was told."""
        if self.held_back is None or self.standing is None:
            return
        if held.alone:
            self.held_back.held(node, [until for _, until in held.alone])
        if is_whole:
            self.held_back.over(node, (row for row in batch.rows if row not in held.rows))
        if held.standing:
            in_line = set(held.in_line)
            stuck = set(map(lines.line_of, in_line))
            some = any(lines.line_of(row) in stuck for row in batch.rows if row not in in_line)
            self.standing.more(node, [refused for _, refused in held.standing], some)
        elif is_whole:
            self.standing.none(node)

    async def release_all(self) -> None:
        """Whatever is held back for any node waits as all else does: this one has just started."""
        for peer in await self._database.read(outbox.holding):
            while await self._database.transact(partial(_release_all, peer=peer)):
                """There is more of it."""

    async def _release(self, node: str) -> int | None:
        peer, now = self._rows.blind(node), self._rows.milliseconds() // 1000

        def store(c: Connection) -> int | None:
            _release(c, peer, now)
            return outbox.first_due(c, peer)

        return await self._database.transact(store)

    async def _release_lines(self, node: str) -> bool:
        peer, after = self._rows.blind(node), self._turns.pop(node, b"")
        released = await self._database.transact(partial(_release_lines, peer=peer, after=after))
        if released.rest:
            self._turns[node] = released.after
        return released.rest


def _release(c: Connection, peer: bytes, now: int) -> None:
    peers.counted(c, peer, -outbox.release(c, peer, now, 2 * LONGEST))


def _release_lines(c: Connection, peer: bytes, after: bytes) -> lines.Released:
    released = lines.release(c, peer, OF_LINE, OF_LINES, after)
    peers.counted(c, peer, -released.fewer)
    return released


def _release_all(c: Connection, peer: bytes) -> bool:
    _release(c, peer, EVER)
    released = lines.release(c, peer, OF_LINES, OF_LINES)
    peers.counted(c, peer, -released.fewer)
    return released.rest
