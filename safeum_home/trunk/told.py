"""What Kamailio tells whoever runs it, in lines with a mark: who is there, and what becomes of calls.

Only numbers were looked at by it before; what else comes from outside it writes in hexadecimal digits.
"""

import re
from dataclasses import dataclass
from typing import Literal, cast

from safeum_home.grants.trunk import LAST, EdgeRecord

_PAIR = re.compile(r"([a-z_]+)=([^;]*)")
_ID = re.compile(r"[0-9a-f]{2,256}\Z")
_NUMBER = re.compile(r"\+?[0-9]{0,20}\Z")


@dataclass(frozen=True, slots=True)
class Present:
    """Janus has registered; another `session` than before where it was started anew, or its node was."""

    session: str


@dataclass(frozen=True, slots=True)
class Lost:
    """Janus does not answer."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A call was asked for; it is of a `session` of Janus. `cseq` is that of its INVITE."""

    reference: str
    cseq: int
    session: str


@dataclass(frozen=True, slots=True)
class Answered:
    """It goes on from here as a dialog, which Kamailio finds by two numbers."""

    reference: str
    entry: int
    id: int


Told = Present | Lost | Begun | Answered | EdgeRecord


def read(text: str) -> Told | None:
    """What stands behind the mark; None where it is none of that."""
    word, _, rest = text.partition(" ")
    fields = dict(_PAIR.findall(rest))
    try:
        match word:
            case "session":
                return Present(_hex(fields["id"]))
            case "lost":
                return Lost()
            case "begun":
                return Begun(_hex(fields["id"]), int(fields["cseq"]), _hex(fields["session"]))
            case "answered":
                return Answered(_hex(fields["id"]), int(fields["entry"]), int(fields["number"]))
            case "record":
                return _record(fields)
    except (KeyError, ValueError):
        pass
    return None


def _record(fields: dict[str, str]) -> EdgeRecord:
    direction = fields["direction"]
    if direction not in ("in", "out"):
        raise ValueError(direction)
    began, ended = _milliseconds(fields["began"]), _milliseconds(fields["end_time"])
    code = int(fields["code"] or 0)
    answered = 0 if code else _milliseconds(fields["start_time"])
    return EdgeRecord(
        _hex(fields["id"]),
        cast(Literal["in", "out"], direction),
        _number(fields["caller"]),
        _number(fields["called"]),
        began,
        answered,
        max(ended, began),
        code if 0 <= code < 700 else 0,
    )


def _hex(digits: str) -> str:
    if not _ID.match(digits):
        raise ValueError(digits)
    return bytes.fromhex(digits).decode(errors="replace")[:128]


def _number(text: str) -> str:
    if not _NUMBER.match(text):
        raise ValueError(text)
    return text


def _milliseconds(text: str) -> int:
    """Of seconds, with or without a part behind a point."""
    whole, _, part = text.partition(".")
    found = int(whole) * 1000 + int(part.ljust(3, "0")[:3] or 0)
    if not 0 <= found <= LAST:
        raise ValueError(text)
    return found
