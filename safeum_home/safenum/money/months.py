"""Months and days of the calendar (UTC), as whole numbers: rows are kept, swept and invoiced by them."""

import re
from calendar import monthrange
from datetime import UTC, date, datetime

DAY = 24 * 60 * 60 * 1000
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])\Z")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_EPOCH = date(1970, 1, 1)


def month_of(at: int) -> int:
    """The month, counted from year 0, of a moment in milliseconds."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return moment.year * 12 + moment.month - 1


def month_text(month: int) -> str:
    """As `2026-11`."""
    return f"{month // 12:04}-{month % 12 + 1:02}"


def parse_month(text: str) -> int:
    """What `2026-11` says; raises ValueError."""
    found = _MONTH.match(text)
    if found is None:
        raise ValueError("not a month")
    return int(found[1]) * 12 + int(found[2]) - 1


def day_of(at: int) -> int:
    """The day, counted from 1970, of a moment in milliseconds."""
    return at // DAY


def day_text(day: int) -> str:
    """As `2026-11-29`."""
    return date.fromordinal(_EPOCH.toordinal() + day).isoformat()


def parse_day(text: str) -> int:
    """What `2026-11-29` says; raises ValueError."""
    if not _DAY.match(text):
        raise ValueError("not a day")
    return date.fromisoformat(text).toordinal() - _EPOCH.toordinal()


def months_later(at: int, months: int) -> int:
    """The same day and time so many months after a moment (milliseconds); the month's last day at most."""
    moment = datetime.fromtimestamp(at // 1000, UTC)
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, monthrange(year, month + 1)[1])
    return int(moment.replace(year=year, month=month + 1, day=day).timestamp()) * 1000 + at % 1000
