"""Whether secrets are in octets, in whatever way they are written there."""

import binascii
import re
import zlib
from base64 import b64decode
from collections import defaultdict
from collections.abc import Iterable, Iterator
from urllib.parse import unquote_to_bytes

LEAST = 8
"""Octets of the shortest secret: shorter ones are found by chance."""
_CODECS = ("utf-8", "utf-16-le", "utf-16-be")
_DEEP = 3
"""Ways of writing inside each other: gzip in base64 in JSON."""
_LONGEST = 1 << 20
_HEX = re.compile(rb"[0-9a-fA-F]{16,}")
_BASE64 = re.compile(rb"[0-9A-Za-z+/_-]{11,}")
_DEFLATED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
_ESCAPED = re.compile(rb"(?:\\u[0-9a-fA-F]{4})+")


def views(octets: bytes) -> Iterator[bytes]:
    """The octets as they are, and decoded in every way, at every alignment."""
    seen: set[bytes] = set()
    level = [octets]
    for _ in range(_DEEP):
        inside: list[bytes] = []
        for each in level:
            if len(each) >= LEAST and each not in seen:
                seen.add(each)
                yield each
                inside += _inside(each)
        level = inside


def _inside(octets: bytes) -> Iterator[bytes]:
    if b"%" in octets:
        yield unquote_to_bytes(octets)
    if _ESCAPED.search(octets):
        yield _ESCAPED.sub(lambda found: _unescaped(found[0]), octets)
    for found in _HEX.findall(octets):
        for start in (0, 1):
            even = found[start:]
            yield binascii.unhexlify(even[: len(even) // 2 * 2])
    for found in _BASE64.findall(octets):
        plain = found.translate(bytes.maketrans(b"-_", b"+/"))
        for start in range(4):
            part = plain[start:]
            # One character more than whole groups says nothing; two or three end in the middle of one.
            part = part[:-1] if len(part) % 4 == 1 else part
            yield b64decode(part + b"=" * (-len(part) % 4))
    for begun in _DEFLATED.finditer(octets):
        try:
            yield zlib.decompressobj(47).decompress(octets[begun.start() :], _LONGEST)
        except zlib.error:
            continue


def _unescaped(escapes: bytes) -> bytes:
    units = binascii.unhexlify(escapes.replace(b"\\u", b""))
    return units.decode("utf-16-be", "ignore").encode()


class Secrets:
    """What is to be nowhere. Upper and lower case are the same."""

    def __init__(self, secrets: Iterable[str | bytes] = ()) -> None:
        self._by_beginning: dict[bytes, dict[bytes, bytes]] = defaultdict(dict)
        """Each as it may be written, by how that begins."""
        self._all: set[bytes] = set()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str | bytes) -> None:
        """Raises ValueError for what is too short."""
        forms = [secret.encode(codec) for codec in _CODECS] if isinstance(secret, str) else [secret]
        if len(forms[0]) < LEAST:
            raise ValueError("too short")
        for form in forms:
            low = form.lower()
            self._by_beginning[low[:LEAST]][low] = forms[0].lower()
        self._all.add(forms[0].lower())

    def __len__(self) -> int:
        return len(self._all)

    def found(self, octets: bytes) -> set[bytes]:
        """Those that are in it, in small letters."""
        found: set[bytes] = set()
        beginnings = self._by_beginning
        for view in views(octets):
            low = view.lower()
            for start in range(len(low) - LEAST + 1):
                beginning = low[start : start + LEAST]
                if beginning in beginnings:
                    forms = beginnings[beginning].items()
                    found |= {secret for form, secret in forms if low.startswith(form, start)}
        return found
