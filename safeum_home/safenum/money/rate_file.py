"""Rate tables as files: CSV in UTF-8. All that is wrong with one is found at once, by lines."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from safeum_home.config_safenum import DESTINATIONS
from safeum_home.safenum.money import amounts
from safeum_home.safenum.money.months import day_text, parse_day
from safeum_home.safenum.money.rating import Rate

LARGEST = 16 * 1024 * 1024
"""Octets of a file."""
MOST_RATES = 100_000
MOST_TOLD = 100
"""Faults that are told; of the others, how many there are."""
DEAREST = 1_000 * amounts.MICRO
"""No price is above this: it would be a slip."""
COLUMNS = (
    "prefix",
    "destination",
    "class",
    "from",
    "until",
    "currency",
    "connection_fee",
    "price_per_minute",
    "first_increment",
    "increment",
)
COST = "cost_per_minute"
_PREFIX = re.compile(r"\+?([1-9][0-9]{0,14})\Z")
_SECONDS = re.compile(r"[1-9][0-9]{0,3}\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LONGEST_NAME = 64


class Fault(NamedTuple):
    """What is wrong with a line, counted from 1."""

    line: int
    text: str


class Checked(NamedTuple):
    """The rates of a file or, where it is none, its first faults in the order of lines; and how many more."""

    rates: list[Rate]
    faults: list[Fault]
    more: int = 0


class _Row(NamedTuple):
    line: int
    rate: Rate


def read(octets: bytes, currency: str) -> Checked:
    """What a file says. It may take a second: not for the reactor's thread."""
    if len(octets) > LARGEST:
        return Checked([], [Fault(1, f"the file is larger than {LARGEST} octets")])
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        return Checked([], [Fault(line, "this is not UTF-8")])
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[_Row] = []
    faults: list[Fault] = []
    try:
        for line, fields in _rows(reader, faults):
            if len(rows) == MOST_RATES:
                faults.append(Fault(line, f"there are more than {MOST_RATES} rates"))
                break
            try:
                rows.append(_Row(line, _rate(fields, currency)))
            except ValueError as error:
                faults.append(Fault(line, str(error)))
    except csv.Error as error:
        faults.append(Fault(max(reader.line_num, 1), f"this is not CSV: {error}"))
    faults.extend(_dates(rows))
    if not rows and not faults:
        faults.append(Fault(1, "there are no rates"))
    faults.sort()
    if faults:
        return Checked([], faults[:MOST_TOLD], max(len(faults) - MOST_TOLD, 0))
    return Checked([row.rate for row in rows], [])


def _rows(reader: Iterator[list[str]], faults: list[Fault]) -> Iterator[tuple[int, list[str]]]:
    """The fields of each line below the first, with the line's number: all columns, also that of the cost."""
    header = next(reader, [])
    if tuple(header) not in (COLUMNS, (*COLUMNS, COST)):
        faults.append(Fault(1, f"the first line is not {','.join(COLUMNS)}, with or without ,{COST}"))
        return
    line = 1
    for fields in reader:
        # A field in quotes may hold line ends: the number is that of where the row begins.
        first, line = line + 1, reader.line_num  # type: ignore[attr-defined]  # it is a csv.reader
        if not fields:
            continue
        if len(fields) != len(header):
            faults.append(Fault(first, f"there are {len(fields)} fields, and not {len(header)}"))
            continue
        yield first, fields if len(header) > len(COLUMNS) else [*fields, ""]


def _rate(fields: Sequence[str], currency: str) -> Rate:
    """Raises ValueError, with all that is wrong with a row."""
    prefix, name, kind, begins, until, told, fee, minute, first, step, cost = fields
    wrong: list[str] = []
    digits = _prefix(prefix, wrong)
    if not 0 < len(name) <= _LONGEST_NAME or _CONTROL.search(name):
        wrong.append(f"destination: 1 to {_LONGEST_NAME} characters")
    if kind not in DESTINATIONS:
        wrong.append(f"class: one of {', '.join(DESTINATIONS)}")
    starts, ends = _day(begins, "from", wrong), _day(until, "until", wrong) if until else None
    if ends is not None and ends <= starts:
        wrong.append("until: not after from")
    if told != currency:
        wrong.append(f"currency: not {currency}")
    paid, per_minute = _price(fee, COLUMNS[6], wrong), _price(minute, COLUMNS[7], wrong)
    own_cost = _price(cost or "0", COST, wrong)
    begun, further = _seconds(first, COLUMNS[8], wrong), _seconds(step, COLUMNS[9], wrong)
    if wrong:
        raise ValueError("; ".join(wrong))
    return Rate(digits, name, kind, starts, ends, currency, paid, per_minute, begun, further, own_cost)


def _prefix(text: str, wrong: list[str]) -> str:
    found = _PREFIX.match(text)
    if found is None:
        wrong.append("prefix: 1 to 15 digits of an international number")
        return ""
    digits = found[1]
    if not any(int(digits[:length]) in COUNTRY_CODE_TO_REGION_CODE for length in (1, 2, 3)):
        wrong.append(f"prefix: there is no country code in {digits}")
    return digits


def _day(text: str, column: str, wrong: list[str]) -> int:
    try:
        return parse_day(text)
    except ValueError:
        wrong.append(f"{column}: not a day, as 2026-01-31")
        return 0


def _price(text: str, column: str, wrong: list[str]) -> int:
    if text.startswith("-"):
        wrong.append(f"{column}: below zero")
        return 0
    try:
        amount = amounts.parse(text)
    except ValueError:
        wrong.append(f"{column}: not an amount, as 0.0125, with up to six decimals")
        return 0
    if amount > DEAREST:
        wrong.append(f"{column}: above {amounts.written(DEAREST)}")
    return amount


def _seconds(text: str, column: str, wrong: list[str]) -> int:
    if not _SECONDS.match(text) or int(text) > 3600:
        wrong.append(f"{column}: 1 to 3600 seconds")
        return 1
    return int(text)


def _dates(rows: list[_Row]) -> Iterator[Fault]:
    """Rates of a prefix follow each other without a gap, and the last one has no end."""
    by_prefix: dict[str, list[_Row]] = {}
    for row in rows:
        by_prefix.setdefault(row.rate.prefix, []).append(row)
    for prefix, dated in by_prefix.items():
        dated.sort(key=lambda row: (row.rate.begins, row.line))
        for before, row in pairwise(dated):
            ends = before.rate.ends
            if row.rate == before.rate:
                yield Fault(row.line, f"{prefix}: the same as line {before.line}")
            elif ends is None or ends > row.rate.begins:
                yield Fault(row.line, f"{prefix}: overlaps line {before.line}")
            elif ends < row.rate.begins:
                gap = f"{day_text(ends)} and {day_text(row.rate.begins)}"
                yield Fault(row.line, f"{prefix}: nothing is in force between {gap} (line {before.line})")
        last = dated[-1]
        if last.rate.ends is not None:
            since = day_text(last.rate.ends)
            yield Fault(last.line, f"{prefix}: nothing is in force from {since} on: leave `until` empty")
