"""What providers' answers over HTTP have in common."""

from email.utils import parsedate_to_datetime

LONGEST_WAIT = 86400.0
"""Seconds; a provider that names a longer one is taken to have meant this."""


def retry_after(text: str | None, now: float) -> float | None:
    """Seconds that `Retry-After` asks for: a number of them, or a date (RFC 9110, section 10.2.3).

    `now` is in seconds since 1970.
    """
    text = (text or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, until - now), LONGEST_WAIT)
