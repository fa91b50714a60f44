"""The oblivious pseudorandom function against RFC 9497, and the entries that are made with it."""

import json
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.abilities.contact_finder import ContactFinder
from safeum_home.ids import is_number, new_account_id
from safeum_home.protocol import commands as c
from safeum_home.protocol import contact_sync, oprf, ristretto
from tests.sync_support import METHOD_OF, need_group

VECTORS = Path(__file__).parent.parent / "docs" / "contact-sync-vectors.json"
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493

# RFC 9497, appendix A.1.1: ristretto255-SHA512, OPRF mode.
KEY = bytes.fromhex("5ebcea5ee37023ccb9fc2d2019f9d7737be85591ae8652ffa9ef0f4d37063b0e")
BLIND = bytes.fromhex("64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706")
RFC_9497 = [
    (
        "00",
        "609a0ae68c15a3cf6903766461307e5c8bb2f95e7e6550e1ffa2dc99e412803c",
        "7ec6578ae5120958eb2db1745758ff379e77cb64fe77b0b2d8cc917ea0869c7e",
        "527759c3d9366f277d8c6020418d96bb393ba2afb20ff90df23fb7708264e2f3"
        "ab9135e3bd69955851de4b1f9fe8a0973396719b7912ba9ee8aa7d0b5e24bcf6",
    ),
    (
        "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
        "da27ef466870f5f15296299850aa088629945a17d1f5b7f5ff043f76b3c06418",
        "b4cbf5a4f1eeda5a63ce7b77c7d23f461db3fcab0dd28e4e17cecb5c90d02c25",
        "f4a74c9c592497375e796aa837e907b1a045d34306a749db9f34221f7e750cb4"
        "f2a6413a6bf6fa5e19ba6348eb673934a722a7ede2e7621306d18951e7cf2c73",
    ),
]


def octets(number: int) -> bytes:
    return number.to_bytes(32, "little")


