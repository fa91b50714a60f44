"""The operator's numbers: loading them, looking at them, withdrawing them. Nobody is named by any of it."""

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection

from safeum_home.damage import undamaged
from safeum_home.ids import RandomBytes
from safeum_home.ports import Key
from safeum_home.safenum.numbers import stock
from safeum_home.safenum.numbers.stock import State, StockRecord
from safeum_home.safenum.numbers.stock_file import MOST_MISTAKES, BadFile, Line
from safeum_home.storage import numbers as rows
from safeum_home.storage.numbers import StockRow

MOST_RANGES = 10_000


class Range(NamedTuple):
    """A range that was loaded, of `size` numbers: `given` have an owner, `quarantined` wait for the next.

    `withdrawn` of them were so alone, and nobody has them.
    """

    first: str
    last: str
    country: str
    capabilities: tuple[str, ...]
    state: State
    size: int
    given: int
    quarantined: int
    withdrawn: int
    left: int


class Loaded(NamedTuple):
    """What a file has brought: ranges and their numbers, and ranges that were withdrawn and are back."""

    ranges: int
    numbers: int
    back: int


class Inventory:
    """Everything runs in a transaction, or a snapshot. `hour` is the present one, since 1970."""

    def __init__(self, key: Key, random: RandomBytes, hour: Callable[[], int]) -> None:
        self._key = key
        self._random = random
        self._hour = hour

    def load(self, c: Connection, lines: list[Line], check: bool) -> Loaded:
        """Add the ranges of a file, all or none; with `check` none. Raises `BadFile`.

        A range that was withdrawn, and is loaded again just as it was, comes back.
        """
        there = self._all(c)
        last = max((row.stock for row in rows.all_stock(c)), default=0)
        # By their first numbers; none overlaps another.
        there.sort(key=lambda each: int(each[1].first))
        mistakes: list[str] = []
        new: list[Line] = []
        back: list[tuple[StockRow, StockRecord]] = []
        at = 0
        for line in lines:
            while at < len(there) and int(there[at][1].last) < int(line.first):
                at += 1
            if at == len(there) or int(there[at][1].first) > int(line.last):
                new.append(line)
                continue
            row, record = there[at]
            if row.state == State.WITHDRAWN and _same(record, line):
                back.append((row, record))
            elif len(mistakes) < MOST_MISTAKES:
                mistakes.append(f"line {line.line}: it has numbers that were loaded before")
        if len(there) + len(new) > MOST_RANGES:
            mistakes.append(f"there would be more than {MOST_RANGES} ranges")
        if mistakes:
            raise BadFile(mistakes)
        loaded = Loaded(len(new), sum(line.size for line in new), len(back))
        if check:
            return loaded
        for number, line in enumerate(new, last + 1):
            record = StockRecord(line.first, line.last, line.country, line.capabilities, self._random(16))
            rows.add_stock(c, StockRow(number, State.OPEN, stock.seal(self._key, record, number)))
        for row, record in back:
            state = State.OPEN if record.drawn < record.count else State.SPENT
            rows.change_stock(c, row._replace(state=state))
        return loaded

    def withdraw(self, c: Connection, number: str) -> bool:
        """Withdraw the range that a number is of; False where there is none."""
        for row, record in self._all(c):
            if record.has(number):
                rows.change_stock(c, row._replace(state=State.WITHDRAWN))
                return True
        return False

    def holding(self, c: Connection, number: str) -> int | None:
        """Which range a number is of; None: it is of none."""
        return next((row.stock for row, record in self._all(c) if record.has(number)), None)

    def ranges(self, c: Connection) -> list[Range]:
        """All, in the order in which they were loaded."""
        counted = rows.given(c), rows.waiting(c, self._hour()), rows.withdrawn(c)
        return [
            _range(row, record, *(counts.get(row.stock, 0) for counts in counted))
            for row, record in self._all(c)
        ]

    def _all(self, c: Connection) -> list[tuple[StockRow, StockRecord]]:
        def opened(row: StockRow) -> tuple[StockRow, StockRecord]:
            return row, stock.unseal(self._key, row.sealed, row.stock)

        return undamaged(rows.all_stock(c), opened, "ranges of numbers")


def _range(row: StockRow, record: StockRecord, given: int, waiting: int, withdrawn: int) -> Range:
    state = State(row.state)
    left = 0 if state is State.WITHDRAWN else record.count - given - waiting - withdrawn
    shown = record.first, record.last, record.country, record.capabilities
    return Range(*shown, state, record.count, given, waiting, withdrawn, left)


def _same(record: StockRecord, line: Line) -> bool:
    return (record.first, record.last, record.country, record.capabilities) == line[1:]
