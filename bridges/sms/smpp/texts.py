"""Texts as octets: the default alphabet of GSM (3GPP TS 23.038 section 6.2.1), unpacked, or UCS2."""

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
_ESCAPE = 0x1B
_OCTETS = {
    **{character: bytes([code]) for code, character in enumerate(_BASIC) if code != _ESCAPE},
    **{character: bytes([_ESCAPE, code]) for character, code in _EXTENSION.items()},
}

DEFAULT_ALPHABET = 0x00
UCS2 = 0x08
"""Values of data_coding (SMPP 3.4 section 5.2.19)."""


def gsm(text: str) -> bytes | None:
    """`text` in the default alphabet, an octet for each septet; None where it has others in it."""
    try:
        return b"".join(_OCTETS[character] for character in text)
    except KeyError:
        return None


def encode(text: str, only_ucs2: bool = False) -> tuple[int, bytes]:
    """The data_coding of a text and its octets; what UCS2 lacks goes as UTF-16, as all telephones take it."""
    octets = None if only_ucs2 else gsm(text)
    if octets is not None:
        return DEFAULT_ALPHABET, octets
    return UCS2, text.encode("utf-16-be", errors="replace")


def fits_one(coding: int, octets: bytes) -> bool:
    """Whether it is one message on the air: 160 septets, or 140 octets."""
    return len(octets) <= (160 if coding == DEFAULT_ALPHABET else 140)
