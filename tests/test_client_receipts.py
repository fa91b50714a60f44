"""Receipts for erasures: vectors, checked with another implementation, and `safeum verify-receipt`."""

import json
import os
import subprocess
import sys
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.words.receipts import AUTHENTIC, FALSE, UNKNOWN_KEY, UNREADABLE, verify
from safeum_home.ids import ChatId
from safeum_home.protocol.erasure import Erasure, bears_out, signed_octets, signed_receipt
from safeum_home.sealing.signing import Ed25519Signer
from tests.erasure_case import ErasureCase
from tests.test_docs import FENCE, commands
from tests.values import values
from tests.world_parts import arena

PAGE = Path(__file__).parent.parent / "docs" / "erasure.md"
VECTORS = PAGE.parent / "protocol" / "erasure-receipts.json"


def _unpadded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _by_hand(receipt: dict[str, Any]) -> bytes:
    """What is signed, as the page says it, with the standard library."""
    members = {name: value for name, value in receipt.items() if name != "signature"}
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return b"safeum erasure receipt v1\0" + canonical.encode()


class VectorTests(SynchronousTestCase):
    """docs/protocol/erasure-receipts.json, made with OpenSSL."""

    def setUp(self) -> None:
        self.document = json.loads(VECTORS.read_text())
        self.vectors = self.document["vectors"]

    def test_by_hand(self) -> None:
        """OpenSSL takes those that are valid, and no other."""
        self.assertEqual({vector["valid"] for vector in self.vectors}, {True, False})
        for vector in self.vectors:
            receipt = vector["receipt"]
            key = Ed25519PublicKey.from_public_bytes(_unpadded(receipt["key"]))
            check = (key.verify, _unpadded(receipt["signature"]), _by_hand(receipt))
            if vector["valid"]:
                check[0](*check[1:])
                self.assertEqual(_by_hand(receipt).hex(), vector["signed"])
            else:
                self.assertRaises(InvalidSignature, *check)

    def test_each(self) -> None:
        """And so does the client."""
        for vector in self.vectors:
            receipt = msgspec.convert(vector["receipt"], Erasure)
            self.assertEqual(bears_out(receipt), vector["valid"], vector["about"])

    def test_the_signer(self) -> None:
        """The node makes these very receipts of this seed."""
        slot = arena().slot()
        slot.view()[:] = bytes.fromhex(self.document["seed"])
        signer = Ed25519Signer(slot)
        for vector in self.vectors:
            if vector["valid"]:
                was = msgspec.convert(vector["receipt"], Erasure)
                facts = (was.node, ChatId(was.chat), was.at, was.erased, was.epoch)
                self.assertEqual(signed_receipt(signer.sign, signer.public_key, *facts), was)

    def test_the_page(self) -> None:
        """The receipt in docs/erasure.md is the first of them, and the command there finds it authentic."""
        receipt = self.vectors[0]["receipt"]
        [shown] = [
            json.loads(body) for language, body in FENCE.findall(PAGE.read_text()) if language == "json"
        ]
        self.assertEqual(shown, {**receipt, "signature": "…"})
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "receipt.json").write_text(json.dumps(receipt))
        # The other one there is about what another node has signed: `test_client_peer_receipts`.
        [command] = [each for each in commands(PAGE) if " receipt.json " in each.text]
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        ran = subprocess.run(
            ["bash", "-c", command.text],
            cwd=folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual((ran.returncode, ran.stdout[:10]), (0, "AUTHENTIC."), ran.stderr)

    @given(values(Erasure))
    def test_canonical(self, receipt: Erasure) -> None:
        """Whatever a receipt holds: what is signed of it is what everybody else makes of it."""
        self.assertEqual(signed_octets(receipt), _by_hand(msgspec.to_builtins(receipt)))


class VerifyTests(ErasureCase):
    """The command, with a receipt of a node."""

    def setUp(self) -> None:
        super().setUp()
        self.receipt = self.off()["receipt"]
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.file = self.folder / "receipt.json"
        self.file.write_bytes(msgspec.json.encode(self.receipt))
        self.key = self.world.services.node_key

    def status(self, key: str | None = None) -> int:
        return verify(self.file, key)[0]

    def test_authentic(self) -> None:
        """With the key, its fingerprint however it is written, or a file with one of them."""
        code, lines = verify(self.file, self.key)
        self.assertEqual(code, AUTHENTIC)
        self.assertIn(self.chat, lines[1])
        digits = lines[2].removeprefix("Signed with the key ").removesuffix(".")
        pinned = self.folder / "pinned"
        for given_key in (digits, digits.replace(" ", ""), digits.upper(), str(pinned)):
            for content in (digits, f"{self.key}\n"):
                pinned.write_text(content)
                self.assertEqual(self.status(given_key), AUTHENTIC, given_key)

    def test_nobody_vouches(self) -> None:
        """Without a key it says that it cannot know whose signature that is."""
        code, lines = verify(self.file, None)
        self.assertEqual(code, UNKNOWN_KEY)
        self.assertIn("has not been checked", lines[-1])

    def test_false(self) -> None:
        """Any other member, another key, another signature."""
        other = "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"
        self.assertEqual(self.status(other), FALSE)
        for change in (
            {"at": self.receipt["at"] + 1},
            {"chat": "!" + "a" * 26},
            {"node": "evil.example"},
            {"epoch": self.receipt["epoch"] + 1},
            {"erased": "A" * 22},
            {"key": other},
            {"signature": "A" * 86},
        ):
            self.file.write_bytes(msgspec.json.encode({**self.receipt, **change}))
            self.assertEqual(self.status(self.key), FALSE, change)
            self.assertEqual(self.status(), FALSE, change)

    def test_unreadable(self) -> None:
        """What is no receipt, has more in it than was signed, or is of a later version, is not guessed at."""
        for key in ("no key", "", "k" * 256, "/" + "k" * 300, "k/" * 5000, "\0", "\udcff"):
            self.assertEqual(self.status(key), UNREADABLE, key[:40])
        for content in (
            b"",
            b"{}",
            b"\xff",
            b"[" * 100_000,
            msgspec.json.encode({**self.receipt, "more": 1}),
            msgspec.json.encode({**self.receipt, "version": 2}),
            msgspec.json.encode({**self.receipt, "at": "1"}),
        ):
            self.file.write_bytes(content)
            self.assertEqual(self.status(self.key), UNREADABLE, content[:40])
        self.file.unlink()
        self.assertEqual(self.status(self.key), UNREADABLE)

    def test_command(self) -> None:
        """`safeum verify-receipt` asks nobody, and says it with its exit status."""
        program = [
            sys.executable,
            "-c",
            "import sys; from safeum_home.client.cli import main; sys.exit(main())",
        ]
        for more, code in (((), 3), (("--key", self.key), 0), (("--key", "A" * 43), 1), (("--key", "x"), 2)):
            ran = subprocess.run(
                [*program, "verify-receipt", self.file, *more],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            self.assertEqual(ran.returncode, code, ran.stderr)
            self.assertEqual(ran.stderr, "")
            self.assertTrue(ran.stdout)
