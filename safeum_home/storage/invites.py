"""Invites: found by a keyed hash of their code, and counted down in the commit that makes an account."""

from sqlalchemy import Connection, bindparam, delete, func, select, update

from safeum_home.ports import WrappedKey
from safeum_home.storage import keys
from safeum_home.storage.rows import InviteRow
from safeum_home.storage.schema import invites
from safeum_home.storage.schema import keys as key_table

_GOOD = (invites.c.invite == bindparam("hashed")) & (invites.c.left > 0) & (invites.c.ends > bindparam("now"))
_IS_GOOD = select(invites.c.invite).where(_GOOD)
_USE = update(invites).where(_GOOD).values(left=invites.c.left - 1)
_ALL = (
    select(
        invites.c.invite,
        invites.c.left,
        invites.c.ends,
        invites.c.sealed,
        key_table.c.epoch,
        key_table.c.wrapped,
    )
    .join(key_table, key_table.c.owner == invites.c.invite)
    .order_by(invites.c.ends, invites.c.invite)
)


def insert(c: Connection, row: InviteRow) -> None:
    keys.LASTING.put_key(c, row.invite, row.key)
    c.execute(invites.insert().values(invite=row.invite, left=row.left, ends=row.ends, sealed=row.sealed))


def is_good(c: Connection, hashed: bytes, now: int) -> bool:
    """Whether there is such an invite, with a use left, that has not ended."""
    return c.execute(_IS_GOOD, {"hashed": hashed, "now": now}).first() is not None


def use(c: Connection, hashed: bytes, now: int) -> bool:
    """Count one use; False, counting nothing, where it is not good."""
    return c.execute(_USE, {"hashed": hashed, "now": now}).rowcount > 0


def every(c: Connection) -> list[InviteRow]:
    """All, those that end first before the others."""
    return [InviteRow(*row[:4], WrappedKey(*row[4:])) for row in c.execute(_ALL)]


def count(c: Connection) -> int:
    return int(c.execute(select(func.count()).select_from(invites)).scalar_one())


def remove(c: Connection, hashed: bytes) -> None:
    """Delete an invite with its key."""
    keys.LASTING.delete_key(c, hashed)
    c.execute(delete(invites).where(invites.c.invite == hashed))


def remove_ended(c: Connection, now: int) -> None:
    """Delete all that have ended."""
    for (invite,) in c.execute(select(invites.c.invite).where(invites.c.ends <= now)).all():
        remove(c, invite)
