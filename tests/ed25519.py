"""Ed25519 signatures that verifiers may disagree on (Chalkias et al., "Taming the many EdDSAs", SSR 2020)."""

from collections.abc import Iterator
from hashlib import sha512
from typing import NamedTuple

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int]
ZERO: Point = (0, 1)


class Case(NamedTuple):
    """A key, octets, and what is to be their signature."""

    name: str
    key: bytes
    octets: bytes
    signature: bytes


def add(one: Point, other: Point) -> Point:
    """On the curve -x^2 + y^2 = 1 + d x^2 y^2."""
    (a, b), (c, d) = one, other
    both = D * a * b * c * d
    return (a * d + b * c) * pow(1 + both, -1, P) % P, (b * d + a * c) * pow(1 - both, -1, P) % P


def times(scalar: int, point: Point) -> Point:
    """The sum of so many."""
    total = ZERO
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point, scalar = add(point, point), scalar >> 1
    return total


def _x(y: int, odd: int) -> int:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert (x * x - square) % P == 0
    return x if x % 2 == odd else -x % P


BASE: Point = (_x(4 * pow(5, -1, P) % P, 0), 4 * pow(5, -1, P) % P)


def _eighth() -> Point:
    """A point of order 8."""
    y = 2
    while True:
        try:
            point = times(ORDER, (_x(y, 0), y))
        except AssertionError:
            point = ZERO
        if times(4, point) != ZERO:
            return point
        y += 1


def written(point: Point) -> bytes:
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _challenge(commitment: bytes, key: bytes, octets: bytes) -> int:
    return int.from_bytes(sha512(commitment + key + octets).digest(), "little") % ORDER


def _case(name: str, key: bytes, secret: int, commitment: bytes, nonce: int, octets: bytes) -> Case:
    s = (nonce + _challenge(commitment, key, octets) * secret) % ORDER
    return Case(name, key, octets, commitment + s.to_bytes(32, "little"))


def cases() -> Iterator[Case]:
    """The first one is good; those after it are what verifiers may disagree on."""
    secret, nonce, eighth = 7**90 % ORDER, 5**100 % ORDER, _eighth()
    key, commitment = times(secret, BASE), times(nonce, BASE)
    good = _case("good", written(key), secret, written(commitment), nonce, b"octets")
    yield good
    s = int.from_bytes(good.signature[32:], "little")
    for many in (1, 2, 7):
        yield good._replace(
            name=f"S and {many} L", signature=good.signature[:32] + (s + many * ORDER).to_bytes(32, "little")
        )
    yield good._replace(
        name="highest bit of S", signature=good.signature[:-1] + bytes([good.signature[-1] | 128])
    )
    small = [written(times(each, eighth)) for each in range(8)]
    twice = [number.to_bytes(32, "little") for number in (P, P + 1, 2**255 - 1)]
    signed = [bytes([*each[:-1], each[-1] | 128]) for each in (written(ZERO), *twice)]
    for each in (*small, *twice, *signed):
        for octets in (bytes([number]) for number in range(8)):
            # The challenge times a key of small order is zero once in so many times.
            yield _case(f"key {each.hex()}", each, 0, written(commitment), nonce, octets)
            yield Case(f"key and R {each.hex()}", each, octets, each + bytes(32))
        yield _case(f"R {each.hex()}", written(key), secret, each, 0, b"octets")
    for torsion in range(1, 8):
        moved = times(torsion, eighth)
        for octets in (bytes([number]) for number in range(16)):
            mixed = written(add(key, moved))
            yield _case(f"key and torsion {torsion}", mixed, secret, written(commitment), nonce, octets)
            yield _case(
                f"R and torsion {torsion}",
                written(key),
                secret,
                written(add(commitment, moved)),
                nonce,
                octets,
            )
