"""What is sealed is filled up to a few sizes: it does not tell by its length what it is."""

from safeum_home.client.secure.octets import malformed
from safeum_home.client.secure.refused import Reason, Refused

BUCKETS = (256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768)
"""Sizes of messages, in octets, with what fills them up."""


def padded(plain: bytes, buckets: tuple[int, ...] = BUCKETS) -> bytes:
    """`plain`, 0x80, and zeros up to the next size (ISO/IEC 7816-4); raises `Refused(TOO_LARGE)`."""
    for size in buckets:
        if len(plain) < size:
            return (plain + b"\x80").ljust(size, b"\0")
    raise Refused(Reason.TOO_LARGE)


def unpadded(octets: bytes, buckets: tuple[int, ...] = BUCKETS) -> bytes:
    """What was filled up; raises `Refused(MALFORMED)`."""
    plain = octets.rstrip(b"\0")
    if len(octets) not in buckets or plain[-1:] != b"\x80":
        raise malformed()
    plain = plain[:-1]
    if len(padded(plain, buckets)) != len(octets):
        raise malformed()
    return plain


def padme(size: int) -> int:
    """The size that a file of `size` octets is filled up to: at most 12% more, and few different ones.

    Padmé (Nikitin et al., "Reducing metadata leakage from encrypted files", PoPETs 2019, section 4).
    """
    if size < 256:
        return 256
    exponent = size.bit_length() - 1
    free = exponent - exponent.bit_length()
    mask = (1 << free) - 1
    return (size + mask) & ~mask
