"""Names of files: our own made fit to be sent, others' made safe before they touch a disk."""

import mimetypes
import re
import unicodedata
from pathlib import Path

from safeum_home.protocol.files import OCTETS_TYPE

LONGEST = 120
"""Octets of a name on a disk: most file systems take 255, and something may be added."""
_PARTS = re.compile(r"[/\\\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|\Z)")
_KINDS = {**dict.fromkeys(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"), "_"), "Zs": " "}
"""What stands for characters of these general categories (Unicode)."""
_RESERVED = re.compile(r'[<>:"|?*]')


def sendable(name: str) -> str:
    """A file's own name, as a message takes it."""
    fit = _PARTS.sub("_", name)[:255]
    return fit if fit.strip(". ") else "file"


def type_of(name: str) -> str:
    """The media type that a name suggests."""
    return mimetypes.guess_type(name, strict=False)[0] or OCTETS_TYPE


def storable(name: str) -> str:
    """A name from somebody else, for a file in a folder of ours.

    No path, no control or invisible character, nothing hidden, nothing that a shell or another system takes
    for something else at its beginning or end; never empty, and not too long.
    """
    kept = "".join(
        _KINDS.get(unicodedata.category(char), char) for char in unicodedata.normalize("NFC", name)
    )
    kept = _RESERVED.sub("_", _PARTS.sub("_", kept)).strip(" .-~")
    if _DEVICES.match(kept):
        kept = f"_{kept}"
    stem, dot, end = kept.rpartition(".")
    if not dot or len(end.encode()) > 16:
        stem, dot, end = kept, "", ""
    room = LONGEST - len(dot + end)
    if len(stem.encode()) > room:
        stem = stem.encode()[:room].decode(errors="ignore").rstrip(" .")
    return f"{stem}{dot}{end}" if stem else f"file{dot}{end}"


def free(folder: Path, name: str) -> Path:
    """Where a file of this name can be stored without replacing one: `name`, `name (2)`, …"""
    path, number = folder / name, 2
    while path.exists() or path.is_symlink():
        stem, dot, end = name.rpartition(".")
        path = folder / (f"{stem} ({number}).{end}" if dot and stem else f"{name} ({number})")
        number += 1
    return path
