"""An oblivious pseudorandom function: RFC 9497, mode OPRF, suite ristretto255-SHA512.

Who asks learns F(key, input) and nothing of the key; who holds the key learns neither input nor output.
The names are those of the RFC. Pure functions; all raise `ristretto.Unavailable` where the group is missing.
"""

from collections.abc import Sequence
from hashlib import sha512
from typing import NamedTuple

from safeum_home.protocol import ristretto
from safeum_home.protocol.ristretto import Octets

CONTEXT = b"OPRFV1-\x00-ristretto255-SHA512"
"""`contextString` (RFC 9497, section 3.1): mode 0x00."""
OUTPUT = 64
"""Octets of an output."""
_DST = b"HashToGroup-" + CONTEXT
_BLOCK = 128
"""Octets of a block of SHA-512."""


class Blinded(NamedTuple):
    """An input on its way: the scalar stays with who asks, the element is sent."""

    blind: bytes
    element: bytes


def expand_message(message: bytes, domain: bytes) -> bytes:
    """64 uniform octets: `expand_message_xmd` with SHA-512 (RFC 9380, section 5.3.1), in its first block."""
    prime = domain + bytes([len(domain)])
    first = sha512(bytes(_BLOCK) + message + OUTPUT.to_bytes(2, "big") + b"\x00" + prime).digest()
    return sha512(first + b"\x01" + prime).digest()


def hash_to_group(message: bytes) -> bytes:
    """An input as an element that nobody knows the logarithm of (RFC 9497, section 4.1)."""
    return ristretto.from_hash(expand_message(message, _DST))


def blind(message: bytes, scalar: bytes | None = None) -> Blinded:
    """`Blind` (section 3.3.1). `scalar` is given by tests alone: the same one twice gives an input away."""
    scalar = ristretto.random_scalar() if scalar is None else scalar
    return Blinded(scalar, ristretto.multiply(scalar, [hash_to_group(message)])[0])


def blind_evaluate(key: Octets, elements: Sequence[bytes]) -> list[bytes]:
    """`BlindEvaluate` (section 3.3.1) of each element; raises `ristretto.NotAnElement`."""
    return ristretto.multiply(key, elements)


def finalize(message: bytes, scalar: bytes, evaluated: bytes) -> bytes:
    """`Finalize` (section 3.3.1): the output, 64 octets; raises `ristretto.NotAnElement`."""
    return _output(message, ristretto.multiply(ristretto.invert(scalar), [evaluated])[0])


def evaluate(key: Octets, message: bytes) -> bytes:
    """`Evaluate` (section 3.3.1): the output, for who holds both key and input."""
    return _output(message, ristretto.multiply(key, [hash_to_group(message)])[0])


def _output(message: bytes, element: bytes) -> bytes:
    hashed = len(message).to_bytes(2, "big") + message + len(element).to_bytes(2, "big") + element
    return sha512(hashed + b"Finalize").digest()