NO_ELEMENTS = {
    "the identity": bytes(32),
    "not canonical: p, which is zero": octets(P),
    "not canonical: p + 2": octets(P + 2),
    "all bits": b"\xff" * 32,
    "negative: an odd field element": octets(1),
    "the high bit": octets(2**255),
    # RFC 9496, appendix A.3: of each kind of bad encodings, one.
    "not canonical": bytes.fromhex("00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
    "negative": bytes.fromhex("0100000000000000000000000000000000000000000000000000000000000000"),
    "not a square": bytes.fromhex("26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371"),
    "negative xy": bytes.fromhex("3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e"),
    "s = -1, so y = 0": bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    "a point of small order of edwards25519": bytes.fromhex(
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
    ),
    "another of small order": bytes.fromhex(
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
    ),
    "too short": octets(2)[:31],
    "too long": octets(2) + b"\0",
    "nothing": b"",
}


class FunctionTests(SynchronousTestCase):
    """RFC 9497."""

    def setUp(self) -> None:
        need_group()

    def test_the_vectors_of_the_rfc(self) -> None:
        """Blind, evaluate, finalise: appendix A.1.1."""
        for message, element, evaluated, output in RFC_9497:
            data = bytes.fromhex(message)
            blinded = oprf.blind(data, BLIND)
            self.assertEqual(blinded.element.hex(), element)
            self.assertEqual(oprf.blind_evaluate(KEY, [blinded.element])[0].hex(), evaluated)
            self.assertEqual(oprf.finalize(data, BLIND, bytes.fromhex(evaluated)).hex(), output)
            self.assertEqual(oprf.evaluate(KEY, data).hex(), output)

    @settings(max_examples=20, deadline=None)
    @given(st.binary(max_size=40))
    def test_blinding_cancels_out(self, message: bytes) -> None:
        """Whatever the scalar, the output is that of who holds the key; what is sent differs each time."""
        one, other = oprf.blind(message), oprf.blind(message)
        self.assertNotEqual(one.element, other.element)
        points = oprf.blind_evaluate(memoryview(KEY), [one.element, other.element])
        outputs = {
            oprf.finalize(message, one.blind, points[0]),
            oprf.finalize(message, other.blind, points[1]),
        }
        self.assertEqual(outputs, {oprf.evaluate(KEY, message)})

    def test_no_elements(self) -> None:
        """What is no element, or the identity, is refused on both sides, also among good ones."""
        good = oprf.blind(b"+491711234567").element
        for why, bad in NO_ELEMENTS.items():
            with self.assertRaises(ristretto.NotAnElement, msg=why):
                oprf.blind_evaluate(KEY, [good, bad])
            with self.assertRaises(ristretto.NotAnElement, msg=why):
                oprf.finalize(b"+491711234567", BLIND, bad)
        with self.assertRaises(ValueError):
            oprf.finalize(b"", bytes(32), good)
        with self.assertRaises(ValueError):
            ristretto.multiply(KEY[:31], [good])
        with self.assertRaises(ValueError):
            ristretto.from_hash(bytes(32))

    @settings(max_examples=300, deadline=None)
    @given(st.binary(min_size=32, max_size=32))
    def test_every_encoding_is_refused_or_canonical(self, point: bytes) -> None:
        """What is taken is an element of the one group of prime order: times its order it is the identity."""
        try:
            (doubled,) = ristretto.multiply(octets(2), [point])
        except ristretto.NotAnElement:
            return
        # Times L-1 it is its own negative, and (L-1) + 1 = L gives the identity, which is refused.
        (negative,) = ristretto.multiply(octets(L - 1), [point])
        self.assertEqual(
            ristretto.multiply(octets(L - 2), [point]), ristretto.multiply(octets(2), [negative])
        )
        self.assertNotEqual(doubled, ristretto.IDENTITY)
        with self.assertRaises(ristretto.NotAnElement):
            ristretto.multiply(octets(L), [point])


class EntryTests(SynchronousTestCase):
    """Entries of the node's set."""

    def test_numbers(self) -> None:
        """E.164 in its one written form."""
        for good in ("+4917112345678", "+1234567", "+123456789012345"):
            self.assertTrue(is_number(good), good)
        for bad in (
            "4917112345678",
            "+0171123",
            "+123456",
            "+1234567890123456",
            "+49 171",
            "+49171123456\n",
            "+\u0664\u0669171123",
            "",
        ):
            self.assertFalse(is_number(bad), bad)

    def test_an_entry_opens_for_its_output_alone(self) -> None:
        """Who has another number's output gets another account id out of it."""
        need_group()
        account = new_account_id("home.example")
        mine, other = oprf.evaluate(KEY, b"+491711234567"), oprf.evaluate(KEY, b"+491711234568")
        sealed = contact_sync.entry(mine, account)
        self.assertEqual(len(sealed), contact_sync.ENTRY)
        self.assertEqual(contact_sync.open_entry(mine, sealed, "home.example"), account)
        self.assertNotEqual(contact_sync.open_entry(other, sealed, "home.example"), account)
        self.assertNotEqual(contact_sync.tag(mine), contact_sync.tag(other))

    @given(st.sets(st.binary(min_size=24, max_size=24)), st.binary(min_size=8, max_size=8))
    def test_places(self, entries: set[bytes], tag: bytes) -> None:
        """Where a tag belongs in a page."""
        page = sorted(entries)
        at = contact_sync.place(b"".join(page), tag) // contact_sync.ENTRY
        self.assertTrue(all(entry[:8] < tag for entry in page[:at]))
        self.assertTrue(all(entry[:8] >= tag for entry in page[at:]))


class VectorTests(SynchronousTestCase):
    """docs/contact-sync-vectors.json: a whole exchange, for those who write a client."""

    def test_the_exchange(self) -> None:
        """Every value in the file follows from the ones before it."""
        need_group()
        vectors: dict[str, Any] = json.loads(VECTORS.read_text())
        key = bytes.fromhex(vectors["key"])
        self.assertLess(int.from_bytes(key, "little"), L)
        entries = []
        for each in vectors["numbers"]:
            number = each["number"].encode("ascii")
            self.assertEqual(oprf.hash_to_group(number).hex(), each["element"])
            blinded = oprf.blind(number, bytes.fromhex(each["blind"]))
            self.assertEqual(blinded.element.hex(), each["blinded"])
            (point,) = oprf.blind_evaluate(key, [blinded.element])
            self.assertEqual(point.hex(), each["evaluated"])
            output = oprf.finalize(number, blinded.blind, point)
            self.assertEqual(output.hex(), each["output"])
            self.assertEqual(contact_sync.tag(output).hex(), each["tag"])
            self.assertEqual(output[32:].hex(), each["entry_key"])
            if each["account"] is not None:
                entries.append(contact_sync.entry(output, each["account"]))
                self.assertEqual(entries[-1].hex(), each["entry"])
        self.assertEqual(b"".join(sorted(entries)).hex(), vectors["page"])

    def test_the_frames(self) -> None:
        """The client finds the accounts with the frames in the file, and sends what stands in them."""
        need_group()
        vectors: dict[str, Any] = json.loads(VECTORS.read_text())
        finder = ContactFinder()
        blinds = iter([bytes.fromhex(each["blind"]) for each in vectors["numbers"]])
        self.patch(ristretto, "random_scalar", lambda: next(blinds))

        async def ask(params: c.Params, result: type[Any], /) -> Any:
            frame = vectors["frames"][METHOD_OF[type(params)]]
            expected = msgspec.convert(frame["params"], type(params))
            self.assertEqual(params, expected)
            return msgspec.convert(frame["result"], result)

        numbers = [each["number"] for each in vectors["numbers"]]
        finding = finder.find(ask, lambda seconds: succeed(None), "@other:home.example", numbers)
        found = self.successResultOf(Deferred.fromCoroutine(finding))
        self.assertEqual({number: each.account for number, each in found.items()}, vectors["found"])
