"""Private keys: in libsodium's guarded heap, where they are no Python objects and can be wiped.

That heap is locked where the system allows it, left out of core dumps, and zeroed when it is freed. Where
PyNaCl does not show it, as on systems whose libraries name all that they export, it is memory that is zeroed.
"""

from typing import Any

import nacl._sodium
from cffi import FFI
from nacl.utils import random

_ffi, _sodium = nacl._sodium.ffi, nacl._sodium.lib
if _sodium.sodium_init() < 0:
    raise ImportError("libsodium does not initialise")
_own = FFI()
_own.cdef("void *sodium_malloc(size_t size); void sodium_free(void *pointer);")


def _find_heap() -> Any:
    try:
        heap = _own.dlopen(nacl._sodium.__file__)
        return heap if heap.sodium_malloc and heap.sodium_free else None
    except (OSError, AttributeError):
        return None


_heap = _find_heap()

KEY = 32
NONCE = 24
TAG = 16
"""Octets that sealing adds."""
BOX = 48
"""Octets that a sealed box adds."""


class Wiped(Exception):
    """The key is no more."""


class Secret:
    """A private key of `size` octets. Its own methods alone see it; after `wipe` they raise `Wiped`."""

    __slots__ = ("_freed", "_home", "_size")

    def __init__(self, size: int = KEY) -> None:
        self._home: Any = None
        """An `unsigned char *` of PyNaCl's own kind; None once it was wiped."""
        self._size = size
        self._freed = _heap is not None
        if _heap is None:
            self._home = _ffi.new("unsigned char[]", size)
            return
        home = _heap.sodium_malloc(size)
        if not home:
            raise MemoryError
        self._home = _ffi.cast("unsigned char *", int(_own.cast("uintptr_t", home)))

    @classmethod
    def random(cls) -> "Secret":
        """A new key for X25519."""
        secret = cls()
        _sodium.randombytes(secret._at, KEY)
        return secret

    @classmethod
    def of(cls, octets: bytes) -> "Secret":
        """A key that is known; for vectors and tests."""
        secret = cls(len(octets))
        _ffi.memmove(secret._at, octets, len(octets))
        return secret

    @property
    def _at(self) -> Any:
        if self._home is None:
            raise Wiped
        return self._home

    @property
    def wiped(self) -> bool:
        return self._home is None

    def wipe(self) -> None:
        """Zero it. Twice is harmless."""
        home, self._home = self._home, None
        if home is None:
            return
        _sodium.sodium_memzero(home, self._size)
        if self._freed:
            _heap.sodium_free(_own.cast("void *", int(_ffi.cast("uintptr_t", home))))

    def __del__(self) -> None:
        self.wipe()

    # --- X25519 (RFC 7748)

    def public(self) -> bytes:
        """The public key of this one."""
        out = _ffi.new("unsigned char[]", KEY)
        _sodium.crypto_scalarmult_base(out, self._at)
        return bytes(_ffi.buffer(out, KEY))

    def agree(self, public: bytes) -> "Secret":
        """What both come to; raises ValueError for a key of small order (RFC 7748, section 6.1)."""
        shared = Secret()
        if len(public) != KEY or _sodium.crypto_scalarmult(shared._at, self._at, public):
            shared.wipe()
            raise ValueError("no secret can be agreed on with this key")
        return shared

    def open_box(self, sealed: bytes, public: bytes) -> "Secret | None":
        """The key in a sealed box (`crypto_box_seal`) to `public`, which is the public key of this one.

        None where it is none, or is for somebody else.
        """
        if len(sealed) != KEY + BOX:
            return None
        key = Secret()
        if _sodium.crypto_box_seal_open(key._at, sealed, len(sealed), public, self._at):
            key.wipe()
            return None
        return key

    def box(self, public: bytes) -> bytes:
        """This key in a sealed box to `public`: 80 octets. Raises ValueError for a key of small order."""
        out = _ffi.new("unsigned char[]", self._size + BOX)
        if len(public) != KEY or _sodium.crypto_box_seal(out, self._at, self._size, public):
            raise ValueError("nothing can be sealed to this key")
        return bytes(_ffi.buffer(out, self._size + BOX))

    # --- Argon2id (RFC 9106)

    @classmethod
    def stretched(cls, passphrase: bytearray, salt: bytes, passes: int, memory: int) -> "Secret":
        """What follows from a passphrase; `memory` in octets. Takes its time: not for a reactor's thread."""
        key, given = cls(), _ffi.from_buffer("char[]", passphrase)
        argon2id = _sodium.crypto_pwhash_alg_argon2id13()
        if _sodium.crypto_pwhash(key._at, KEY, given, len(passphrase), salt, passes, memory, argon2id):
            key.wipe()
            raise MemoryError
        return key

    # --- BLAKE2b (RFC 7693), keyed with this secret

    def derive(self, message: bytes, person: bytes, into: "Secret | None" = None) -> "Secret":
        """A key that follows from this one; `into` one that there is, in place of a new one."""
        key = Secret() if into is None else into
        self._hash(key._at, KEY, message, person)
        return key

    def digest(self, message: bytes, person: bytes, size: int) -> bytes:
        """Octets that follow from this one, and may be seen."""
        out = _ffi.new("unsigned char[]", size)
        self._hash(out, size, message, person)
        return bytes(_ffi.buffer(out, size))

    def _hash(self, out: Any, size: int, message: bytes, person: bytes) -> None:
        assert len(person) <= 16
        personal, salt = person.ljust(16, b"\0"), bytes(16)
        _sodium.crypto_generichash_blake2b_salt_personal(
            out, size, message, len(message), self._at, self._size, salt, personal
        )

    # --- XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha)

    def seal(self, plain: bytes, about: bytes, nonce: bytes) -> bytes:
        """`plain` encrypted, and bound to `about`. No nonce is ever used twice."""
        assert len(nonce) == NONCE
        out, size = _ffi.new("unsigned char[]", len(plain) + TAG), _ffi.new("unsigned long long *")
        _sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
            out, size, plain, len(plain), about, len(about), _ffi.NULL, nonce, self._at
        )
        return bytes(_ffi.buffer(out, size[0]))

    def open(self, sealed: bytes, about: bytes, nonce: bytes) -> bytes | None:
        """What was sealed; None where it was not, with this key, nonce and `about`."""
        if len(sealed) < TAG:
            return None
        out = _ffi.new("unsigned char[]", max(1, len(sealed) - TAG))
        size = _ffi.new("unsigned long long *")
        if _sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
            out, size, _ffi.NULL, sealed, len(sealed), about, len(about), nonce, self._at
        ):
            return None
        return bytes(_ffi.buffer(out, size[0]))


class Signing:
    """An Ed25519 key (RFC 8032) that is held so."""

    def __init__(self, seed: "bytes | Secret | None" = None) -> None:
        self._secret = Secret(64)
        public = _ffi.new("unsigned char[]", KEY)
        kept = seed if isinstance(seed, Secret) else Secret.random() if seed is None else Secret.of(seed)
        _sodium.crypto_sign_seed_keypair(public, self._secret._at, kept._at)
        kept.wipe()
        self.public = bytes(_ffi.buffer(public, KEY))

    def sign(self, octets: bytes) -> bytes:
        """The signature, 64 octets."""
        out, size = _ffi.new("unsigned char[]", len(octets) + 64), _ffi.new("unsigned long long *")
        _sodium.crypto_sign(out, size, octets, len(octets), self._secret._at)
        return bytes(_ffi.buffer(out, 64))

    @property
    def wiped(self) -> bool:
        return self._secret.wiped

    def wipe(self) -> None:
        self._secret.wipe()


def fresh(size: int = KEY) -> bytes:
    """Random octets that may be seen."""
    return bytes(random(size))
