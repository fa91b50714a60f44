"""Calls as the edge towards a carrier has seen them, by month."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, select

from safeum_home.storage.many import Many
from safeum_home.storage.schema import edge_records


class EdgeRow(NamedTuple):
    """`record` is a blind index of a call; `sealed` is under the key of the month."""

    month: int
    record: bytes
    sealed: bytes


_BEHIND = (
    select(edge_records)
    .where(edge_records.c.month == bindparam("month"), edge_records.c.record > bindparam("after"))
    .order_by(edge_records.c.record)
    .limit(bindparam("limit"))
)
_MONTHS = select(edge_records.c.month).distinct().order_by(edge_records.c.month)
_PUT = Many(
    "INSERT INTO edge_records (month, record, sealed) {rows} ON CONFLICT (month, record) DO NOTHING",
    ("bigint", "bytea", "bytea"),
)


def put_edge_records(c: Connection, rows: Sequence[EdgeRow]) -> None:
    """Store records; those that are there already are left as they are."""
    _PUT.change(c, rows)


def edge_records_behind(c: Connection, month: int, after: bytes, limit: int) -> list[EdgeRow]:
    asked = {"month": month, "after": after, "limit": limit}
    return [EdgeRow(*row) for row in c.execute(_BEHIND, asked)]


def edge_months(c: Connection) -> list[int]:
    """Those of which there are records, the oldest first."""
    return list(c.execute(_MONTHS).scalars())


def drop_edge_month(c: Connection, month: int) -> None:
    c.execute(delete(edge_records).where(edge_records.c.month == month))
