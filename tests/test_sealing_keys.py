"""Sealing, blind indexes and cursors: any change is refused, and libsodium alone agrees."""

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import get_ident
from types import SimpleNamespace
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl import bindings
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Code, Erased, Problem, Tampered
from safeum_home.ids import AccountId, ChatId, DeviceId
from safeum_home.ports import Blinder, Cursors, Key
from safeum_home.sealing import cursors as cursors_module
from safeum_home.sealing import keys
from safeum_home.sealing.blind import BlindIndex
from safeum_home.sealing.cursors import CURSOR_KEY_SIZE, SealedCursors
from safeum_home.sealing.keys import OVERHEAD, SealedKey, derive
from safeum_home.sealing.memory import Arena, Level

ARENA = Arena()
KEY = SealedKey(ARENA.slot().fill_random())
CURSORS = SealedCursors(ARENA.slot(CURSOR_KEY_SIZE).fill_random())
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class SealedKeyTests(SynchronousTestCase):
    """XChaCha20-Poly1305 over a slot."""

    @given(st.binary(max_size=300), st.binary(max_size=40))
    @settings(max_examples=50, deadline=None)
    def test_round_trip(self, plaintext: bytes, context: bytes) -> None:
        """What was sealed opens; twice sealed is not the same."""
        key: Key = KEY
        sealed = key.seal(plaintext, context)
        self.assertEqual(len(sealed), len(plaintext) + OVERHEAD)
        self.assertEqual(key.open(sealed, context), plaintext)
        self.assertNotEqual(key.seal(plaintext, context), sealed)

    @given(st.binary(max_size=60), st.binary(max_size=20), st.data())
    @settings(max_examples=200, deadline=None)
    def test_any_bit(self, plaintext: bytes, context: bytes, data: st.DataObject) -> None:
        """A flipped bit in the sealed octets or in the context is refused, and so is what is cut off."""
        sealed = KEY.seal(plaintext, context)
        both = bytearray(sealed + context)
        bit = data.draw(st.integers(0, 8 * len(both) - 1))
        both[bit // 8] ^= 1 << bit % 8
        with self.assertRaises(Tampered):
            KEY.open(bytes(both[: len(sealed)]), bytes(both[len(sealed) :]))
        with self.assertRaises(Tampered):
            KEY.open(sealed[: data.draw(st.integers(0, len(sealed) - 1))], context)
        with self.assertRaises(Tampered):
            KEY.open(sealed + b"\0", context)

    def test_another_key(self) -> None:
        """Another key opens nothing."""
        other = SealedKey(ARENA.slot().fill_random())
        self.assertRaises(Tampered, other.open, KEY.seal(b"text", b""), b"")

    def test_nonces_are_not_shared_with_a_child(self) -> None:
        """After a fork parent and child go different ways."""
        key = SealedKey(Arena(ceiling=Level.MLOCK).slot().fill_random())
        key.seal(b"", b"")  # nonces are at hand from now on
        receiving, sending = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(sending, b"".join(keys._nonce() for _ in range(64)))
            finally:
                os._exit(0)
        os.close(sending)
        with open(receiving, "rb") as pipe:
            theirs = pipe.read()
        os.waitpid(child, 0)
        self.assertEqual(len(theirs), 64 * 24)
        ours = {keys._nonce() for _ in range(64)}
        self.assertEqual(ours & {theirs[start : start + 24] for start in range(0, len(theirs), 24)}, set())

    def test_format(self) -> None:
        """libsodium's own function opens what is sealed: version, nonce, ciphertext with tag."""
        octets = os.urandom(32)
        slot = ARENA.slot()
        slot.view()[:] = octets
        sealed = SealedKey(slot).seal(b"text", b"context")
        self.assertEqual(sealed[:1], b"\x01")
        opened = bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            sealed[25:], b"context", sealed[1:25], octets
        )
        self.assertEqual(opened, b"text")

    def test_wiped(self) -> None:
        """A wiped key neither seals nor opens, and its place does not come alive under it."""
        key = SealedKey(ARENA.slot().fill_random())
        sealed = key.seal(b"text", b"")
        key.wipe()
        key.wipe()
        self.assertRaises(Erased, key.seal, b"text", b"")
        self.assertRaises(Erased, key.open, sealed, b"")
        self.assertRaises(Erased, key.wrap, ARENA.slot(), b"")
        self.assertRaises(Erased, key.unwrap, bytes(32 + OVERHEAD), b"")

    def test_wrap(self) -> None:
        """A slot's octets travel sealed into another slot."""
        slot = ARENA.slot(72).fill_random()
        wrapped = KEY.wrap(slot, b"owner")
        opened = KEY.unwrap(wrapped, b"owner", 72)
        self.assertEqual(bytes(opened.view()), bytes(slot.view()))
        self.assertEqual(KEY.open(wrapped, b"owner"), bytes(slot.view()))
        self.assertRaises(Tampered, KEY.unwrap, wrapped, b"other", 72)
        self.assertRaises(Tampered, KEY.unwrap, wrapped, b"owner", 71)

    def test_derive(self) -> None:
        """Sub-keys are keyed BLAKE2b, one for each purpose."""
        root = ARENA.slot().fill_random()
        expected = hashlib.blake2b(b"", digest_size=32, key=bytes(root.view()), person=b"purpose").digest()
        derived = derive(root, b"purpose")
        self.assertEqual(bytes(derived.view()), expected)
        other = derive(root, b"purpose 2")
        self.assertNotEqual(bytes(other.view()), expected)
        self.assertRaises(ValueError, derive, root, b"a purpose of more than 16")

    def test_only_keys(self) -> None:
        """A slot of another size is no key."""
        self.assertRaises(ValueError, SealedKey, ARENA.slot(16))


