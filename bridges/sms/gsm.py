"""The alphabet of the 7-bit text message (3GPP TS 23.038, section 6.2.1)."""

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = "\f^{}\\[~]|€"
_ALL = frozenset(_BASIC + _EXTENSION)


def is_gsm(text: str) -> bool:
    """Whether `text` can be sent in 7 bits; else it is for UCS-2, which has room for 70 in place of 160."""
    return _ALL.issuperset(text)
