"""Calls that came in and were not taken: of each account in the order in which they came."""

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, select

from safeum_home.storage.schema import missed_calls


class MissedRow(NamedTuple):
    """`account` is a blind index."""

    account: bytes
    number: int
    month: int
    sealed: bytes


_LAST = select(func.max(missed_calls.c.number)).where(missed_calls.c.account == bindparam("account"))
_BEFORE = (
    select(missed_calls)
    .where(missed_calls.c.account == bindparam("account"), missed_calls.c.number < bindparam("before"))
    .order_by(missed_calls.c.number.desc())
    .limit(bindparam("limit"))
)


def add_missed(c: Connection, account: bytes, month: int, seal: Callable[[int], bytes], most: int) -> None:
    """Store one as the last of its account; `seal` is given its number. Beyond `most` the first ones go."""
    number = int(c.execute(_LAST, {"account": account}).scalar_one() or 0) + 1
    row = MissedRow(account, number, month, seal(number))
    c.execute(missed_calls.insert().values(**row._asdict()))
    old = missed_calls.c.account == account, missed_calls.c.number <= number - most
    c.execute(delete(missed_calls).where(*old))


def missed_before(c: Connection, account: bytes, before: int, limit: int) -> list[MissedRow]:
    """Those of before a number, the newest first."""
    asked = {"account": account, "before": before, "limit": limit}
    return [MissedRow(*row) for row in c.execute(_BEFORE, asked)]


def forget_missed(c: Connection, account: bytes) -> None:
    """Delete all of an account."""
    c.execute(delete(missed_calls).where(missed_calls.c.account == account))


def drop_missed(c: Connection, month: int) -> int:
    """Forget those of before a month; how many there were."""
    return c.execute(delete(missed_calls).where(missed_calls.c.month < month)).rowcount
