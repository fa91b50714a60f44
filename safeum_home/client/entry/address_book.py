"""Phone numbers out of what a person has: pasted text, or vCards (RFC 6350, and the older 2.1 and 3.0).

Of a vCard only the lines with TEL are needed: a library for all the rest would be the larger part.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from safeum_home.ids import is_number

LARGEST_FILE = 16 * 1024 * 1024
_WRITTEN = re.compile(r"(?:\+|\b0)[\d \t().\-/\u00a0\u2010-\u2015]{4,}\d")
_FOLD = re.compile(r"\r?\n[ \t]")
_TEL = re.compile(r'^(?:[\w-]+\.)?TEL(?:;(?:[^":]|"[^"]*")*)?:(?:tel:)?([^;x]*)', re.I)
"""Group, parameters (some quoted), and the value up to an extension."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers in E.164, and how many more there were that name no country."""

    numbers: frozenset[str]
    skipped: int


def of_text(text: str) -> Numbers:
    """The numbers in a text."""
    return _of(_WRITTEN.findall(text))


def of_vcards(text: str) -> Numbers:
    """The numbers of the TEL lines of vCards."""
    found = (_TEL.match(line) for line in _FOLD.sub("", text).splitlines())
    return _of([match[1] for match in found if match])


def of_file(path: Path) -> Numbers:
    """The numbers in a file; raises OSError, and ValueError where it is too large."""
    with path.open("rb") as file:
        octets = file.read(LARGEST_FILE + 1)
    if len(octets) > LARGEST_FILE:
        raise ValueError("too large")
    text = octets.decode("utf-8", "replace")
    return of_vcards(text) if "BEGIN:VCARD" in text[:4096].upper() else of_text(text)


def number(text: str) -> str | None:
    """A number as somebody wrote it, in E.164; None where it names no country. `(0)` is not dialled."""
    text = text.replace("(0)", "").strip()
    digits = "".join(re.findall(r"[0-9]", text))
    if text.startswith("+"):
        written = f"+{digits}"
    elif digits.startswith("00"):
        written = f"+{digits[2:]}"
    else:
        return None
    return written if is_number(written) else None


def _of(written: list[str]) -> Numbers:
    numbers = [number(each) for each in written]
    known = frozenset(each for each in numbers if each is not None)
    return Numbers(known, numbers.count(None))
