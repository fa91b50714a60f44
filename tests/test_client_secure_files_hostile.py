"""Nodes, and members, that mean harm to files of secure chats: nothing else is stored as what was sent."""

from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from io import BytesIO
from random import Random
from typing import Any

import msgspec
from nacl import bindings
from twisted.internet.defer import Deferred

from safeum_home.client.errors import BadAnswer, ClientError
from safeum_home.client.files.file_transfer import FileTransfer
from safeum_home.client.secure.files import CHUNK, HEADER, MORE, FileSealer, sealed_size
from safeum_home.client.secure.padding import padme
from safeum_home.client.secure.payloads import File
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.unlocked.items import Item
from safeum_home.protocol.signing import encode_octets
from tests.secure_file_case import SecureFileCase

SIZE = 150_000
FIRST, SECOND = HEADER, HEADER + CHUNK + MORE
THIRD = SECOND + CHUNK + MORE
SEALED = sealed_size(SIZE)
FILLED = padme(SIZE)


def sealed(file: bytes) -> tuple[bytes, FileSealer]:
    sealer = FileSealer(len(file))
    return b"".join([sealer.add(file), *sealer.end()]), sealer


class NodeTests(SecureFileCase):
    """A node that gives out something else."""

    def setUp(self) -> None:
        super().setUp()
        self.octets = Random(1).randbytes(SIZE)
        self.chat_id = self.start(self.ben)
        self.item = self.sent(self.octets)
        self.target = self.folder / "a.bin"

    def sent(self, octets: bytes) -> Item:
        """As Ben has it."""
        web = self.use(self.ann)
        self.ann.do(self.files(self.ann, self.chat_id).send(BytesIO(octets), name="a"))
        self.settle()
        self.sealed = b"".join(web.sent)
        return self.last(self.ben, self.chat_id)

    def save(self) -> ClientError | Refused | None:
        """What it fails with."""
        try:
            self.ben.do(self.files(self.ben, self.chat_id).save(self.item, self.target))
        except (ClientError, Refused) as error:
            return error
        return None

    def refused(self, bend: Callable[[bytes], bytes]) -> None:
        """A node that does so is refused, and nothing is left of it."""
        self.use(self.ben, bend=bend)
        error = self.save()
        self.assertIsInstance(error, Refused)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_changed(self) -> None:
        """A bit anywhere: of the header, of a chunk, of the last one."""
        for place in (0, FIRST, SECOND - 1, THIRD, SEALED - 1):
            self.refused(partial(_flipped, place))

    def test_reordered(self) -> None:
        self.refused(
            lambda octets: octets[:FIRST] + octets[SECOND:THIRD] + octets[FIRST:SECOND] + octets[THIRD:]
        )

    def test_repeated(self) -> None:
        """A chunk in place of the one that follows on it."""
        self.refused(lambda octets: octets[:SECOND] + octets[FIRST:SECOND] + octets[THIRD:])

    def test_swapped(self) -> None:
        """Another file of the same chat and size."""
        other, _ = sealed(Random(2).randbytes(SIZE))
        self.refused(lambda _: other)

    def test_spliced(self) -> None:
        """The end of another file."""
        other, _ = sealed(Random(2).randbytes(SIZE))
        self.refused(lambda octets: octets[:SECOND] + other[SECOND:])

    def test_cut(self) -> None:
        """One that ends before its end has no name, wherever that is."""
        for end in (10, SECOND, THIRD, SEALED - 1):
            self.use(self.ben, bend=partial(_cut, end))
            self.assertIsInstance(self.save(), BadAnswer | Refused)
            self.assertFalse(self.target.exists())
            for left in self.folder.iterdir():
                left.unlink()

    def test_longer(self) -> None:
        """Nothing is taken beyond its end."""
        self.use(self.ben, bend=lambda octets: octets + bytes(17))
        self.assertIsInstance(self.save(), BadAnswer)
        self.assertFalse(self.target.exists())

    def test_another_length(self) -> None:
        """A node that has another length for it is not asked for it at all."""
        web = self.use(self.ben)
        for size in (SEALED - 1, SEALED + 1, 2**53 - 1, 0):
            self.ben.bend = lambda frame, size=size: [_resized(frame, size)]
            error = self.save()
            self.assertIs(getattr(error, "reason", None), Reason.MALFORMED)
        self.assertEqual((web.asked, list(self.folder.iterdir())), ([], []))

    def test_another_message(self) -> None:
        """A ticket for the file of another message, of the same size, gives nothing."""
        before = self.item.id
        self.sent(Random(3).randbytes(SIZE))
        self.item = Item(self.item.sender, 0, self.item.payload, id=self.last(self.ben, self.chat_id).id)
        self.assertNotEqual(before, self.item.id)
        self.assertIsInstance(self.save(), Refused)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_in_memory(self) -> None:
        """What is fetched into memory is looked at in the same way."""
        self.use(self.ben, bend=partial(_flipped, SEALED - 1))
        with self.assertRaises(Refused):
            self.ben.do(self.files(self.ben, self.chat_id).sound_of(self.item))


