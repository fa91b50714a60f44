"""Numbers as people type them: of a list that was shown, of hours. Anything else may stand there as well."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
MOST_DIGITS = 6


def number_in(text: str) -> int | None:
    """The number that a text is; None where it is none, or a very large one."""
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else None


def chosen(text: str, listed: Sequence[T]) -> T | None:
    """What a text means as a number of a list, which begins with 1; None where it is no such number."""
    number = number_in(text)
    return listed[number - 1] if number is not None and 0 < number <= len(listed) else None
