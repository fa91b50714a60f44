"""Which account has which number: given once, and not again for long after it was taken back.

All of it runs inside the one writer's transactions, so that two accounts are never given the same number,
and no account two.
"""

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection

from safeum_home.damage import undamaged
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Key, Owners
from safeum_home.safenum.numbers import stock
from safeum_home.safenum.numbers.stock import State, StockRecord
from safeum_home.storage import numbers as rows
from safeum_home.storage.numbers import NumberRow, StockRow

HOURS = 3_600_000
"""Milliseconds of one."""


class Owned(NamedTuple):
    """A number that an account has; `capabilities` are of `stock_file.CAPABILITIES`."""

    number: str
    country: str
    capabilities: tuple[str, ...]


class Numbers:
    """`ports.SafeNumbers`, and what gives and takes them. `now` is in milliseconds, `quarantine` in days."""

    def __init__(
        self, key: Key, blinder: Blinder, owners: Owners, quarantine: int, now: Callable[[], int]
    ) -> None:
        self._key = key
        self._blinder = blinder
        self._owners = owners
        self._quarantine = quarantine
        self._now = now

    @property
    def hour(self) -> int:
        """The present one, since 1970."""
        return self._now() // HOURS

    def number_of(self, c: Connection, account: AccountId) -> str | None:
        row = rows.number_of(c, self._blinder.account(account))
        found = undamaged([row] if row else [], self._open, "numbers")
        return found[0] if found else None

    def owned(self, c: Connection, account: AccountId) -> Owned | None:
        """The number with what it can be used for, in a snapshot or a transaction."""
        row = rows.number_of(c, self._blinder.account(account))
        if row is None or (of := rows.one_stock(c, row.stock)) is None:
            return None

        def opened(row: NumberRow) -> Owned:
            record = stock.unseal(self._key, of.sealed, of.stock)
            return Owned(self._open(row), record.country, record.capabilities)

        found = undamaged([row], opened, "numbers")
        return found[0] if found else None

    def owner(self, c: Connection, number: str) -> AccountId | None:
        """Who is called by a number (E.164), in a snapshot; None where nobody is."""
        blind = rows.owner(c, self._blinder.safenum(number))
        found = None if blind is None else self._owners.behind(c, blind)
        return None if found is None else found.account

    def give(self, c: Connection, account: bytes) -> bool:
        """Give one to the account with this blind index, inside a transaction.

        False where it has one already, and where none is left. Numbers that nobody has had yet are the first.
        """
        if rows.number_of(c, account) is not None:
            return False
        while (row := rows.first_stock(c, State.OPEN)) is not None:
            opened = undamaged([row], self._open_stock, "ranges of numbers")
            if opened:
                if self._draw(c, account, row, opened[0]):
                    return True
                continue  # it is spent now: what was left of it was withdrawn
            # Nobody is kept from signing up by it.
            rows.change_stock(c, row._replace(state=State.SPENT))
        if (free := rows.free_number(c, self.hour, State.WITHDRAWN)) is None:
            return False
        rows.give(c, free.number, account)
        return True

    def would_give(self, c: Connection, account: bytes) -> bool:
        """What `give` would answer now, in a snapshot, as far as nothing is damaged."""
        if rows.number_of(c, account) is not None:
            return False
        if rows.first_stock(c, State.OPEN) is not None:
            return True
        return rows.free_number(c, self.hour, State.WITHDRAWN) is not None

    def take_back(self, c: Connection, account: bytes) -> bool:
        """Take its number from the account with this blind index; it is free when the quarantine is over.

        False where it has none.
        """
        # The hour that has begun does not count.
        return rows.take_back(c, account, self.hour + self._quarantine * 24 + 1)

    def forfeit(self, c: Connection, account: bytes) -> None:
        """`ports.Forfeit`: the account is closed."""
        self.take_back(c, account)

    def withdraw(self, c: Connection, number: str, stock_number: int) -> None:
        """Give a number of a range to nobody any more; who has it keeps it."""
        blind = self._blinder.safenum(number)
        if (row := rows.one(c, blind)) is None:
            never = rows.NEVER + self.hour
            rows.add_number(c, NumberRow(blind, None, stock_number, never, self._seal(blind, number)))
        elif row.free < rows.NEVER:
            rows.change_free(c, blind, rows.NEVER + row.free)

    def restore(self, c: Connection, number: str) -> bool:
        """One that was withdrawn alone may be given again, after its quarantine; False where it is none."""
        blind = self._blinder.safenum(number)
        row = rows.one(c, blind)
        if row is None or row.free < rows.NEVER:
            return False
        rows.change_free(c, blind, row.free - rows.NEVER)
        return True

    def _draw(self, c: Connection, account: bytes, row: StockRow, record: StockRecord) -> bool:
        """Give the next number of a range that nobody has had; False where there is none."""
        drawn, given = record.drawn, False
        while drawn < record.count and not given:
            number = record.number(drawn)
            blind, drawn = self._blinder.safenum(number), drawn + 1
            if rows.one(c, blind) is None:  # else it was withdrawn
                rows.add_number(c, NumberRow(blind, account, row.stock, 0, self._seal(blind, number)))
                given = True
        after = StockRecord(
            record.first, record.last, record.country, record.capabilities, record.order, drawn
        )
        state = State.OPEN if drawn < record.count else State.SPENT
        rows.change_stock(c, StockRow(row.stock, state, stock.seal(self._key, after, row.stock)))
        return given

    def _seal(self, blind: bytes, number: str) -> bytes:
        return self._key.seal(number.encode(), _context(blind))

    def _open(self, row: NumberRow) -> str:
        return self._key.open(row.sealed, _context(row.number)).decode()

    def _open_stock(self, row: StockRow) -> StockRecord:
        return stock.unseal(self._key, row.sealed, row.stock)


def _context(number: bytes) -> bytes:
    return b"number\0" + number
