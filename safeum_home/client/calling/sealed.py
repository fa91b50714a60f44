"""Signals between two devices that have agreed on keys: sealed, numbered, and filled up to a few sizes.

    0x04 || number (8, big-endian) || XChaCha20-Poly1305 of what is said

The nonce is 16 zero octets and the number; bound to it are a tag, the call's id, the direction and the
number. Only a number that is greater than the last is taken: what is lost on the way, or late, is lost.
"""

import struct
from typing import NamedTuple

from safeum_home.client.calling.handshake import SEALED, Tampered, octets_of
from safeum_home.client.secret import TAG, Secret
from safeum_home.protocol.signing import encode_octets

SIZES = (256, 1024, 4096, 8192, 16_384)
"""To one of these what is said is filled up: it does not tell by its length what it is."""
_ABOUT = b"safeum call signal v1\0"
_HEAD = 9


class Direction(NamedTuple):
    """Half of a connection: what one of the two says."""

    call: str
    initiator: bool
    """Whose half it is."""

    def about(self, number: int) -> bytes:
        return _ABOUT + self.call.encode("ascii") + (b"\0" if self.initiator else b"\1") + _number(number)


def _number(number: int) -> bytes:
    return struct.pack(">Q", number)


def filled(plain: bytes) -> bytes:
    """`plain`, 0x80, and zeros up to the next size (ISO/IEC 7816-4); raises ValueError past the last."""
    for size in SIZES:
        if len(plain) < size:
            return (plain + b"\x80").ljust(size, b"\0")
    raise ValueError(f"{len(plain)} octets do not fit a signal")


def unfilled(padded: bytes) -> bytes:
    """What was filled up; raises `Tampered`."""
    plain = padded.rstrip(b"\0")
    if len(padded) not in SIZES or plain[-1:] != b"\x80":
        raise Tampered("a signal of no such size")
    return plain[:-1]


class Sealer:
    """Seals what one says. `key` is used for this half alone, so numbers are nonces."""

    def __init__(self, key: Secret, direction: Direction) -> None:
        self._key = key
        self._direction = direction
        self._last = 0

    def seal(self, plain: bytes) -> str:
        """The next signal; raises ValueError for what is too long."""
        padded = filled(plain)
        self._last += 1
        number = _number(self._last)
        sealed = self._key.seal(padded, self._direction.about(self._last), bytes(16) + number)
        return encode_octets(SEALED + number + sealed)


class Opener:
    """Opens what the other says."""

    def __init__(self, key: Secret, direction: Direction) -> None:
        self._key = key
        self._direction = direction
        self._last = 0

    def open(self, signal: str) -> bytes | None:
        """What was said, None of what was there already or is late; raises `Tampered` for all that was not
        said so, to this device."""
        octets = octets_of(signal)
        if octets[:1] != SEALED or len(octets) < _HEAD + TAG:
            raise Tampered("a signal that is not sealed")
        number = int.from_bytes(octets[1:_HEAD], "big")
        plain = self._key.open(octets[_HEAD:], self._direction.about(number), bytes(16) + octets[1:_HEAD])
        if plain is None:
            raise Tampered("a signal that was changed")
        if number <= self._last:
            return None
        self._last = number
        return unfilled(plain)
