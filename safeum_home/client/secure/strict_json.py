"""JSON in which all readers see the same (RFC 7493): no member twice, whole numbers, texts that are Unicode.

Of two members of a name some readers take the first, and some the last one: one text for some members of a
chat, and another one for others.
"""

import re
from typing import Any

import msgspec

from safeum_home.client.secure.octets import malformed

_FRACTION = re.compile(rb"[0-9][.eE]")


def check(octets: bytes) -> None:
    """Raises `Refused(MALFORMED)`, also of what is no JSON. A microsecond or two for a text."""
    try:
        members = _members(msgspec.json.decode(octets))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise malformed() from None
    bare = _without_strings(octets)
    if bare.count(b":") != members or _FRACTION.search(bare):
        raise malformed()


def _without_strings(octets: bytes) -> bytes:
    """Of JSON: every other piece between its quotation marks, once those are gone that are escaped."""
    return b"".join(octets.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])


def _members(value: Any) -> int:
    """How many there are in objects, and in those within: of two of a name there is one."""
    if isinstance(value, dict):
        return len(value) + sum(map(_members, value.values()))
    return sum(map(_members, value)) if isinstance(value, list) else 0
