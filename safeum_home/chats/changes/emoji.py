"""What counts as an emoji: one of those that Unicode recommends for interchange (UTS #51, ED-27)."""

from functools import cache

from emoji import EMOJI_DATA, STATUS

from safeum_home.errors import Code, Problem

_SELECTOR = "\ufe0f"


@cache
def _qualified() -> dict[str, str]:
    """All of them, fully qualified, by what is left without presentation selectors."""
    return {
        text.replace(_SELECTOR, ""): text
        for text, about in EMOJI_DATA.items()
        if about["status"] == STATUS["fully_qualified"]
    }


def one_emoji(text: str) -> str:
    """An emoji in its fully qualified form, so that the same one is counted once; raises `invalid_emoji`."""
    found = _qualified().get(text.replace(_SELECTOR, ""))
    if found is None:
        raise Problem(Code.INVALID_EMOJI)
    return found
