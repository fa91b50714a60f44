"""A verifiable oblivious pseudorandom function: RFC 9497, mode VOPRF, suite ristretto255-SHA512.

As `oprf`, and with each answer comes a proof that it was made with the key that was published: so nobody is
told apart by a key that is his alone. One input at a time. The names are those of the RFC.
"""

from hashlib import sha512
from hmac import compare_digest

from safeum_home.protocol import oprf, ristretto
from safeum_home.protocol.oprf import Blinded, expand_message

CONTEXT = b"OPRFV1-\x01-ristretto255-SHA512"
"""`contextString` (RFC 9497, section 3.1): mode 0x01."""
PROOF = 64
"""Octets of a proof: the challenge and the response."""


class WrongProof(ValueError):
    """This was not made with that key."""


def hash_to_group(message: bytes) -> bytes:
    """An input as an element (RFC 9497, section 4.1)."""
    return ristretto.from_hash(expand_message(message, b"HashToGroup-" + CONTEXT))


def hash_to_scalar(message: bytes) -> bytes:
    """RFC 9497, section 4.1."""
    return ristretto.reduce(expand_message(message, b"HashToScalar-" + CONTEXT))


def blind(message: bytes, scalar: bytes | None = None) -> Blinded:
    """`Blind` (section 3.3.1). `scalar` is given by tests alone."""
    scalar = ristretto.random_scalar() if scalar is None else scalar
    return Blinded(scalar, ristretto.multiply(scalar, [hash_to_group(message)])[0])


def composite(public: bytes, blinded: bytes, evaluated: bytes) -> bytes:
    """The factor of `ComputeComposites` (section 2.2.1) for the one pair of elements that there is."""
    domain = b"Seed-" + CONTEXT
    seed = sha512(_sized(public) + _sized(domain)).digest()
    return hash_to_scalar(_sized(seed) + bytes(2) + _sized(blinded) + _sized(evaluated) + b"Composite")


def challenge(public: bytes, m: bytes, z: bytes, t2: bytes, t3: bytes) -> bytes:
    """What the proof answers to (section 2.2.1)."""
    return hash_to_scalar(b"".join(map(_sized, (public, m, z, t2, t3))) + b"Challenge")


def verify(public: bytes, blinded: bytes, evaluated: bytes, proof: bytes) -> None:
    """`VerifyProof` (section 2.2.2); raises `WrongProof`."""
    c, s = proof[:32], proof[32:]
    try:
        factor = composite(public, blinded, evaluated)
        [m, z] = ristretto.multiply(factor, [blinded, evaluated])
        t2 = ristretto.add(ristretto.multiply_base(s), ristretto.multiply(c, [public])[0])
        t3 = ristretto.add(ristretto.multiply(s, [m])[0], ristretto.multiply(c, [z])[0])
    except ValueError:
        raise WrongProof from None
    if not compare_digest(challenge(public, m, z, t2, t3), c):
        raise WrongProof


def finalize(message: bytes, blinded: Blinded, evaluated: bytes, proof: bytes, public: bytes) -> bytes:
    """`Finalize` (section 3.3.2): the output, 64 octets; raises `WrongProof`."""
    verify(public, blinded.element, evaluated, proof)
    return oprf.finalize(message, blinded.blind, evaluated)


def output(message: bytes, element: bytes) -> bytes:
    """The last step of `Evaluate`: the hash of an input, and of its element times the key."""
    return sha512(_sized(message) + _sized(element) + b"Finalize").digest()


def _sized(octets: bytes) -> bytes:
    return len(octets).to_bytes(2, "big") + octets
