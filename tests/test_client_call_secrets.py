"""Keys that are held outside of Python's objects: what they are good for, and that they go."""

from typing import Any

import nacl._sodium
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client import secret
from safeum_home.client.secret import NONCE, Secret, Signing, Wiped

SEED = bytes(range(32))


class SecretTests(SynchronousTestCase):
    """In libsodium's heap."""

    def test_alike(self) -> None:
        """Another library comes to the same keys, secrets and signatures."""
        theirs = X25519PrivateKey.from_private_bytes(SEED)
        mine, other = Secret.of(SEED), Secret.random()
        self.assertEqual(mine.public(), theirs.public_key().public_bytes_raw())
        shared = theirs.exchange(X25519PublicKey.from_public_bytes(other.public()))
        agreed = mine.agree(other.public())
        self.assertEqual(agreed.digest(b"a", b"b", 16), Secret.of(shared).digest(b"a", b"b", 16))
        signing = Ed25519PrivateKey.from_private_bytes(SEED)
        self.assertEqual(Signing(SEED).public, signing.public_key().public_bytes_raw())
        self.assertEqual(Signing(SEED).sign(b"message"), signing.sign(b"message"))

    def test_sealed(self) -> None:
        """It opens with the same key, nonce and context, and as a whole alone."""
        key, nonce = Secret.of(SEED), bytes(NONCE)
        for plain in (b"", b"x", b"x" * 10_000):
            sealed = key.seal(plain, b"about", nonce)
            self.assertEqual(key.open(sealed, b"about", nonce), plain)
            self.assertIsNone(key.open(sealed, b"else", nonce))
            self.assertIsNone(key.open(sealed, b"about", b"\1" * NONCE))
            self.assertIsNone(key.open(sealed[:-1], b"about", nonce))
            self.assertIsNone(key.derive(b"", b"").open(sealed, b"about", nonce))
        self.assertIsNone(key.open(b"", b"about", nonce))

    def test_wiped(self) -> None:
        """Then nothing can be done with it any more; twice is harmless."""
        key, signing = Secret.random(), Signing()
        for each in (key, signing):
            each.wipe()
            each.wipe()
            self.assertTrue(each.wiped)
        self.assertRaises(Wiped, key.public)
        self.assertRaises(Wiped, signing.sign, b"")

    def test_not_shown(self) -> None:
        """Nothing of it is in what is printed, nor in an attribute."""
        key = Secret.of(b"k" * 32)
        self.assertNotIn("kkk", repr(key))
        self.assertFalse(hasattr(key, "__dict__"))


class PlainTests(SecretTests):
    """Where there is no such heap."""

    def setUp(self) -> None:
        self.patch(secret, "_heap", None)

    def test_zeroed(self) -> None:
        """What held a key holds zeros."""
        key = Secret.of(SEED)
        pointer: Any = key._home
        key.wipe()
        self.assertEqual(bytes(nacl._sodium.ffi.buffer(pointer, 32)), bytes(32))
