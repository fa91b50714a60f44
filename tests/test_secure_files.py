"""Files in secure chats: what lies at a node opens as a whole, and as what was sealed alone."""

import random
from collections.abc import Iterable

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.secure.files import CHUNK, HEADER, MORE, FileOpener, FileSealer, sealed_size
from safeum_home.client.secure.padding import padme
from safeum_home.client.secure.refused import Refused

SIZES = (0, 1, 255, 256, 257, 1000, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 200_000)


def pieces(octets: bytes, size: int) -> Iterable[bytes]:
    return (octets[at : at + size] for at in range(0, len(octets), size))


def seal(file: bytes, size: int = 10_000) -> tuple[bytes, bytes, bytes]:
    """What lies at the node, the key and the hash."""
    sealer = FileSealer(len(file))
    parts = [sealer.add(each) for each in pieces(file, size)]
    return b"".join([*parts, *sealer.end()]), sealer.key, sealer.hash


def opened(sealed: bytes, key: bytes, size: int, hash: bytes, piece: int = 7_777) -> bytes:
    opener = FileOpener(key, size, hash)
    parts = [opener.add(each) for each in pieces(sealed, piece)]
    return b"".join([*parts, opener.end()])


class FileTests(SynchronousTestCase):
    """All sizes."""

    def test_both_ways(self) -> None:
        """In pieces of any size."""
        for size in SIZES:
            file = random.Random(size).randbytes(size)
            sealed, key, hash = seal(file)
            self.assertEqual(len(sealed), sealed_size(size))
            for piece in (7_777, 1_000_000):
                self.assertEqual(opened(sealed, key, size, hash, piece), file)

    def test_sizes(self) -> None:
        """There are few, and they are not much greater: Padmé."""
        sizes = {padme(size) for size in range(1, 1_000_000)}
        self.assertLess(len(sizes), 350)
        self.assertLess(max(padme(size) / size for size in range(256, 1_000_000)), 1.12)
        self.assertEqual(sorted(sizes), sorted(padme(size) for size in sizes))

    def test_changed(self) -> None:
        """Nothing that was changed, cut, reordered or repeated is the file."""
        file = random.Random(1).randbytes(150_000)
        sealed, key, hash = seal(file)
        first, second = HEADER, HEADER + CHUNK + MORE
        third = second + CHUNK + MORE
        swapped = sealed[:first] + sealed[second:third] + sealed[first:second] + sealed[third:]
        wrong = [sealed[:-1], sealed[:second], sealed[:third], sealed + b"\0", swapped, b"", sealed[:10]]
        wrong.append(sealed[:third] + sealed[second:third] + sealed[third:])
        for place in (0, 8 * HEADER, 8 * second - 1, 8 * len(sealed) - 1):
            flipped = bytearray(sealed)
            flipped[place // 8] ^= 1 << place % 8
            wrong.append(bytes(flipped))
        for each in wrong:
            self.assertRaises(Refused, opened, each, key, len(file), hash)
        self.assertRaises(Refused, opened, sealed, key, len(file) - 1, hash)
        self.assertRaises(Refused, opened, sealed, key, len(file), bytes(32))
        self.assertRaises(Refused, opened, sealed, bytes(32), len(file), hash)

    def test_another_size(self) -> None:
        """A file that is not as long as it was said to be is not sealed."""
        sealer = FileSealer(10)
        sealer.add(b"x" * 9)
        self.assertRaises(ValueError, next, sealer.end())
        self.assertRaises(ValueError, sealer.add, b"xx")
