"""Keys of contact sync: derived for each period, and never Python objects."""

from hashlib import blake2b

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.ports import ElementKeys
from safeum_home.protocol import oprf, ristretto
from safeum_home.sealing.elements import PeriodKeys
from safeum_home.sealing.memory import Arena, Level, Slot
from safeum_home.sealing.root import generate
from safeum_home.sealing.vault import open_vault
from tests.sync_support import ORDER, need_group

ARENA = Arena(floor=Level.UNLOCKED)


def parent() -> Slot:
    """A slot with known octets: the tests compute beside it what the code must not hold."""
    slot = ARENA.slot()
    slot.view()[:] = bytes(range(32))
    return slot


def expected(period: int) -> bytes:
    """The scalar of a period, by other means: keyed BLAKE2b (RFC 7693), and Python's integers."""
    person = (b"period" + period.to_bytes(8, "big")).ljust(16, b"\0")
    wide = blake2b(b"", digest_size=64, key=bytes(range(32)), person=person).digest()
    return (int.from_bytes(wide, "little") % ORDER).to_bytes(32, "little")


class PeriodKeyTests(SynchronousTestCase):
    """`ports.ElementKeys`."""

    def setUp(self) -> None:
        need_group()
        self.keys: ElementKeys = PeriodKeys(parent())

    def test_as_specified(self) -> None:
        """What docs/contact-sync.md says of the key gives the same outputs."""
        blinded = oprf.blind(b"+491511234567")
        for period in (0, 1, 2_834, 2**53 - 1):
            key, scalar = self.keys.of(period), expected(period)
            self.assertEqual(key.output(b"+491511234567"), oprf.evaluate(scalar, b"+491511234567"))
            self.assertEqual(key.evaluate([blinded.element]), oprf.blind_evaluate(scalar, [blinded.element]))

    def test_periods_differ(self) -> None:
        """And each period's key is the same each time."""
        outputs = [self.keys.of(period).output(b"+491511234567") for period in (1, 2, 1)]
        self.assertEqual(outputs[0], outputs[2])
        self.assertNotEqual(outputs[0], outputs[1])

    def test_the_key_is_read_where_it_is(self) -> None:
        """No copy of it is handed to the function: what goes in is the slot itself."""
        given: list[object] = []
        multiply = ristretto.multiply

        def seen(scalar: ristretto.Octets, elements: list[bytes]) -> list[bytes]:
            given.append((type(scalar), bytes(scalar)))
            return multiply(scalar, elements)

        self.patch(ristretto, "multiply", seen)
        key = self.keys.of(1)
        key.output(b"a")
        key.evaluate([oprf.hash_to_group(b"b")])
        self.assertEqual(given, [(memoryview, expected(1))] * 2)

    def test_wiped(self) -> None:
        """Nothing is evaluated with a key that was wiped, and none is derived of a parent that was."""
        key = self.keys.of(1)
        key.wipe()
        key.wipe()
        with self.assertRaises(ValueError):
            key.output(b"a")
        with self.assertRaises(ValueError):
            key.evaluate([oprf.hash_to_group(b"b")])
        vault = open_vault(generate(ARENA), None)
        vault.wipe()
        with self.assertRaises(Exception):  # noqa: B017 - libsodium's wrapper refuses, in its own words
            vault.elements.of(1)

    def test_in_a_vault(self) -> None:
        """The same root secret gives the same keys; another one, others."""
        root, other = generate(ARENA), generate(ARENA)
        outputs = [open_vault(each, None).elements.of(7).output(b"a") for each in (root, root, other)]
        self.assertEqual(outputs[0], outputs[1])
        self.assertNotEqual(outputs[0], outputs[2])
