"""Ranges of SafeNUMs, and who has which number."""

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, case, func, select, update

from safeum_home.storage.schema import accounts, numbers, stock

NEVER = 2**62
"""The hour from which on a number may be had that was withdrawn alone: this and the one it would be else."""


class StockRow(NamedTuple):
    stock: int
    state: int
    sealed: bytes


class NumberRow(NamedTuple):
    """`number` and `account` are blind indexes; `free` is the hour from which on anybody may have it.

    0: as long as somebody has it. From `NEVER` on it was withdrawn alone, whoever has it still.
    """

    number: bytes
    account: bytes | None
    stock: int
    free: int
    sealed: bytes


_FIRST = select(stock).where(stock.c.state == bindparam("state")).order_by(stock.c.stock).limit(1)
_FREE = (
    select(numbers)
    .join(stock, stock.c.stock == numbers.c.stock)
    .where(numbers.c.free > 0, numbers.c.free <= bindparam("hour"), stock.c.state != bindparam("without"))
    .order_by(numbers.c.free)
    .limit(1)
)
_OF_ACCOUNT = select(numbers).where(numbers.c.account == bindparam("owner"))
_OWNER = select(numbers.c.account).where(numbers.c.number == bindparam("called"))
_GIVEN = select(numbers.c.stock, func.count()).where(numbers.c.account.is_not(None)).group_by(numbers.c.stock)
_WAITING = (
    select(numbers.c.stock, func.count())
    .where(numbers.c.free > bindparam("hour"), numbers.c.free < NEVER)
    .group_by(numbers.c.stock)
)
_WITHDRAWN = (
    select(numbers.c.stock, func.count())
    .where(numbers.c.free >= NEVER, numbers.c.account.is_(None))
    .group_by(numbers.c.stock)
)
_ONE = select(numbers).where(numbers.c.number == bindparam("called"))
_WITHOUT = (
    select(accounts.c.account)
    .join(numbers, numbers.c.account == accounts.c.account, isouter=True)
    .where(accounts.c.account > bindparam("after"), numbers.c.number.is_(None))
    .order_by(accounts.c.account)
    .limit(bindparam("limit"))
)


def all_stock(c: Connection) -> list[StockRow]:
    """Every range, in the order in which they were loaded."""
    return [StockRow(*row) for row in c.execute(select(stock).order_by(stock.c.stock))]


def first_stock(c: Connection, state: int) -> StockRow | None:
    """The oldest range in a state."""
    row = c.execute(_FIRST, {"state": state}).first()
    return None if row is None else StockRow(*row)


def one_stock(c: Connection, at: int) -> StockRow | None:
    row = c.execute(select(stock).where(stock.c.stock == at)).first()
    return None if row is None else StockRow(*row)


def add_stock(c: Connection, row: StockRow) -> None:
    c.execute(stock.insert().values(**row._asdict()))


def change_stock(c: Connection, row: StockRow) -> None:
    c.execute(update(stock).where(stock.c.stock == row.stock).values(state=row.state, sealed=row.sealed))


def free_number(c: Connection, hour: int, without: int) -> NumberRow | None:
    """The number that has been free for longest, in a range that is in any state but one."""
    row = c.execute(_FREE, {"hour": hour, "without": without}).first()
    return None if row is None else NumberRow(*row)


def number_of(c: Connection, account: bytes) -> NumberRow | None:
    row = c.execute(_OF_ACCOUNT, {"owner": account}).first()
    return None if row is None else NumberRow(*row)


def owner(c: Connection, number: bytes) -> bytes | None:
    """Whose number it is."""
    found: bytes | None = c.execute(_OWNER, {"called": number}).scalar_one_or_none()
    return found


def add_number(c: Connection, row: NumberRow) -> None:
    c.execute(numbers.insert().values(**row._asdict()))


def give(c: Connection, number: bytes, account: bytes) -> None:
    """To an account that has none."""
    c.execute(update(numbers).where(numbers.c.number == number).values(account=account, free=0))


def one(c: Connection, number: bytes) -> NumberRow | None:
    row = c.execute(_ONE, {"called": number}).first()
    return None if row is None else NumberRow(*row)


def change_free(c: Connection, number: bytes, free: int) -> None:
    c.execute(update(numbers).where(numbers.c.number == number).values(free=free))


def without(c: Connection, after: bytes, limit: int) -> list[bytes]:
    """Accounts that have no number, behind an index, in their order."""
    return list(c.execute(_WITHOUT, {"after": after, "limit": limit}).scalars())


def take_back(c: Connection, account: bytes, free: int) -> bool:
    """Whether it had one."""
    since = case((numbers.c.free >= NEVER, NEVER + free), else_=free)
    change = update(numbers).where(numbers.c.account == account).values(account=None, free=since)
    return c.execute(change).rowcount > 0


def given(c: Connection) -> dict[int, int]:
    """How many numbers of each range somebody has."""
    return {row[0]: row[1] for row in c.execute(_GIVEN)}


def waiting(c: Connection, hour: int) -> dict[int, int]:
    """How many of each range are in quarantine."""
    return {row[0]: row[1] for row in c.execute(_WAITING, {"hour": hour})}


def withdrawn(c: Connection) -> dict[int, int]:
    """How many of each range were withdrawn alone, and are nobody's."""
    return {row[0]: row[1] for row in c.execute(_WITHDRAWN)}