class MemberTests(SecureFileCase):
    """A member who says something of a file that is not so."""

    def setUp(self) -> None:
        super().setUp()
        self.octets = Random(1).randbytes(SIZE)
        self.chat_id = self.start(self.ben)
        self.sealed, self.sealer = sealed(self.octets)

    def claim(self, octets: bytes, **more: Any) -> Item:
        """Ann's program uploads this, and says that it is the file; as Ben has it."""
        upload = FileTransfer._upload(self.ann.client, self.chat_id, BytesIO(octets), "a", None, None)
        uploaded = self.ann.do(Deferred.fromCoroutine(upload))
        key, hash = encode_octets(self.sealer.key), encode_octets(self.sealer.hash)
        payload = File(uploaded.file, key, hash, SIZE, "a", "text/plain")
        self.chat(self.ann, self.chat_id).say(msgspec.structs.replace(payload, **more))
        self.settle()
        return self.last(self.ben, self.chat_id)

    def refused(self, item: Item) -> None:
        target = self.folder / "a.bin"
        with self.assertRaises(Refused):
            self.ben.do(self.files(self.ben, self.chat_id).save(item, target))
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_sound(self) -> None:
        """What is so is taken."""
        octets = self.ben.do(self.files(self.ben, self.chat_id).sound_of(self.claim(self.sealed)))
        self.assertEqual(octets, self.octets)

    def test_another_hash(self) -> None:
        """Sealed with the same key, and not what was said to be: two members might have two files."""
        self.refused(self.claim(self.sealed, hash=encode_octets(bytes(32))))

    def test_without_an_end(self) -> None:
        """A last chunk that does not say that it is the last."""
        filled = self.octets.ljust(FILLED, b"\0")
        self.refused(self.claim_sealed(filled, bindings.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE))

    def test_what_fills_it_up(self) -> None:
        """Zeros alone: nothing is hidden behind a file."""
        filled = self.octets.ljust(FILLED, b"\1")
        self.refused(self.claim_sealed(filled, bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL))

    def claim_sealed(self, filled: bytes, last: int) -> Item:
        """The chunks of `filled`, with another tag on the last one, under the hash that they have."""
        state, key = bindings.crypto_secretstream_xchacha20poly1305_state(), bytes(32)
        push = bindings.crypto_secretstream_xchacha20poly1305_push
        octets = bindings.crypto_secretstream_xchacha20poly1305_init_push(state, key)
        for at in range(0, FILLED, CHUNK):
            octets += push(state, filled[at : at + CHUNK], tag=last if at + CHUNK >= FILLED else 0)
        hash = blake2b(octets, digest_size=32, person=b"safeum file v1").digest()
        return self.claim(octets, key=encode_octets(key), hash=encode_octets(hash))


def _cut(end: int, octets: bytes) -> bytes:
    return octets[:end]


def _flipped(place: int, octets: bytes) -> bytes:
    flipped = bytearray(octets)
    flipped[place] ^= 1
    return bytes(flipped)


def _resized(frame: dict[str, Any], size: int) -> dict[str, Any]:
    """A ticket for a download, of another size."""
    result = frame.get("result")
    if isinstance(result, dict) and "path" in result:
        result["size"] = size
    return frame