class BlindIndexTests(SynchronousTestCase):
    """Keyed hashes of names."""

    def test_kinds_are_apart(self) -> None:
        """The same text has another index as each kind, and under another key."""
        text = "same"
        first: Blinder = BlindIndex(ARENA.slot().fill_random())
        second: Blinder = BlindIndex(ARENA.slot().fill_random())
        indexes = [
            index
            for blinder in (first, second)
            for index in (
                blinder.account(AccountId(text)),
                blinder.alias(text),
                blinder.chat(ChatId(text)),
                blinder.device(DeviceId(text)),
                blinder.client_id(DeviceId(text), ""),
                blinder.token(DeviceId(text), b""),
                blinder.avatar(AccountId(text), b""),
            )
        ]
        self.assertEqual(len({index[:16] for index in indexes}), 14)
        self.assertEqual([len(index) for index in indexes], 2 * [16, 16, 16, 16, 16, 32, 16])
        self.assertEqual(first.account(AccountId(text)), indexes[0])

    def test_client_ids(self) -> None:
        """Those that begin alike are side by side, whoever sends them; no two are the same."""
        blinder = BlindIndex(ARENA.slot().fill_random())
        texts = ["0192-aaaa-bbb1", "0192-aaaa-bbb2", "0192-aaaa-ccc1", "0192", ""]
        found = [blinder.client_id(DeviceId(device), text) for text in texts for device in "ab"]
        self.assertEqual(len({index[:6] for index in found[:4]}), 1)
        self.assertEqual(len({index[:6] for index in found}), 4)
        self.assertEqual(len({index[6:] for index in found}), len(found))

    def test_expected(self) -> None:
        """The index is keyed BLAKE2b as Python's hashlib has it."""
        slot = ARENA.slot().fill_random()
        expected = hashlib.blake2b(
            b"alice", digest_size=16, key=bytes(slot.view()), person=b"blind alias"
        ).digest()
        self.assertEqual(BlindIndex(slot).alias("alice"), expected)

    def test_wiped(self) -> None:
        """No index is made without a key."""
        blinder = BlindIndex(ARENA.slot().fill_random())
        blinder.wipe()
        self.assertRaises(TypeError, blinder.alias, "alice")


class CursorTests(SynchronousTestCase):
    """Positions as opaque texts."""

    @given(st.integers(0, 2**64 - 1))
    @settings(max_examples=100, deadline=None)
    def test_round_trip(self, position: int) -> None:
        """Each position has one cursor of 22 characters."""
        cursors: Cursors = CURSORS
        cursor = cursors.encode(position)
        self.assertRegex(cursor, r"\A[A-Za-z0-9_-]{22}\Z")
        self.assertEqual(cursors.decode(cursor), position)

    def test_threads(self) -> None:
        """Readers' threads encode too: each has ciphers of its own, under the same key."""

        class Watched:
            def __init__(self, algorithm: AES, mode: ECB) -> None:
                self._cipher, self._thread = Cipher(algorithm, mode), get_ident()

            def encryptor(self) -> Any:
                return self._guarded(self._cipher.encryptor().update)

            def decryptor(self) -> Any:
                return self._guarded(self._cipher.decryptor().update)

            def _guarded(self, work: Callable[[bytes], bytes]) -> Any:
                def update(octets: bytes) -> bytes:
                    if get_ident() != self._thread:
                        raise AssertionError("a cipher of another thread")
                    return work(octets)

                return SimpleNamespace(update=update)

        self.patch(cursors_module, "Cipher", Watched)
        cursors = SealedCursors(ARENA.slot(CURSOR_KEY_SIZE).fill_random())
        here = [cursors.encode(position) for position in range(100)]
        with ThreadPoolExecutor(3) as pool:
            self.assertEqual(list(pool.map(cursors.encode, range(100))), here)
            self.assertEqual(list(pool.map(cursors.decode, here)), list(range(100)))

    def test_wiped(self) -> None:
        """The key is gone, and no thread begins to use it."""
        slot = ARENA.slot(CURSOR_KEY_SIZE).fill_random()
        cursors = SealedCursors(slot)
        cursors.wipe()
        cursors.wipe()
        self.assertIsNone(slot.pointer)
        with ThreadPoolExecutor(1) as pool:
            self.assertRaises(ValueError, pool.submit(cursors.encode, 1).result)

    @given(st.integers(0, 2**63 - 1), st.integers(0, 21), st.sampled_from(ALPHABET))
    @settings(max_examples=200, deadline=None)
    def test_changed(self, position: int, index: int, character: str) -> None:
        """A cursor with another character anywhere is refused: no two texts are one cursor."""
        cursor = CURSORS.encode(position)
        changed = cursor[:index] + character + cursor[index + 1 :]
        if changed != cursor:
            self._refuse(changed)

    @given(st.text(max_size=24))
    @settings(max_examples=100, deadline=None)
    def test_made_up(self, text: str) -> None:
        """What was never given out is refused."""
        self._refuse(text)

    def test_alphabet(self) -> None:
        """Only the alphabet of base64url is read, and nothing around it."""
        for cursor in map(CURSORS.encode, range(200)):
            if set(cursor) & set("-_"):
                self._refuse(cursor.replace("-", "+").replace("_", "/"))
            for text in (cursor + "==", cursor + "\n", " " + cursor[1:], cursor[:21], cursor[:21] + "="):
                self._refuse(text)

    def _refuse(self, cursor: str) -> None:
        with self.assertRaises(Problem) as caught:
            CURSORS.decode(cursor)
        self.assertIs(caught.exception.code, Code.INVALID_CURSOR)
