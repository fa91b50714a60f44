"""The node's Ed25519 key (RFC 8032): it signs without its secret half ever being a Python object."""

from safeum_home.errors import Erased
from safeum_home.sealing.libc import ffi, sodium
from safeum_home.sealing.memory import Slot

SECRET_SIZE = 64
"""libsodium keeps the seed and, behind it, the public key."""
SIGNATURE_SIZE = 64


class Ed25519Signer:
    """`ports.NodeSigner`. The expanded key lies in a slot of the seed's arena; the seed stays its owner's."""

    __slots__ = ("_slot", "public_key")

    def __init__(self, seed: Slot) -> None:
        self._slot = seed.arena.slot(SECRET_SIZE)
        public = bytearray(32)
        sodium.crypto_sign_seed_keypair(ffi.from_buffer(public), self._slot.pointer, seed.pointer)
        self.public_key = bytes(public)

    def sign(self, octets: bytes) -> bytes:
        """The signature, 64 octets; raises `Erased` where the key was wiped."""
        if self._slot.pointer is None:
            raise Erased
        signed = bytearray(SIGNATURE_SIZE + len(octets))
        sodium.crypto_sign(ffi.from_buffer(signed), ffi.NULL, octets, len(octets), self._slot.pointer)
        return bytes(signed[:SIGNATURE_SIZE])

    def wipe(self) -> None:
        """Zero the key; twice is harmless."""
        self._slot.wipe()
