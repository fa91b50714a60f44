"""Rows that cannot be opened any more, through a damaged disk or somebody's hand: the rest stays readable."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from twisted.logger import Logger

from safeum_home.errors import Tampered

R = TypeVar("R")
T = TypeVar("T")
_log = Logger()


def undamaged(rows: Iterable[R], open_row: Callable[[R], T], what: str) -> list[T]:
    """What `open_row` makes of each row, without those for which it raises `Tampered`.

    How many of `what` were left out is logged, and nothing else: it is for the operator to look at the disk.
    """
    opened, damaged = [], 0
    for row in rows:
        try:
            opened.append(open_row(row))
        except Tampered:
            damaged += 1
    if damaged:
        _log.error("{damaged} {what} cannot be opened and were left out.", damaged=damaged, what=what)
    return opened
