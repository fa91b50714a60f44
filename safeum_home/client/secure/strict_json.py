"""JSON in which all readers see the same (RFC 7493): no member twice, whole numbers, texts that are Unicode.

Of two members of a name some readers take the first, and some the last one: one text for some members of a
chat, and another one for others. How deep they read, and how long a number may be, differs as well.
"""

import re
from itertools import repeat
from typing import Any

import msgspec

from safeum_home.client.secure.octets import malformed

DEEPEST = 32
"""How many objects and lists may stand in each other."""
_INEXACT = re.compile(rb"[0-9](?:[.eE]|[0-9]{16})")
"""A fraction, an exponent, or more than 16 digits."""


def check(octets: bytes) -> None:
    """Raises `Refused(MALFORMED)`, also of what is no JSON. A microsecond or two for a text."""
    try:
        members = _members(msgspec.json.decode(octets), DEEPEST)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise malformed() from None
    bare = _without_strings(octets)
    if bare.count(b":") != members or _INEXACT.search(bare):
        raise malformed()


def _without_strings(octets: bytes) -> bytes:
    """Of JSON: every other piece between its quotation marks, once those are gone that are escaped."""
    return b"".join(octets.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])


def _members(value: Any, depth: int) -> int:
    """How many there are in objects, and in those within: of two of a name there is one."""
    if isinstance(value, dict):
        named, value = len(value), value.values()
    elif isinstance(value, list):
        named = 0
    else:
        return 0
    if not depth:
        raise malformed()
    return named + sum(map(_members, value, repeat(depth - 1)))
