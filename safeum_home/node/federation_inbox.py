"""How far what other nodes tell got: `ports.outbox.Inbox` over the database."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from safeum_home.errors import Code, Problem
from safeum_home.node.federation_rows import PeerRows
from safeum_home.ports import Database
from safeum_home.ports.outbox import InBulk, Reached, Refused, Store
from safeum_home.storage import peers

KEPT_IN_RAM = 1_000
"""Nodes of which it is remembered how far their streams got."""

_refused = msgspec.json.Decoder(tuple[Refused, ...])


class NodeInbox:
    """`ports.outbox.Inbox`. What is committed is remembered for those that come often."""

    def __init__(self, database: Database, rows: PeerRows) -> None:
        self._database = database
        self._rows = rows
        self._reached: OrderedDict[str, Reached] = OrderedDict()

    def forget(self) -> None:
        """Read all from the database anew."""
        self._reached.clear()

    async def reached(self, node: str) -> Reached:
        if (held := self._reached.get(node)) is not None:
            return held
        row = await self._database.read(lambda c: peers.incoming(c, self._rows.blind(node)))
        if row is None or row.stream is None:
            return Reached(None, 0, 0, b"", ())
        refused = _refused.decode(row.refused or b"[]")
        return Reached(row.stream, row.last, row.done, row.digest or b"", refused)

    async def apply(
        self,
        node: str,
        stores: Sequence[Store],
        reached: Callable[[Sequence[Problem | None]], Reached],
        aside: Callable[[Sequence[Problem | None]], Sequence[tuple[str, str]]],
        bulks: Sequence[InBulk] = (),
    ) -> Sequence[Problem | None]:
        self._reached.pop(node, None)

        def store(c: Connection) -> tuple[list[Problem | None], Reached]:
            peer = self._rows.row(c, node)
            done = {place for bulk in bulks if _stored_at_once(c, bulk) for place in bulk.places}
            outcomes = [None if place in done else _stored(c, each) for place, each in enumerate(stores)]
            now = reached(outcomes)
            refused = msgspec.json.encode(now.refused) if now.refused else None
            row = peers.InRow(now.stream, now.last, now.done, now.digest, refused)
            peers.set_reached(c, peer, row, self._rows.milliseconds())
            self._rows.keep_aside(c, peer, True, aside(outcomes))
            return outcomes, now

        outcomes, now = await self._database.transact(store)
        self._rows.there([node])
        self._reached[node] = now
        while len(self._reached) > KEPT_IN_RAM:
            self._reached.popitem(last=False)
        return outcomes


def _stored_at_once(c: Connection, bulk: InBulk) -> bool:
    """Run it; what it did is undone where it does not do all of it."""

    def store(c: Connection) -> None:
        if not bulk.store(c):
            raise Problem(Code.BUSY)

    return _stored(c, store) is None


def _stored(c: Connection, store: Store) -> Problem | None:
    """Run it; what it did is undone where it raises a `Problem`, which is the answer."""
    execute: Any = c.connection.driver_connection.execute  # type: ignore[union-attr]  # it is connected
    execute("SAVEPOINT event")
    problem = None
    try:
        store(c)
    except Problem as error:
        execute("ROLLBACK TO SAVEPOINT event")
        problem = Problem(error.code, error.detail, error.retry_after)
    execute("RELEASE SAVEPOINT event")
    return problem
