"""Copies of what other nodes have the octets of: fetched when somebody asks, dropped when there is no room.

The name of a copy in the store is another one each time that it is begun: so what was dropped, and is deleted
from the store later, is never taken for what was fetched since.
"""

from collections.abc import Container, Sequence

from sqlalchemy import Connection, bindparam, func, insert, select, update

from safeum_home.storage.many import Many
from safeum_home.storage.rows import FetchedRow
from safeum_home.storage.schema import blobs, fetched, files

NONE = b""
"""The name in the store of what is not there."""
_OF_BLOB = select(fetched).where(fetched.c.blob == bindparam("blob"))
_KEPT = (
    select(func.coalesce(func.sum(blobs.c.size), 0))
    .select_from(fetched.join(blobs, blobs.c.blob == fetched.c.blob))
    .where(fetched.c.account == bindparam("account"), fetched.c.stored != NONE)
)
_USES = select(func.count()).where(files.c.blob == fetched.c.blob).scalar_subquery()
# What was forwarded stays: whoever got it has it from here.
_EVICTABLE = (
    select(fetched.c.blob, blobs.c.size)
    .select_from(fetched.join(blobs, blobs.c.blob == fetched.c.blob))
    .where(fetched.c.account == bindparam("account"), fetched.c.stored != NONE, _USES == 1)
    .order_by(fetched.c.used)
    .limit(bindparam("limit"))
)
_ABANDONED = (
    select(fetched.c.blob)
    .where(fetched.c.ends > 0, fetched.c.ends <= bindparam("now"))
    .limit(bindparam("limit"))
)
_STORED = Many("SELECT stored FROM fetched WHERE (stored) IN ({rows})", ("bytea",))
_STORED_OF = Many("SELECT stored FROM fetched WHERE (blob) IN ({rows})", ("bytea",))
_DROP = Many("INSERT INTO dropped (blob) {rows} ON CONFLICT DO NOTHING", ("bytea",))
_DELETE = Many("DELETE FROM fetched WHERE (blob) IN ({rows})", ("bytea",))
_SOME = 500


def add_foreign(c: Connection, blob: bytes, sender: bytes, size: int) -> None:
    """A blob that another node has; nothing of it is here. It counts for `sender`, who is no account here."""
    c.execute(insert(blobs), {"blob": blob, "account": sender, "size": size})
    c.execute(insert(fetched), FetchedRow(blob, sender, NONE, 0, 0, 0)._asdict())


def copy_of(c: Connection, blob: bytes) -> FetchedRow | None:
    """What is kept of a blob of another node; None where it is none, or nothing refers to it any more."""
    row = c.execute(_OF_BLOB, {"blob": blob}).first()
    return FetchedRow(*row) if row else None


def begin_copy(
    c: Connection,
    row: FetchedRow,
    size: int,
    most: int,
    busy: Container[bytes],
) -> bool:
    """`row` is what is kept of its blob from now on; False where there is no room for it.

    `most` octets may be kept for an account: those that were not used for longest go, but for what is `busy`.
    """
    free = most - int(c.execute(_KEPT, {"account": row.account}).scalar_one())
    while free < size:
        found = c.execute(_EVICTABLE, {"account": row.account, "limit": _SOME}).all()
        gone = [each for each in found if each.blob not in busy and each.blob != row.blob]
        if not gone:
            return False
        for each in gone:
            if free >= size:
                break
            forget_copy(c, each.blob)
            free += each.size
    c.execute(update(fetched).where(fetched.c.blob == row.blob).values(**row._asdict()))
    return True


def advance_copy(c: Connection, row: FetchedRow) -> bool:
    """So much of a copy is in the store; False, and nothing is changed, where another one is kept by now."""
    changed = c.execute(
        update(fetched)
        .where(fetched.c.blob == row.blob, fetched.c.stored == row.stored)
        .values(received=row.received, used=row.used, ends=row.ends)
    )
    return bool(changed.rowcount)


def touch_copy(c: Connection, blob: bytes, used: int) -> None:
    """A copy is asked for in this hour."""
    c.execute(update(fetched).where(fetched.c.blob == blob, fetched.c.used < used).values(used=used))


def forget_copy(c: Connection, blob: bytes, stored: bytes | None = None) -> None:
    """Nothing is kept of a blob any more (where it is `stored` under this name still)."""
    row = copy_of(c, blob)
    if row is None or row.stored == NONE or (stored is not None and row.stored != stored):
        return
    _DROP.change(c, [(row.stored,)])
    c.execute(update(fetched).where(fetched.c.blob == blob).values(stored=NONE, received=0, ends=0))


def disown_copies(c: Connection, account: bytes) -> None:
    """What was kept for an account is to go, but what was forwarded: others of its groups fetch it anew."""
    c.execute(
        update(fetched)
        .where(fetched.c.account == account, fetched.c.stored != NONE, _USES == 1)
        .values(ends=1)
    )


def drop_abandoned(c: Connection, now: int, limit: int) -> int:
    """Forget copies that are not whole, and that nobody has gone on with; how many."""
    over = list(c.execute(_ABANDONED, {"now": now, "limit": limit}).scalars())
    for blob in over:
        forget_copy(c, blob)
    return len(over)


def drop_copies(c: Connection, gone: Sequence[bytes]) -> None:
    """Nothing refers to these blobs any more, of whichever node they are."""
    asked = [(blob,) for blob in gone]
    stored = [found for found in _STORED_OF.fetch(c, asked) if found[0] != NONE]
    _DROP.change(c, [(bytes(found[0]),) for found in stored])
    _DELETE.change(c, asked)


def stored_among(c: Connection, names: Sequence[bytes]) -> set[bytes]:
    """Those of some names in the store that are copies."""
    return {bytes(found[0]) for found in _STORED.fetch(c, [(name,) for name in names])}
