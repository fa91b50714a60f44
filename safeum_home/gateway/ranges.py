"""Ranges of octets (RFC 9110 section 14): one at a time."""

import re

from safeum_home.errors import Code, Problem

_RANGE = re.compile(r"bytes\s*=\s*(\d{0,19})\s*-\s*(\d{0,19})\Z", re.I | re.A)


def wanted(field: str | None, condition: str | None, etag: str, size: int) -> tuple[int, int] | None:
    """The first octet that is asked for and the one behind the last; None for all of it.

    `condition` is the field If-Range: where it names another version, all is sent. What is no range, or
    several, is left out of account, as RFC 9110 section 14.2 allows. Raises `range_not_satisfiable`.
    """
    found = None if field is None else _RANGE.match(field.strip())
    if found is None or (condition is not None and condition.strip() != etag):
        return None
    first, last = found.groups()
    if first:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    elif last:
        start, end = max(0, size - int(last)), size
    else:
        return None
    if start >= end:
        raise Problem(Code.RANGE_NOT_SATISFIABLE)
    return start, end
