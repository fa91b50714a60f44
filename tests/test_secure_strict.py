"""Both implementations take the same signatures and keys: else members would see different things."""

import unicodedata

import msgspec
from nacl.bindings import crypto_scalarmult_base
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.secure import passphrase
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.protocol.federation.signed import is_signed_by
from safeum_home.protocol.key_types import Identity, identity_octets
from safeum_home.protocol.signing import encode_octets
from tests.ed25519 import P, cases
from tests.secure_case import account, unique_key
from tests.secure_javascript import Process

EIGHTHS = (
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
)
"""Points of order 8 on Curve25519, by their u."""
BAD = (0, 1, *EIGHTHS, P - 1, P, P + 1, 2**255 - 1)
BITS = (0, 1 << 255)
"""The highest bit is no part of a key (RFC 7748, section 5)."""
NOT_ASSIGNED = ("Cn", "Co", "Cs")


class StrictTests(SynchronousTestCase):
    """Whatever a member, or a node, may show."""

    def setUp(self) -> None:
        self.process = Process()
        self.addCleanup(self.process.close)

    def test_signatures(self) -> None:
        """S that is too large, points of small order, and points that are written in another form."""
        given = list(cases())
        python = [is_signed_by(each.key, each.octets, each.signature) for each in given]
        # A key with torsion is its owner's doing, and signs what comes to a challenge that takes it away.
        taken = {each.name for each, holds in zip(given, python, strict=True) if holds}
        self.assertEqual({name.split(" torsion")[0] for name in taken}, {"good", "key and"})
        asked = [
            [encode_octets(octets) for octets in (each.key, each.signature, each.octets)] for each in given
        ]
        self.assertEqual(self.process.ask("signed", cases=asked), python)

    def test_passphrases(self) -> None:
        """Whatever characters are in one, its written form is the same: else its keys would be others."""
        assigned = [
            each for each in map(chr, range(0x110000)) if unicodedata.category(each) not in NOT_ASSIGNED
        ]
        texts = [f" a{each}{each}b{each}" for each in assigned]
        self.assertEqual(self.process.ask("normal", texts=texts), [passphrase.normal(each) for each in texts])

    def test_keys(self) -> None:
        """Keys that all can write to: those with which no secret can be agreed on are none."""
        good = int.from_bytes(crypto_scalarmult_base(b"k" * 32), "little")
        boxes = [(number | bit).to_bytes(32, "little") for number in (good, *BAD) for bit in BITS]
        key, own, identities = unique_key(0), account(0), []
        sign, _ = key.public.texts()
        for box in map(encode_octets, boxes):
            signature = key.signing.sign(identity_octets(own, sign, box, 1))
            identities.append(Identity(sign, box, 1, encode_octets(signature)))
        python = [PublicKeys.of(own, each) is not None for each in identities]
        self.assertEqual((python[0], set(python[1:])), (True, {False}))
        asked = msgspec.to_builtins(identities)
        self.assertEqual(self.process.ask("good_for", account=own, identities=asked), python)
