"""Keys that the node signs with towards other nodes: derived by number, and never Python objects."""

from hashlib import blake2b

from nacl.signing import SigningKey
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Erased
from safeum_home.ports import NodeSigner
from safeum_home.protocol.federation.signed import is_signed_by
from safeum_home.sealing.federation import FederationKeys
from safeum_home.sealing.memory import Arena, Level
from safeum_home.sealing.root import generate
from safeum_home.sealing.vault import open_vault

ARENA = Arena(floor=Level.UNLOCKED)


class FederationKeyTests(SynchronousTestCase):
    """Keys out of known octets, beside what PyNaCl makes of the same."""

    def setUp(self) -> None:
        slot = ARENA.slot()
        slot.view()[:] = bytes(range(32))
        self.keys = FederationKeys(slot)

    def expected(self, number: int) -> SigningKey:
        """The key of a number, by other means: keyed BLAKE2b (RFC 7693) is its seed."""
        person = b"safeum fed key".ljust(16, b"\0")
        data = number.to_bytes(8, "big")
        return SigningKey(blake2b(data, digest_size=32, key=bytes(range(32)), person=person).digest())

    def test_derived(self) -> None:
        """Each number has a key of its own, the same each time."""
        for number in (1, 2, 2**40):
            signer: NodeSigner = self.keys.signer(number)
            key = self.expected(number)
            self.assertEqual(self.keys.public_key(number), bytes(key.verify_key))
            self.assertEqual(
                (signer.public_key, signer.sign(b"x")), (bytes(key.verify_key), key.sign(b"x").signature)
            )
            self.assertIs(self.keys.signer(number), signer)
            self.assertTrue(is_signed_by(signer.public_key, b"x", signer.sign(b"x")))
        self.assertEqual(self.keys.public_key(3), bytes(self.expected(3).verify_key))
        self.assertRaises(ValueError, self.keys.signer, 0)

    def test_wiped(self) -> None:
        """Nothing signs afterwards, not even what was handed out."""
        signer = self.keys.signer(1)
        self.keys.wipe()
        self.keys.wipe()
        self.assertRaises(Erased, signer.sign, b"x")
        self.assertRaises(Erased, self.keys.signer, 1)
        self.assertRaises(Erased, self.keys.public_key, 2)

    def test_of_the_vault(self) -> None:
        """The same out of the same root secret, others out of another, and not what clients pin."""
        root = generate(ARENA)
        first, second = open_vault(root, None), open_vault(root, None)
        other = open_vault(generate(ARENA), None)
        public = first.federation.public_key(1)
        self.assertEqual(public, second.federation.public_key(1))
        self.assertEqual(len({public, other.federation.public_key(1), first.signer.public_key}), 3)
        signer = first.federation.signer(1)
        first.wipe()
        self.assertRaises(Erased, signer.sign, b"x")
