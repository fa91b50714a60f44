"""Files of messages, and sizes, as text for people."""

from safeum_home.client.words.text import length, safe
from safeum_home.protocol.files import File

_UNITS = ("B", "KB", "MB", "GB", "TB")


def size_text(octets: int) -> str:
    """`3.4 MB`: powers of 1000, as disks are sold."""
    value, unit = float(octets), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{octets} B" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"


def file_text(body: File) -> str:
    """A file as a line, and its caption below it; safe to show."""
    lasts = "" if body.duration is None else f", {length(body.duration / 1000)}"
    shown = f"File: {safe(body.name)} ({safe(body.type)}, {size_text(body.size)}{lasts})"
    caption = safe(body.caption, newlines=True)
    return f"{shown}\n{caption}" if caption else shown
