"""Wrapped keys, by owner: an account, a chat, a day."""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ports import WrappedKey
from safeum_home.storage.many import Many
from safeum_home.storage.schema import keys, node

_BATCH = 1_000
_EPOCH = "epoch"

_IS_PRESENT = node.c.name == _EPOCH
_PRESENT = select(node.c.value).where(_IS_PRESENT)

_KEY = select(keys.c.epoch, keys.c.wrapped).where(keys.c.owner == bindparam("owner"))
_NEXT = (
    select(keys)
    .where(keys.c.owner > bindparam("after"), keys.c.epoch < bindparam("epoch"))
    .order_by(keys.c.owner)
    .limit(_BATCH)
)
_OLDER = select(func.count()).select_from(keys).where(keys.c.epoch < bindparam("epoch"))
_PUT = Many(
    "INSERT INTO keys (owner, epoch, wrapped) {rows}"
    " ON CONFLICT (owner) DO UPDATE SET epoch = excluded.epoch, wrapped = excluded.wrapped",
    ("bytea", "bigint", "bytea"),
)


def message_owner(chat: bytes, position: int) -> bytes:
    """The owner of the key of a message that has one of its own, of its chat's blind index and its place."""
    return blake2b(chat + position.to_bytes(8, "big"), digest_size=16, person=b"safeum message").digest()


def key(c: Connection, owner: bytes) -> WrappedKey | None:
    row = c.execute(_KEY, {"owner": owner}).first()
    return WrappedKey(*row) if row else None


def put_key(c: Connection, owner: bytes, key: WrappedKey) -> None:
    """Store the key of `owner`, in place of the one it had.

    Raises `busy` for a wrap of an epoch that is over: it was made before a turn and comes after it.
    """
    put_keys(c, [(owner, key)])


def put_keys(c: Connection, rows: Sequence[tuple[bytes, WrappedKey]]) -> None:
    """`put_key` for many."""
    present = c.execute(_PRESENT).scalar_one_or_none() or 0
    if any(key.epoch < present for _, key in rows):
        raise Problem(Code.BUSY, retry_after=1.0)
    _PUT.change(c, [(owner, key.epoch, key.wrapped) for owner, key in rows])


def delete_key(c: Connection, owner: bytes) -> None:
    c.execute(delete(keys).where(keys.c.owner == owner))


def begin_epoch(c: Connection, epoch: int) -> None:
    """From now on no wrap of an epoch before `epoch` is taken; those that are there can be re-wrapped."""
    c.execute(delete(node).where(_IS_PRESENT))
    c.execute(insert(node), {"name": _EPOCH, "value": epoch})


def older_than(c: Connection, epoch: int) -> int:
    """How many keys are wrapped under epochs before `epoch`."""
    return int(c.execute(_OLDER, {"epoch": epoch}).scalar_one())


class Rewrapped(NamedTuple):
    """How far a turn has come: the owner of the last wrap, None at the end; how many do not open."""

    last: bytes | None
    damaged: int


def rewrap_some(
    c: Connection, epoch: int, after: bytes, rewrap: Callable[[bytes, WrappedKey], WrappedKey]
) -> Rewrapped:
    """Replace up to 1,000 wraps of epochs before `epoch`, of owners behind `after`, by `rewrap(owner, wrap)`.

    What cannot be opened stays as it is: it was lost before.
    """
    rows = c.execute(_NEXT, {"after": after, "epoch": epoch}).all()
    fresh = []
    for owner, old, wrapped in rows:
        try:
            fresh.append((owner, rewrap(owner, WrappedKey(old, wrapped))))
        except Tampered:
            continue
    _PUT.change(c, [(owner, key.epoch, key.wrapped) for owner, key in fresh])
    return Rewrapped(rows[-1].owner if len(rows) == _BATCH else None, len(rows) - len(fresh))
