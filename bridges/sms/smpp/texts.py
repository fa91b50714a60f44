"""Texts as octets: the default alphabet of GSM, unpacked, or UCS2."""

from bridges.sms.gsm import unpacked

DEFAULT_ALPHABET = 0x00
UCS2 = 0x08
"""Values of data_coding (SMPP 3.4 section 5.2.19)."""


def encode(text: str, only_ucs2: bool = False) -> tuple[int, bytes]:
    """The data_coding of a text and its octets; what UCS2 lacks goes as UTF-16, as all telephones take it."""
    octets = None if only_ucs2 else unpacked(text)
    if octets is not None:
        return DEFAULT_ALPHABET, octets
    return UCS2, text.encode("utf-16-be", errors="replace")


def fits_one(coding: int, octets: bytes) -> bool:
    """Whether it is one message on the air: 160 septets, or 140 octets."""
    return len(octets) <= (160 if coding == DEFAULT_ALPHABET else 140)
