"""Records of calls, by month in the order in which they were written."""

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, select

from safeum_home.storage.schema import cdrs


class CdrRow(NamedTuple):
    """`safenum` is a blind index; `sealed` is under the key of the month."""

    month: int
    number: int
    safenum: bytes
    sealed: bytes


_LAST = select(func.max(cdrs.c.number)).where(cdrs.c.month == bindparam("month"))
_BEHIND = (
    select(cdrs)
    .where(cdrs.c.month == bindparam("month"), cdrs.c.number > bindparam("after"))
    .order_by(cdrs.c.number)
    .limit(bindparam("limit"))
)
_MONTHS = select(cdrs.c.month).distinct().order_by(cdrs.c.month)


def add_cdr(c: Connection, month: int, safenum: bytes, seal: Callable[[int], bytes]) -> None:
    """Store a record as the next one of its month; `seal` is given its number."""
    number = int(c.execute(_LAST, {"month": month}).scalar_one() or 0) + 1
    c.execute(cdrs.insert().values(month=month, number=number, safenum=safenum, sealed=seal(number)))


def cdrs_behind(c: Connection, month: int, after: int, limit: int) -> list[CdrRow]:
    asked = {"month": month, "after": after, "limit": limit}
    return [CdrRow(*row) for row in c.execute(_BEHIND, asked)]


def months(c: Connection) -> list[int]:
    """Those of which there are records, the oldest first."""
    return list(c.execute(_MONTHS).scalars())


def drop_month(c: Connection, month: int) -> int:
    """Forget the records of a month; how many there were."""
    return c.execute(delete(cdrs).where(cdrs.c.month == month)).rowcount
