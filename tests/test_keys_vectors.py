"""docs/key-vectors.json read by others' code; tests.test_protocol_documents holds it to ours."""

import json
from base64 import urlsafe_b64decode
from hashlib import blake2b
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.protocol.commands import KeyList
from safeum_home.protocol.frames import encode_result
from safeum_home.protocol.key_types import MOST_LAUNCHED, MOST_QUERIED, AccountKeys, Identity, Launch

PAGE = Path(__file__).parent.parent / "docs" / "keys.md"
MAX_FRAME = 65_536


def octets(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class VectorTests(SynchronousTestCase):
    """Each value follows from the private keys by what the document says."""

    def setUp(self) -> None:
        self.vectors: dict[str, Any] = json.loads(PAGE.with_name("key-vectors.json").read_text())

    def test_keys(self) -> None:
        """The public keys are those of the private ones."""
        private, identity = self.vectors["private"], self.vectors["identity"]
        sign = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private["sign"]))
        box = X25519PrivateKey.from_private_bytes(bytes.fromhex(private["box"]))
        self.assertEqual(octets(identity["sign"]), sign.public_key().public_bytes_raw())
        self.assertEqual(octets(identity["box"]), box.public_key().public_bytes_raw())

    def test_hash(self) -> None:
        """The hash is as the page has it."""
        identity = self.vectors["identity"]
        both = octets(identity["sign"]) + octets(identity["box"])
        person = b"safeum key hash\0"
        self.assertEqual(octets(self.vectors["hash"]), blake2b(both, digest_size=32, person=person).digest())

    def test_signatures(self) -> None:
        """What is signed is the tag and the JSON, and no other octets are."""
        key = Ed25519PublicKey.from_public_bytes(octets(self.vectors["identity"]["sign"]))
        for name, tag, signature in (
            ("identity", "safeum account keys v1", "signature"),
            ("launch", "safeum launch keys v1", "bound"),
        ):
            said = dict(self.vectors[name]) | {"account": self.vectors["account"]}
            signed = octets(said.pop(signature))
            plain = json.dumps(said, sort_keys=True, separators=(",", ":"))
            self.assertEqual(self.vectors[f"{name}_signed"], f"{tag}\0{plain}")
            key.verify(signed, f"{tag}\0{plain}".encode())
            self.assertRaises(InvalidSignature, key.verify, signed, f"{tag}{plain}".encode())
            if name == "identity":
                self.assertIn(plain, PAGE.read_text())


class SizeTests(SynchronousTestCase):
    """Answers fit a frame at their longest."""

    def test_longest(self) -> None:
        account, long = "@" + "a" * 26 + ":" + "b" * 255, "A" * 43
        last = 2**53 - 1
        identity = Identity(long, long, last, "A" * 86)
        launch = Launch("D" + "a" * 16, long, long, last, "A" * 86)
        for count, launches in ((MOST_QUERIED, ()), (MOST_LAUNCHED, (launch,) * 50)):
            keys = [AccountKeys(account, long, last, identity, True, launches)] * count
            self.assertLessEqual(len(encode_result("i" * 64, KeyList(keys))), MAX_FRAME)
