"""Voicemail in words, safe to show: who has called, and how long he spoke."""

from collections.abc import Callable

from safeum_home.client.text import safe
from safeum_home.protocol.voicemail_types import Voicemail


def _as_it_is(number: str) -> str:
    return safe(number)


def caller(body: Voicemail, named: Callable[[str], str] = _as_it_is) -> str:
    """Who has called; `named` may know whose number it is."""
    return "a withheld number" if body.caller is None else named(body.caller)


def length(body: Voicemail) -> str:
    """`0:23`."""
    minutes, seconds = divmod((body.sound.duration or 0) // 1000, 60)
    return f"{minutes}:{seconds:02}"


def voicemail_text(body: Voicemail, now: int | None = None, named: Callable[[str], str] = _as_it_is) -> str:
    """A message of the voicemail chat as a line; `now` is in milliseconds."""
    if now is not None and now >= body.until:
        return f"Voicemail from {caller(body, named)}: it is not kept any more."
    return f"Voicemail from {caller(body, named)} ({length(body)})"
