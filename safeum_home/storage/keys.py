"""Wrapped keys, by owner: an account, a chat, a day."""

from collections.abc import Callable

from sqlalchemy import Connection, bindparam, delete, select

from safeum_home.ports import WrappedKey
from safeum_home.storage.many import Many
from safeum_home.storage.schema import keys

_BATCH = 1_000

_KEY = select(keys.c.epoch, keys.c.wrapped).where(keys.c.owner == bindparam("owner"))
_NEXT = select(keys).where(keys.c.owner > bindparam("after")).order_by(keys.c.owner).limit(_BATCH)
_PUT = Many(
    "INSERT INTO keys (owner, epoch, wrapped) {rows}"
    " ON CONFLICT (owner) DO UPDATE SET epoch = excluded.epoch, wrapped = excluded.wrapped",
    ("bytea", "bigint", "bytea"),
)


def key(c: Connection, owner: bytes) -> WrappedKey | None:
    row = c.execute(_KEY, {"owner": owner}).first()
    return WrappedKey(*row) if row else None


def put_key(c: Connection, owner: bytes, key: WrappedKey) -> None:
    """Store the key of `owner`, in place of the one it had."""
    _PUT.change(c, [(owner, key.epoch, key.wrapped)])


def delete_key(c: Connection, owner: bytes) -> None:
    c.execute(delete(keys).where(keys.c.owner == owner))


def rewrap_all(c: Connection, rewrap: Callable[[bytes, WrappedKey], WrappedKey]) -> int:
    """Replace every wrap by `rewrap(owner, wrap)`; how many there were. Holds 1,000 in memory at a time."""
    after, count = b"", 0
    while rows := c.execute(_NEXT, {"after": after}).all():
        fresh = [(owner, rewrap(owner, WrappedKey(epoch, wrapped))) for owner, epoch, wrapped in rows]
        _PUT.change(c, [(owner, key.epoch, key.wrapped) for owner, key in fresh])
        after, count = rows[-1].owner, count + len(rows)
    return count
