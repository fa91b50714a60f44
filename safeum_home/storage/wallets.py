"""What accounts have, what became of it, and what is held for their calls. All is sealed under their keys."""

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, select

from safeum_home.storage.many import Many
from safeum_home.storage.schema import holds, statements, wallets


class LineRow(NamedTuple):
    account: bytes
    number: int
    month: int
    sealed: bytes


class HoldRow(NamedTuple):
    """`hold` and `account` are blind indexes."""

    hold: bytes
    account: bytes
    sealed: bytes


_WALLET = select(wallets.c.sealed).where(wallets.c.account == bindparam("account"))
_PUT_WALLET = Many(
    "INSERT INTO wallets (account, sealed) {rows}"
    " ON CONFLICT (account) DO UPDATE SET sealed = excluded.sealed",
    ("bytea", "bytea"),
)
_LINES = (
    select(statements)
    .where(statements.c.account == bindparam("account"), statements.c.number < bindparam("before"))
    .order_by(statements.c.number.desc())
    .limit(bindparam("limit"))
)
_OF_MONTH = (
    select(statements)
    .where(statements.c.account == bindparam("account"), statements.c.month == bindparam("month"))
    .order_by(statements.c.number)
    .limit(bindparam("limit"))
)
_MONTHS = (
    select(statements.c.month)
    .where(statements.c.account == bindparam("account"))
    .distinct()
    .order_by(statements.c.month.desc())
)
_HOLD = select(holds).where(holds.c.hold == bindparam("hold"))
_HOLDS_BEHIND = (
    select(holds).where(holds.c.hold > bindparam("after")).order_by(holds.c.hold).limit(bindparam("limit"))
)
_PUT_HOLD = Many(
    "INSERT INTO holds (hold, account, sealed) {rows}"
    " ON CONFLICT (hold) DO UPDATE SET sealed = excluded.sealed",
    ("bytea", "bytea", "bytea"),
)


def wallet(c: Connection, account: bytes) -> bytes | None:
    sealed: bytes | None = c.execute(_WALLET, {"account": account}).scalar_one_or_none()
    return sealed


def put_wallet(c: Connection, account: bytes, sealed: bytes) -> None:
    _PUT_WALLET.change(c, [(account, sealed)])


def add_line(c: Connection, row: LineRow) -> None:
    c.execute(statements.insert().values(**row._asdict()))


def lines_before(c: Connection, account: bytes, before: int, limit: int) -> list[LineRow]:
    """The newest lines of before a number, the newest first."""
    asked = {"account": account, "before": before, "limit": limit}
    return [LineRow(*row) for row in c.execute(_LINES, asked)]


def lines_of(c: Connection, account: bytes, month: int, limit: int) -> list[LineRow]:
    """Those of a month, the oldest first."""
    asked = {"account": account, "month": month, "limit": limit}
    return [LineRow(*row) for row in c.execute(_OF_MONTH, asked)]


def months_of(c: Connection, account: bytes) -> list[int]:
    """The months of which there are lines, the newest first."""
    return list(c.execute(_MONTHS, {"account": account}).scalars())


def drop_lines(c: Connection, month: int) -> int:
    """Forget lines of before a month; how many there were."""
    return c.execute(delete(statements).where(statements.c.month < month)).rowcount


def hold(c: Connection, index: bytes) -> HoldRow | None:
    row = c.execute(_HOLD, {"hold": index}).first()
    return None if row is None else HoldRow(*row)


def holds_behind(c: Connection, after: bytes, limit: int) -> list[HoldRow]:
    """Some of all accounts, behind an index, in their order."""
    return [HoldRow(*row) for row in c.execute(_HOLDS_BEHIND, {"after": after, "limit": limit})]


def count_all_holds(c: Connection) -> int:
    """Calls that go on, of all accounts together."""
    return int(c.execute(select(func.count()).select_from(holds)).scalar_one())


def put_hold(c: Connection, row: HoldRow) -> None:
    _PUT_HOLD.change(c, [row])


def drop_hold(c: Connection, index: bytes) -> bool:
    """Whether there was one."""
    return c.execute(delete(holds).where(holds.c.hold == index)).rowcount > 0


def holds_of(c: Connection, account: bytes) -> list[HoldRow]:
    """Those of an account."""
    return [HoldRow(*row) for row in c.execute(select(holds).where(holds.c.account == account))]
