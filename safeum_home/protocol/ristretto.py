"""The group ristretto255 (RFC 9496), from the system's libsodium: PyNaCl's copy is built without it.

Elements and scalars are 32 octets in their one canonical form. libsodium's `crypto_scalarmult_ristretto255`
refuses whatever is not the encoding of an element, and the identity; the group's order is a prime, so there
are no small subgroups into which a scalar could leak. Its calls let go of the GIL.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from cffi import FFI

SIZE = 32
IDENTITY = bytes(SIZE)
NAMES = ("libsodium.so.26", "libsodium.so.23", "libsodium.so", "libsodium.dylib", "libsodium.dll")
"""Where the library is looked for: 1.0.18 (2019) or later has the group."""

Octets = bytes | bytearray | memoryview

_ffi = FFI()
_ffi.cdef(
    """
    int sodium_init(void);
    int crypto_core_ristretto255_from_hash(unsigned char *element, const unsigned char *hash);
    void crypto_core_ristretto255_scalar_random(unsigned char *scalar);
    int crypto_core_ristretto255_scalar_invert(unsigned char *inverse, const unsigned char *scalar);
    void crypto_core_ristretto255_scalar_reduce(unsigned char *scalar, const unsigned char *wide);
    int crypto_core_ristretto255_add(
        unsigned char *sum, const unsigned char *first, const unsigned char *second);
    int crypto_scalarmult_ristretto255_base(unsigned char *product, const unsigned char *scalar);
    int crypto_scalarmult_ristretto255(
        unsigned char *product, const unsigned char *scalar, const unsigned char *element);
    """
)


class Unavailable(Exception):
    """There is no libsodium with this group on this machine."""


class NotAnElement(ValueError):
    """These octets are no element of the group, or its identity."""


@cache
def _library() -> Any:
    for name in NAMES:
        try:
            library = _ffi.dlopen(name)
            multiply = library.crypto_scalarmult_ristretto255
        except (OSError, AttributeError):
            continue
        if multiply and library.sodium_init() >= 0:
            return library
    raise Unavailable("no libsodium with ristretto255 is installed")


def available() -> bool:
    """Whether the group can be used here."""
    try:
        return bool(_library())
    except Unavailable:
        return False


def from_hash(uniform: bytes) -> bytes:
    """64 uniform octets as an element (RFC 9496, section 4.3.4). Raises `Unavailable`, as all do here."""
    if len(uniform) != 2 * SIZE:
        raise ValueError("a hash has 64 octets")
    element = _ffi.new("unsigned char[]", SIZE)
    _library().crypto_core_ristretto255_from_hash(element, uniform)
    return bytes(_ffi.buffer(element))


def random_scalar() -> bytes:
    """A uniform scalar that is not zero."""
    scalar = _ffi.new("unsigned char[]", SIZE)
    _library().crypto_core_ristretto255_scalar_random(scalar)
    return bytes(_ffi.buffer(scalar))


def invert(scalar: bytes) -> bytes:
    """The inverse of a scalar; raises ValueError for zero."""
    inverse = _ffi.new("unsigned char[]", SIZE)
    if len(scalar) != SIZE or _library().crypto_core_ristretto255_scalar_invert(inverse, scalar):
        raise ValueError("not a scalar that has an inverse")
    return bytes(_ffi.buffer(inverse))


def multiply(scalar: Octets, elements: Iterable[bytes]) -> list[bytes]:
    """Each element times `scalar`, which is read where it is: no copy of it is made.

    Raises `NotAnElement` at the first that is none.
    """
    library = _library()
    product = _ffi.new("unsigned char[]", SIZE)
    view = _ffi.buffer(product)
    products = []
    # It is let go of here: left to the collector, a view of a view is cleared in the wrong order.
    with _ffi.from_buffer("unsigned char[]", scalar) as factor:
        if len(factor) != SIZE:
            raise ValueError("a scalar has 32 octets")
        for element in elements:
            if len(element) != SIZE or library.crypto_scalarmult_ristretto255(product, factor, element):
                raise NotAnElement("not an element of the group")
            products.append(view[:])
    return products


def multiply_base(scalar: Octets) -> bytes:
    """The generator times a scalar that is not zero."""
    product = _ffi.new("unsigned char[]", SIZE)
    with _ffi.from_buffer("unsigned char[]", scalar) as factor:
        if len(factor) != SIZE or _library().crypto_scalarmult_ristretto255_base(product, factor):
            raise ValueError("not a scalar that leads to an element")
    return bytes(_ffi.buffer(product))


def add(first: bytes, second: bytes) -> bytes:
    """The sum of two elements; raises `NotAnElement`."""
    total = _ffi.new("unsigned char[]", SIZE)
    wrong = len(first) != SIZE or len(second) != SIZE
    if wrong or _library().crypto_core_ristretto255_add(total, first, second):
        raise NotAnElement("not an element of the group")
    return bytes(_ffi.buffer(total))


def reduce(wide: bytes) -> bytes:
    """64 octets, least first, as a scalar: modulo the order of the group."""
    if len(wide) != 2 * SIZE:
        raise ValueError("64 octets are reduced")
    scalar = _ffi.new("unsigned char[]", SIZE)
    _library().crypto_core_ristretto255_scalar_reduce(scalar, wide)
    return bytes(_ffi.buffer(scalar))
