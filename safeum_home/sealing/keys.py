"""Keys that seal and open without ever being Python objects.

Sealed octets are `version (1) || random nonce (24) || ciphertext || tag (16)`: XChaCha20-Poly1305
(draft-irtf-cfrg-xchacha-03, section 2.3). Nonces of 192 random bits never need to be counted.
"""

import os

from safeum_home.errors import Erased, Tampered
from safeum_home.ports import Key
from safeum_home.sealing.libc import Pointer, ffi, sodium
from safeum_home.sealing.memory import KEY_SIZE, Slot

VERSION = b"\x01"
OVERHEAD = 1 + 24 + 16
"""By how many octets the sealed form is longer."""

_encrypt = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt
_decrypt = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt
_from_buffer = ffi.from_buffer
_NULL = ffi.NULL


# Asking the kernel for each nonce would cost as much as a third of the sealing.
_nonces: list[bytes] = []
# A child would go on with the same ones as its parent.
os.register_at_fork(after_in_child=_nonces.clear)


def _nonce() -> bytes:
    """24 random octets. `list.pop` is atomic: no two threads are ever given the same."""
    while True:
        try:
            return _nonces.pop()
        except IndexError:
            fresh = os.urandom(24 * 64)
            _nonces.extend(fresh[start : start + 24] for start in range(0, len(fresh), 24))


class SealedKey:
    """`ports.Key` over a slot, which it owns. Wipe it on the thread that uses it."""

    __slots__ = ("_pointer", "_slot")

    def __init__(self, slot: Slot) -> None:
        if slot.size != KEY_SIZE:
            raise ValueError("a key has 32 octets")
        self._slot = slot
        self._pointer: Pointer = slot.pointer

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """`context` is authenticated, not stored. Raises `Erased` where the key was wiped."""
        if self._pointer is None:
            raise Erased
        size = len(plaintext)
        nonce = _nonce()
        sealed = bytearray(size + 16)
        _encrypt(
            _from_buffer(sealed), _NULL, plaintext, size, context, len(context), _NULL, nonce, self._pointer
        )
        return VERSION + nonce + sealed

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """The plaintext; raises `Tampered`, or `Erased` where the key was wiped."""
        if len(sealed) < OVERHEAD:
            raise Tampered
        plaintext = bytearray(len(sealed) - OVERHEAD)
        self._open_into(_from_buffer(plaintext), sealed, context)
        return bytes(plaintext)

    def wrap(self, slot: Slot, context: bytes) -> bytes:
        """Seal what a slot holds, without a copy in between."""
        if self._pointer is None:
            raise Erased
        nonce = _nonce()
        sealed = bytearray(slot.size + 16)
        _encrypt(
            _from_buffer(sealed),
            _NULL,
            slot.pointer,
            slot.size,
            context,
            len(context),
            _NULL,
            nonce,
            self._pointer,
        )
        return VERSION + nonce + sealed

    def unwrap(self, sealed: bytes, context: bytes, size: int = KEY_SIZE) -> Slot:
        """Open into a new slot of `size` octets, without a copy in between. Raises as `open` does."""
        if len(sealed) != size + OVERHEAD:
            raise Tampered
        slot = self._slot.arena.slot(size)
        try:
            self._open_into(slot.pointer, sealed, context)
        except Tampered:
            slot.wipe()
            raise
        return slot

    def fresh(self) -> "SealedKey":
        return SealedKey(self._slot.arena.slot().fill_random())

    def seal_key(self, other: Key, context: bytes) -> bytes:
        if not isinstance(other, SealedKey):
            raise TypeError("only keys in locked memory are sealed")
        if other._pointer is None:
            raise Erased
        return self.wrap(other._slot, context)

    def open_key(self, sealed: bytes, context: bytes) -> "SealedKey":
        return SealedKey(self.unwrap(sealed, context))

    def _open_into(self, target: Pointer, sealed: bytes, context: bytes) -> None:
        if self._pointer is None:
            raise Erased
        ciphertext = sealed[25:]
        if sealed[:1] != VERSION or _decrypt(
            target,
            _NULL,
            _NULL,
            ciphertext,
            len(ciphertext),
            context,
            len(context),
            sealed[1:25],
            self._pointer,
        ):
            raise Tampered

    def wipe(self) -> None:
        """Zero the key; twice is harmless."""
        self._pointer = None
        self._slot.wipe()


def derive(parent: Slot, purpose: bytes, size: int = KEY_SIZE, data: bytes = b"") -> Slot:
    """A sub-key: keyed BLAKE2b (RFC 7693) of `data`, personalised by `purpose` (up to 16 octets)."""
    slot = parent.arena.slot(size)
    sodium.crypto_generichash_blake2b_salt_personal(
        slot.pointer, size, data, len(data), parent.pointer, parent.size, _NULL, personal(purpose)
    )
    return slot


def personal(purpose: bytes) -> bytes:
    """`purpose` as BLAKE2b takes it: 16 octets."""
    if len(purpose) > 16:
        raise ValueError("a purpose has at most 16 octets")
    return purpose.ljust(16, b"\0")
