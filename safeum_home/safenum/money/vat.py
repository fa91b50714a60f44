"""Value-added tax: telecommunication is taxed where its customer lives (Directive 2006/112/EC, Article 58).

The rates are data, dated, with their source named in the file; an operator can put another file in place.
Rates are in basis points, hundredths of a per cent. Who lives in no country of the table is charged none.
"""

import csv
import re
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from safeum_home.safenum.money.months import parse_day

STANDARD = "standard"
LARGEST = 256 * 1024
"""Octets of a file that is read."""
_PERCENT = re.compile(r"([0-9]{1,2})(?:\.([0-9]{1,2}))?\Z")
_COUNTRY = re.compile(r"[A-Z]{2}\Z")


class VatTable:
    """The rates of countries, and since when each is in force."""

    def __init__(self, rates: dict[str, list[tuple[int, int]]]) -> None:
        """For each country days, counted from 1970, and rates from then on, in order."""
        self._rates = rates

    @property
    def countries(self) -> list[str]:
        return sorted(self._rates)

    def rate(self, country: str, day: int) -> int:
        """What is charged in a country on a day; before the first day of the table, as on that."""
        dated = self._rates.get(country)
        if not dated:
            return 0
        in_force = [rate for since, rate in dated if since <= day]
        return in_force[-1] if in_force else dated[0][1]


def parse(lines: Iterable[str]) -> VatTable:
    """A table from lines of CSV: `country,from,percent`. Raises ValueError, with the line's number."""
    rates: dict[str, list[tuple[int, int]]] = {}
    numbered = [(number, line) for number, line in enumerate(lines, 1) if not line.startswith("#")]
    rows = csv.reader(line for _, line in numbered)
    if next(rows, None) != ["country", "from", "percent"]:
        raise ValueError("the first line is not country,from,percent")
    for (number, _), row in zip(numbered[1:], rows, strict=False):
        try:
            country, since, percent = row
            day, found = parse_day(since), _PERCENT.match(percent)
        except ValueError:
            raise ValueError(f"line {number}: not a country, a day and a rate") from None
        if found is None or not _COUNTRY.match(country):
            raise ValueError(f"line {number}: not a country, a day and a rate")
        dated = rates.setdefault(country, [])
        if dated and dated[-1][0] >= day:
            raise ValueError(f"line {number}: the days of a country are not in order")
        dated.append((day, int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))))
    return VatTable(rates)


def load(name: str) -> VatTable:
    """That of the package (`standard`), or of a file. Blocks; raises ValueError and OSError."""
    if name == STANDARD:
        text = files("safeum_home.safenum.money").joinpath("vat.csv").read_text(encoding="utf-8")
    else:
        with Path(name).open("rb") as file:
            octets = file.read(LARGEST + 1)
        if len(octets) > LARGEST:
            raise ValueError("the file is too large")
        text = octets.decode("utf-8")
    return parse(text.splitlines())
