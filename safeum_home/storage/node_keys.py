"""What other nodes published of their keys, sealed; `peers.forget_idle` forgets it with all of a node."""

from sqlalchemy import Connection, bindparam, select

from safeum_home.storage.many import Many
from safeum_home.storage.schema import node_keys

_OF = select(node_keys.c.sealed).where(node_keys.c.peer == bindparam("who"))
_PUT = Many(
    "INSERT INTO node_keys (peer, sealed) {rows} ON CONFLICT (peer) DO UPDATE SET sealed = excluded.sealed",
    ("bytea", "bytea"),
)


def put(c: Connection, peer: bytes, sealed: bytes) -> None:
    """Keep it in place of what was there."""
    _PUT.change(c, [(peer, sealed)])


def of(c: Connection, peer: bytes) -> list[bytes]:
    """What was kept last; empty where that is nothing."""
    return list(c.execute(_OF, {"who": peer}).scalars())
