"""The ledger's rows: entries, which are only added, and the totals of its accounts."""

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, select

from safeum_home.storage.many import Many
from safeum_home.storage.schema import ledger, ledger_totals


class EntryRow(NamedTuple):
    """`key` is what it was entered for; `sealed` is under the node's key."""

    number: int
    key: bytes
    month: int
    sealed: bytes


_LAST = select(func.max(ledger.c.number))
_ENTERED = select(ledger.c.number).where(ledger.c.key == bindparam("key"))
_ENTRY = select(ledger).where(ledger.c.key == bindparam("key"))
_BEHIND = (
    select(ledger)
    .where(ledger.c.number > bindparam("after"))
    .order_by(ledger.c.number)
    .limit(bindparam("limit"))
)
_OF_MONTH = (
    select(ledger)
    .where(ledger.c.month == bindparam("month"), ledger.c.number > bindparam("after"))
    .order_by(ledger.c.number)
    .limit(bindparam("limit"))
)
_TOTAL = select(ledger_totals.c.sealed).where(ledger_totals.c.name == bindparam("name"))
_PUT_TOTAL = Many(
    "INSERT INTO ledger_totals (name, sealed) {rows}"
    " ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed",
    ("bytea", "bytea"),
)


def last_number(c: Connection) -> int:
    """That of the last entry; 0 where there is none."""
    return c.execute(_LAST).scalar_one() or 0


def entered(c: Connection, key: bytes) -> bool:
    """Whether something was entered for `key`."""
    return c.execute(_ENTERED, {"key": key}).first() is not None


def entry(c: Connection, key: bytes) -> EntryRow | None:
    """What was entered for `key`."""
    row = c.execute(_ENTRY, {"key": key}).first()
    return None if row is None else EntryRow(*row)


def add_entry(c: Connection, row: EntryRow) -> None:
    c.execute(ledger.insert().values(**row._asdict()))


def entries_behind(c: Connection, after: int, limit: int) -> list[EntryRow]:
    return [EntryRow(*row) for row in c.execute(_BEHIND, {"after": after, "limit": limit})]


def entries_of(c: Connection, month: int, after: int, limit: int) -> list[EntryRow]:
    """Those of a month, behind a number."""
    return [EntryRow(*row) for row in c.execute(_OF_MONTH, {"month": month, "after": after, "limit": limit})]


def total(c: Connection, name: bytes) -> bytes | None:
    """An account's total, sealed."""
    sealed: bytes | None = c.execute(_TOTAL, {"name": name}).scalar_one_or_none()
    return sealed


def put_total(c: Connection, name: bytes, sealed: bytes) -> None:
    _PUT_TOTAL.change(c, [(name, sealed)])


def drop_total(c: Connection, name: bytes) -> None:
    c.execute(delete(ledger_totals).where(ledger_totals.c.name == name))


def totals(c: Connection) -> list[tuple[bytes, bytes]]:
    """All accounts of the ledger: index of the name, and what is sealed."""
    return [(row.name, row.sealed) for row in c.execute(select(ledger_totals))]
