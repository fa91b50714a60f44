"""What other nodes published of their keys, kept for the next start: `federation.key_cache.Kept`."""

from functools import partial

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.damage import undamaged
from safeum_home.errors import Problem
from safeum_home.node.federation_rows import PeerRows
from safeum_home.ports import Database
from safeum_home.spawn import spawn
from safeum_home.storage import node_keys

_TIME = 8
"""Octets of the time, which is in front."""


class KeptKeys:
    """Sealed in the database, as the names of nodes are."""

    def __init__(self, database: Database, rows: PeerRows) -> None:
        self._database = database
        self._rows = rows

    def keep(self, node: str, octets: bytes, fetched: int) -> None:
        spawn(self._keep(node, fetched.to_bytes(_TIME, "big") + octets), "keeping a node's keys")

    def kept(self, node: str) -> "Deferred[tuple[bytes, int] | None]":
        return Deferred.fromCoroutine(self._kept(node))

    async def _keep(self, node: str, fetched: bytes) -> None:
        def store(c: Connection) -> None:
            peer = self._rows.row(c, node)
            node_keys.put(c, peer, self._rows.seal_keys(peer, fetched))

        try:
            await self._database.transact(store)
        except Problem:
            """The database is away, or has too many nodes: it is kept when it is fetched next."""

    async def _kept(self, node: str) -> tuple[bytes, int] | None:
        peer = self._rows.blind(node)
        try:
            sealed = await self._database.read(partial(node_keys.of, peer=peer))
        except Problem:
            return None
        for fetched in undamaged(sealed, partial(self._rows.open_keys, peer), "documents of keys"):
            return fetched[_TIME:], int.from_bytes(fetched[:_TIME], "big")
        return None
