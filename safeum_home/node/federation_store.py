"""The rows of other nodes, with their names opened: `ports.outbox` over the database."""

from collections.abc import Sequence
from itertools import count
from secrets import token_bytes
from typing import Final

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.node.federation_rows import PeerRows
from safeum_home.node.refusals import HOUR, KEPT_HOURS, Held, Refusals
from safeum_home.ports import Database
from safeum_home.ports.federation import Noted
from safeum_home.ports.outbox import Batch, PeerState, Refused, Trim, Waiting
from safeum_home.protocol.federation.transactions import MOST_EVENTS
from safeum_home.storage import lines, outbox, peers
from safeum_home.storage.peers import PeerRow

BOUNDED = frozenset(("chat.message", "group.post"))
"""The kinds of which there may be any number. Others are no more than accounts, contacts and chats."""
ROUNDS = 4
"""So many times as many rows as are in a batch are looked at in one transaction, where they stand in line."""


class _More:
    """There is more to sort in another transaction, before it is known what comes next."""


_MORE: Final = _More()


class NodeOutbox:
    """`ports.outbox.Outbox`, and what writes into it."""

    def __init__(self, database: Database, rows: PeerRows, most: int, events: int = MOST_EVENTS) -> None:
        """`most` rows of what `BOUNDED` names may wait for a node; `events` are in a batch."""
        self._database = database
        self._rows = rows
        self._most = most
        self._events = events
        self.refusals = Refusals(database, rows)
        self._places = count(1)
        self._hurries: set[str] = set()
        """Nodes for which something urgent was noted, and none of what waits was sorted since."""

    async def load(self) -> None:
        """Find out where to go on; raises `storage_unavailable`. What was held back waits again."""
        await self.refusals.release_all()
        last = await self._database.read(outbox.last_position)
        self._places = count(max(last, self._rows.milliseconds() * 1000) + 1)

    def note(self, c: Connection, noted: Sequence[Noted]) -> None:
        """`Peers.note`: any number of rows, few statements. In the writer's thread.

        Raises `peer_behind` for a message, where too many wait for its node.
        """
        by_node: dict[str, list[Noted]] = {}
        for row in noted:
            by_node.setdefault(row.node, []).append(row)
        for node, rows in by_node.items():
            if self._rows.reaches(node):
                if any(row.urgent for row in rows):
                    self._hurries.add(node)
                self._note(c, self._rows.row(c, node), rows)

    def room(self, c: Connection, node: str) -> int:
        """`Peers.room`."""
        row = peers.outgoing(c, self._rows.blind(node))
        return self._most if row is None else max(0, self._most - row.waiting)

    def _note(self, c: Connection, peer: bytes, noted: Sequence[Noted]) -> None:
        plain: list[Waiting] = []
        urgent: list[Waiting] = []
        for _, kind, pointer, hurries in noted:
            place = next(self._places)
            if hurries:
                urgent.append(Waiting(place, kind, pointer))
            else:
                plain.append(Waiting(place + outbox.NOT_URGENT, kind, pointer))
        more = outbox.note(c, peer, plain, self._rows.milliseconds() // HOUR, urgent)
        peers.counted(c, peer, more)
        if any(row.type in BOUNDED for row in plain):
            row = peers.outgoing(c, peer)
            if row is not None and row.waiting > self._most:
                raise Problem(Code.PEER_BEHIND)

    def withdraw(self, c: Connection, node: str, types: Sequence[str], first: bytes, end: bytes) -> None:
        """`Peers.withdraw`."""
        peer = self._rows.blind(node)
        peers.counted(c, peer, -sum(outbox.withdraw(c, peer, type, first, end) for type in types))

    def waiting(
        self, c: Connection, node: str, objects: Sequence[tuple[str, bytes]]
    ) -> Sequence[tuple[str, bytes]]:
        """`Peers.to_be_told`."""
        return outbox.waiting(c, self._rows.blind(node), objects)

    # --- ports.outbox.Outbox

    def next(self, node: str) -> "Deferred[Batch | None]":
        return Deferred.fromCoroutine(self._following(node, _MORE))

    async def _following(self, node: str, found: Batch | _More | None) -> Batch | None:
        def store(c: Connection) -> Batch | _More | None:
            peer = self._rows.blind(node)
            self._hurries.discard(node)
            if outbox.is_overtaken(c, peer):
                # What is urgent has come since, and the node may never have heard of the batch.
                return self._anew(c, peer)
            return self._next(c, peer)

        while isinstance(found, _More):
            found = await self._database.transact(store)
        return found

    def trim(self, node: str, batch: Batch, trim: Trim) -> "Deferred[Batch]":
        return Deferred.fromCoroutine(self._trim(node, batch, trim))

    async def _trim(self, node: str, batch: Batch, trim: Trim) -> Batch:
        places = {row.position: place for place, row in enumerate(batch.rows)}
        poison = [Refused(places[row.position], code) for row, code in trim.poison]
        held = await self.refusals.later(node, batch, poison)

        def store(c: Connection) -> Batch:
            peer = self._rows.blind(node)
            out = [*trim.gone, *(row for row, _ in trim.poison if row not in held.rows)]
            fewer = outbox.remove(c, peer, out)
            if held.alone:
                fewer += outbox.hold(c, peer, held.alone)
            # What stands behind it is put together anew, behind what is left for later.
            first = trim.later[0].position if trim.later else None
            fewer += outbox.let_go(c, peer, batch.number, first)
            peers.counted(c, peer, -fewer)
            aside = [(row.type, code) for row, code in trim.poison if row not in held.rows]
            self._rows.keep_aside(c, peer, True, aside)
            rows = outbox.fixed(c, peer, batch.number)
            if not rows:
                peers.set_sent(c, peer, batch.number - 1)
            return batch._replace(rows=rows)

        trimmed = await self._database.transact(store)
        self.refusals.committed(node, batch, held, False)
        return trimmed

    def delivered(
        self, node: str, batch: Batch, refused: Sequence[Refused], ahead: Batch | None = None
    ) -> "Deferred[Batch | None]":
        return Deferred.fromCoroutine(self._delivered(node, batch, refused, ahead))

    async def _delivered(
        self, node: str, batch: Batch, refused: Sequence[Refused], ahead: Batch | None
    ) -> Batch | None:
        # Before the rows are gone, as in `_failing`: after a crash in between the node answers the same.
        held = await self.refusals.later(node, batch, refused)

        def store(c: Connection) -> Batch | _More | None:
            peer = self._rows.blind(node)
            fewer = outbox.hold(c, peer, held.alone) if held.alone else 0
            fewer += lines.hold(c, peer, held.in_line)
            fewer += outbox.remove_fixed(c, peer, batch.number)
            is_next = ahead
            self._hurries.discard(node)
            if held.standing or outbox.is_overtaken(c, peer):
                # The next one was fixed already, and not sent yet: what has come since goes before that,
                # or what is in it has to stand in line.
                fewer += outbox.let_go(c, peer, batch.number)
                is_next = None
            peers.counted(c, peer, -fewer)
            peers.set_delivered(c, peer, self._rows.milliseconds())
            self.refusals.doubt(c, node, batch, refused)
            gone = [(batch.rows[each.place], each) for each in refused]
            what = [(row.type, each.code, each.detail) for row, each in gone if row not in held.rows]
            self._rows.keep_aside(c, peer, False, what)
            return self._next(c, peer, is_next)

        rest = await self._database.transact(store)
        self.refusals.committed(node, batch, held, True)
        return await self._following(node, rest)

    def followed(self, node: str, batch: Batch, following: Batch) -> "Deferred[None]":
        return Deferred.fromCoroutine(self._followed(node, batch, following))

    async def _followed(self, node: str, batch: Batch, following: Batch) -> None:
        def store(c: Connection) -> None:
            peer = self._rows.blind(node)
            peers.counted(c, peer, -outbox.remove_fixed(c, peer, batch.number))
            peers.set_delivered(c, peer, self._rows.milliseconds())
            peers.set_sent(c, peer, following.number)

        await self._database.transact(store)
        self.refusals.committed(node, batch, Held(), True)

    def hurries(self, node: str) -> bool:
        return node in self._hurries

    def ahead(self, node: str, batch: Batch, least: int) -> "Deferred[Batch | None]":
        def store(c: Connection) -> Batch | None:
            peer = self._rows.blind(node)
            row = peers.outgoing(c, peer)
            if row is None or (row.stream, row.sent) != batch[:2] or not outbox.are_free(c, peer, least):
                return None
            rows = self._fixed(c, peer, batch.number + 1)
            return Batch(row.stream, batch.number + 1, rows) if rows and not isinstance(rows, _More) else None

        return self._database.transact(store)

    def new_stream(self, node: str) -> "Deferred[Batch | None]":
        return Deferred.fromCoroutine(self._begun_anew(node))

    async def _begun_anew(self, node: str) -> Batch | None:
        first = await self._database.transact(lambda c: self._anew(c, self._rows.blind(node)))
        return await self._following(node, first)

    def failing(self, node: str, since: int) -> "Deferred[int]":
        return Deferred.fromCoroutine(self._failing(node, since))

    async def _failing(self, node: str, since: int) -> int:
        peer, now = self._rows.blind(node), self._rows.milliseconds()
        await self._database.transact(lambda c: peers.set_failing(c, peer, since))
        if now - since < KEPT_HOURS * HOUR:
            return 0
        hour, after, lasting = now // HOUR - KEPT_HOURS, -1, self.refusals.lasting

        def older(c: Connection) -> tuple[Waiting, ...]:
            return outbox.older(c, peer, hour, lasting, after, self._events)

        # First what becomes of them: after a crash in between it is asked again.
        while rows := await self._database.read(older):
            await self.refusals.untold(node, [(row.type, row.pointer) for row in rows])
            after = rows[-1].position

        def drop(c: Connection) -> int:
            dropped = outbox.drop_older(c, peer, hour, lasting)
            peers.counted(c, peer, -dropped)
            return dropped

        return await self._database.transact(drop)

    def peers(self, after: bytes, limit: int) -> "Deferred[tuple[list[PeerState], bytes]]":
        def read(c: Connection) -> tuple[list[PeerState], bytes]:
            page = peers.page(c, after, limit)
            states = undamaged(page, self._state, "nodes")
            return states, page[-1].peer if len(page) == limit else b""

        return self._database.read(read)

    def _state(self, row: PeerRow) -> PeerState:
        return PeerState(self._rows.name(row.peer, row.sealed), row.waiting, row.failing, row.seen)

    def _anew(self, c: Connection, peer: bytes) -> Batch | _More | None:
        peers.counted(c, peer, -outbox.let_go(c, peer))
        peers.set_stream(c, peer, token_bytes(16))
        return self._next(c, peer)

    def _next(self, c: Connection, peer: bytes, ahead: Batch | None = None) -> Batch | _More | None:
        """`ahead` is the next one where it is known already."""
        row = peers.outgoing(c, peer)
        if row is None:
            return None
        if ahead is not None and ahead.rows and ahead[:2] == (row.stream, row.sent + 1):
            peers.set_sent(c, peer, ahead.number)
            return ahead
        if rows := outbox.fixed(c, peer, row.sent):
            return Batch(row.stream, row.sent, rows)
        number = row.sent + 1
        found = self._fixed(c, peer, number)
        if isinstance(found, _More):
            return found
        if not found:
            return None
        peers.set_sent(c, peer, number)
        return Batch(row.stream, number, found)

    def _fixed(self, c: Connection, peer: bytes, number: int) -> tuple[Waiting, ...] | _More:
        """The rows of a batch, which may have none."""
        if rows := outbox.fixed(c, peer, number):
            return rows
        fewer, sorted = lines.sort(c, peer, self._events, ROUNDS)
        peers.counted(c, peer, -fewer)
        return outbox.fix(c, peer, number, self._events) if sorted else _MORE
