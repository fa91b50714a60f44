"""Files of numbers: CSV (RFC 4180) in UTF-8, `first,last,country,capabilities`, a range or a number a line.

first,last,country,capabilities
+3544900000,+3544900999,IS,voice-in voice-out
+3545550000,,IS,voice-in voice-out sms
"""

import csv
import io
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, NumberParseException

from safeum_home.ids import is_number
from safeum_home.safenum.numbers.stock import MOST_OF_RANGE

COLUMNS = ["first", "last", "country", "capabilities"]
CAPABILITIES = ("voice-in", "voice-out", "sms")
"""Can be called; may be shown as who calls; takes text messages."""
MOST_LINES = 2_500
MOST_MISTAKES = 20
"""So many are told at once."""


class Line(NamedTuple):
    """A range as a file has it."""

    line: int
    first: str
    last: str
    country: str
    capabilities: tuple[str, ...]

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return int(self.last) - int(self.first) + 1


class BadFile(Exception):
    """`mistakes` are lines for people, each with the number of its line."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__(f"{len(mistakes)} mistakes")
        self.mistakes = list(mistakes)


def parse(text: str) -> list[Line]:
    """The ranges of a file, by their first number; raises `BadFile`. Ranges never overlap. Blocks."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[Line] = []
    mistakes: list[str] = []
    try:
        header = next(reader, [])
        if header != COLUMNS:
            raise BadFile([f"line 1: the columns are {','.join(COLUMNS)}"])
        for row in reader:
            if len(lines) == MOST_LINES:
                mistakes.append(f"line {reader.line_num}: a file has {MOST_LINES} ranges at most; split it")
                break
            try:
                lines.append(_line(reader.line_num, row))
            except ValueError as error:
                mistakes.append(f"line {reader.line_num}: {error}")
            if len(mistakes) >= MOST_MISTAKES:
                break
    except csv.Error as error:
        mistakes.append(f"line {reader.line_num}: {error}")
    lines.sort(key=lambda line: (int(line.first), int(line.last)))
    for before, after in pairwise(lines):
        if len(mistakes) < MOST_MISTAKES and overlap(before.first, before.last, after.first, after.last):
            mistakes.append(f"line {after.line}: it has numbers of line {before.line}")
    if not lines and not mistakes:
        mistakes.append("line 2: there is no number")
    if mistakes:
        raise BadFile(mistakes)
    return lines


def overlap(first: str, last: str, other_first: str, other_last: str) -> bool:
    """Whether two ranges have a number in common."""
    return int(first) <= int(other_last) and int(other_first) <= int(last)


def _line(number: int, row: list[str]) -> Line:
    if len(row) != len(COLUMNS):
        raise ValueError(f"it has {len(row)} fields, not {len(COLUMNS)}")
    first, last, country, words = row
    last = last or first
    for each in (first, last):
        if not is_number(each):
            raise ValueError("a number is written in international form (E.164), as +3544900000")
    if len(first) != len(last) or int(last) < int(first):
        raise ValueError("the last number of a range is behind the first, and as long")
    if int(last) - int(first) >= MOST_OF_RANGE:
        raise ValueError(f"a range has {MOST_OF_RANGE} numbers at most")
    if country not in _countries(first) or country not in _countries(last):
        raise ValueError("the country (two capital letters, or 001 for none) is not that of the number")
    capabilities = tuple(words.split(" "))
    if unknown := [word for word in capabilities if word not in CAPABILITIES]:
        raise ValueError(f"there is no capability {unknown[0][:20]!r}, only {', '.join(CAPABILITIES)}")
    if len(set(capabilities)) != len(capabilities):
        raise ValueError("a capability is there twice")
    if "voice-in" not in capabilities:
        raise ValueError("a number that cannot be called (voice-in) is of no use here")
    return Line(number, first, last, country, capabilities)


def _countries(number: str) -> tuple[str, ...]:
    """Those that share the number's country code (E.164)."""
    try:
        code = phonenumbers.parse(number).country_code
    except NumberParseException:
        return ()
    return COUNTRY_CODE_TO_REGION_CODE.get(code or 0, ())
