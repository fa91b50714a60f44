"""The alphabet of the 7-bit text message (3GPP TS 23.038, section 6.2.1)."""

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


def unpacked(text: str) -> bytes | None:
    """`text`, an octet for each septet; None where it has characters of no place in the alphabet."""
    try:
        return b"".join(_OCTETS[character] for character in text)
    except KeyError:
        return None


def is_gsm(text: str) -> bool:
    """Whether `text` can be sent in 7 bits; else it is for UCS-2, which has room for 70 in place of 160."""
    return unpacked(text) is not None
