"""Marked values, and the search for them in whatever form they may have been written down."""

import json
import random
import string
from base64 import b32encode, b64encode, urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

_CYRILLIC = "абвгдежзиклмнопрстуфхцчшщэюя"
_ZEROS = bytes(4096)


def forms(value: str | bytes) -> Iterator[tuple[str, bytes]]:
    """Every form in which a value is looked for: its name, and the octets."""
    octets = value.encode() if isinstance(value, str) else value
    yield "plain", octets
    yield "hex", octets.hex().encode()
    yield "upper-case hex", octets.hex().upper().encode()
    yield "base32", b32encode(octets)[: len(octets) * 8 // 5]
    for offset, skipped in ((0, 0), (1, 2), (2, 3)):
        # Wherever it begins within a text; the characters at both ends depend on its neighbours.
        whole = (offset + len(octets)) * 8 // 6
        for encode in (b64encode, urlsafe_b64encode):
            yield f"base64 at {offset}", encode(bytes(offset) + octets)[skipped:whole]
    yield "as Python shows octets", repr(octets)[2:-1].encode()
    if isinstance(value, str):
        yield "UTF-16, little-endian", value.encode("utf-16-le")
        yield "UTF-16, big-endian", value.encode("utf-16-be")
        yield "UTF-32", value.encode("utf-32-le")
        escaped = json.dumps(value)[1:-1]
        yield "JSON", escaped.encode()
        yield "JSON, upper-case", escaped.upper().replace("\\U", "\\u").encode()
        yield "JSON in JSON", json.dumps(escaped)[1:-1].encode()
        yield "a URL", quote(value).encode()
        yield "reversed", value[::-1].encode()


class Canaries:
    """What must not be found anywhere."""

    def __init__(self) -> None:
        self._sought: dict[bytes, str] = {}
        self._random = random.SystemRandom()

    def __len__(self) -> int:
        return len(self._sought)

    def add(self, name: str, value: str | bytes) -> None:
        """Look for `value`, which should be long enough to be nowhere by chance."""
        assert len(value) >= 8, name
        for form, octets in forms(value):
            self._sought.setdefault(octets, f"{name} ({form})")

    def word(self, name: str, letters: str = string.ascii_lowercase + "234567", size: int = 16) -> str:
        """A new random word, which is looked for."""
        made = "".join(self._random.choices(letters, k=size))
        self.add(name, made)
        return made

    def text(self, name: str) -> str:
        """A new text with two marks: one in ASCII; one that is not, which encodings change."""
        return f'a "{self.word(name)}"\n{self.word(name + ", not ASCII", _CYRILLIC)} / \\ \u2713'

    def in_octets(self, octets: bytes) -> list[str]:
        """What is found."""
        octets = octets.replace(_ZEROS, b"")
        return [name for sought, name in self._sought.items() if sought in octets]

    def under(self, folder: Path, since: float = 0.0) -> list[str]:
        """What is found in the files of a folder that were changed after `since`, or in their names."""
        found = self.in_octets("\n".join(str(path) for path in folder.rglob("*")).encode())
        for path in folder.rglob("*"):
            if path.is_file() and path.stat().st_mtime >= since:
                found += [f"{path.relative_to(folder)}: {name}" for name in self.in_octets(path.read_bytes())]
        return found
