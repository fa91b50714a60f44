"""Characters that terminals disagree on, made certain: a wrong width leaves stale letters all over a screen.

What joins, varies or tints the glyph before it is left out, so that each glyph stands alone; flags become
their letters; spacing vowel signs take a column, as they do for the C library, tmux and xterm. Measured
with glibc 2.36 and tmux 3.3 against the tables of wcwidth.
"""

from unicodedata import category, combining, normalize

from prompt_toolkit.utils import _CHAR_SIZES_CACHE as _WIDTHS

_LEFT_OUT = (
    (0x200D, 0x200D),  # zero width joiner
    (0xFE00, 0xFE0F),  # variation selectors
    (0x1F3FB, 0x1F3FF),  # skin tones
    (0xE0020, 0xE007F),  # tags, of regional flags
    (0xE0100, 0xE01EF),
)
_UNCERTAIN = (
    (0x115F, 0x115F),  # fillers: blank, and letters nevertheless
    (0x2630, 0x2637),
    (0x268A, 0x268F),
    (0x302E, 0x302F),
    (0x3164, 0x3164),
    (0x3248, 0x324F),
    (0xFFA0, 0xFFA0),
    (0x16FF0, 0x16FF1),
    (0x1D300, 0x1D376),
)
_FLAG_A = 0x1F1E6
_MARKS = 4
"""Combining marks that one letter may carry; more of them only paint over other lines."""

_FLAGS = {_FLAG_A + index: chr(ord("A") + index) for index in range(26)}
_UNKNOWN = {each: "\N{REPLACEMENT CHARACTER}" for low, high in _UNCERTAIN for each in range(low, high + 1)}
_TABLE: dict[int, str | None] = {each: None for low, high in _LEFT_OUT for each in range(low, high + 1)}
_TABLE |= _FLAGS | _UNKNOWN
_SHADOW = {each: "\N{ZERO WIDTH NON-JOINER}" for each, become in _TABLE.items() if become is None}
_SHADOW |= _FLAGS | _UNKNOWN


def certain(text: str) -> str:
    """`text` as glyphs whose widths every terminal agrees on."""
    if text.isascii():
        return text
    kept: list[str] = []
    marks = 0
    for char in normalize("NFC", text).translate(_TABLE):
        marks = marks + 1 if combining(char) else 0
        if marks <= _MARKS:
            kept.append(char)
    return "".join(kept)


def shadow(text: str) -> str:
    """The same, character by character, for a line that is being edited."""
    return text if text.isascii() else text.translate(_SHADOW)


def _settle_widths() -> None:
    """Have prompt_toolkit count a column for spacing marks; it takes them for combining ones.

    Its table is the one place that everything which it draws is measured by.
    """
    for code in range(0x0300, 0x1E000):
        if category(chr(code)) == "Mc" and code not in _TABLE:
            _WIDTHS[chr(code)] = 1


_settle_widths()
