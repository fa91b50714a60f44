"""Canonical JSON and signatures over it: the vectors of the Matrix specification, and its own libraries."""

import json
from typing import Any

import canonicaljson
import signedjson.key
import signedjson.sign
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.protocol.federation import signed
from safeum_home.protocol.federation.canonical import (
    DEEPEST,
    MAX_INTEGER,
    Canonical,
    NotCanonical,
    decode,
    encode,
)
from tests.federation import SeedSigner

SEED = "YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1"
"""Of the specification's test vectors."""

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
OBJECTS = st.dictionaries(
    st.text().filter(lambda name: name not in ("signatures", "unsigned")), VALUES, max_size=4
)

SPECIFIED = (
    ("{}", "{}"),
    ('{\n    "one": 1,\n    "two": "Two"\n}', '{"one":1,"two":"Two"}'),
    ('{\n    "b": "2",\n    "a": "1"\n}', '{"a":"1","b":"2"}'),
    ('{"b":"2","a":"1"}', '{"a":"1","b":"2"}'),
    (
        '{"auth": {"success": true, "mxid": "@john.doe:example.com", "profile": {"display_name": "John Doe",'
        ' "three_pids": [{"medium": "email", "address": "john.doe@example.org"},'
        ' {"medium": "msisdn", "address": "123456789"}]}}}',
        '{"auth":{"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe","three_pids":'
        '[{"address":"john.doe@example.org","medium":"email"},{"address":"123456789","medium":"msisdn"}]},'
        '"success":true}}',
    ),
    ('{"a": "日本語"}', '{"a":"日本語"}'),
    ('{"本": 2, "日": 1}', '{"日":1,"本":2}'),
    ('{"a": "\\u65E5"}', '{"a":"日"}'),
    ('{"a": null}', '{"a":null}'),
)
"""The examples of the specification's appendix "Canonical JSON": what is given, and its form."""


class Numbered(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something typed."""

    number: int
    name: str | None = None


class CanonicalTests(SynchronousTestCase):
    """The one form of a value."""

    def test_specified(self) -> None:
        """The specification's examples have the form that it says, and are refused in any other."""
        for given_text, form in SPECIFIED:
            self.assertEqual(encode(json.loads(given_text)), form.encode())
            self.assertEqual(decode(form.encode(), 1000), json.loads(given_text))
            if given_text != form:
                self.assertRaises(NotCanonical, decode, given_text.encode(), 1000)

    def test_specified_numbers(self) -> None:
        """Its example of `-0` and exponents cannot be read here; what they stand for has its form."""
        self.assertRaises(NotCanonical, decode, b'{"a":-0,"b":1e10}', 100)
        self.assertEqual(encode({"a": -0, "b": 10**10}), b'{"a":0,"b":10000000000}')

    @given(VALUES)
    def test_like_canonicaljson(self, value: Any) -> None:
        """The same octets as the reference library's, and they are read as the same value."""
        octets = encode(value)
        self.assertEqual(octets, canonicaljson.encode_canonical_json(value))
        self.assertEqual(decode(octets, len(octets)), value)

    @given(VALUES, st.data())
    def test_every_other_form_is_refused(self, value: Any, data: st.DataObject) -> None:
        """Octets that were changed anywhere are refused, or are the form of another value."""
        octets = bytearray(encode(value))
        place = data.draw(st.integers(0, len(octets) - 1))
        octets[place] = data.draw(st.integers(0, 255))
        try:
            other = decode(bytes(octets), len(octets))
        except NotCanonical:
            return
        self.assertEqual(canonicaljson.encode_canonical_json(other), bytes(octets))

    def test_refused(self) -> None:
        """Floats, NaN, infinities, members that are there twice, integers out of range, other spellings."""
        for octets in (
            b"1.0",
            b"[1.5]",
            b"1e3",
            b"1E400",
            b"NaN",
            b"Infinity",
            b"-Infinity",
            b"-0",
            b"01",
            b"9007199254740992",
            b"-9007199254740992",
            b'{"a":[123456789012345678901234567890]}',
            b'{"a":1,"a":1}',
            b'{"a":1,"a":2}',
            b'{"b":1,"a":2}',
            b'{"a": 1}',
            b" 1",
            b"1\n",
            b'"\\u0041"',
            b'"\\/"',
            b'"\\ud800"',
            b'"\xed\xa0\x80"',
            b'"\xff"',
            b'"\x00"',
            b"\xef\xbb\xbf1",
            b"1 1",
            b"[1,]",
            b"",
            b"[" * 50_000 + b"]" * 50_000,
        ):
            self.assertRaises(NotCanonical, decode, octets, 1_000_000)

    def test_not_written(self) -> None:
        """What has no form is not given one: NaN least of all, which would become null."""
        for value in (1.0, float("nan"), float("inf"), 2**53, -(2**53), b"x", "\ud800", {1: 2}, {"a": (1,)}):
            self.assertRaises(NotCanonical, encode, value)

    def test_edges(self) -> None:
        """The largest integers, the longest octets and the deepest nesting that are taken."""
        for value in (MAX_INTEGER, -MAX_INTEGER):
            self.assertEqual(decode(encode(value), 17), value)
        self.assertEqual(decode(b'"1234567890123456789"', 100), "1234567890123456789")
        self.assertRaises(NotCanonical, decode, b"[11]", 3)
        deep = b"[" * DEEPEST + b"]" * DEEPEST
        self.assertEqual(encode(decode(deep, 100)), deep)
        self.assertRaises(NotCanonical, decode, b"[" + deep + b"]", 100)
        self.assertRaises(NotCanonical, encode, [decode(deep, 100)])

    def test_typed(self) -> None:
        """A type is read in one form too: unknown members, defaults that stand there, floats are refused."""
        numbered = Canonical(Numbered)
        self.assertEqual(numbered.decode(b'{"name":"x","number":1}', 100), Numbered(1, "x"))
        self.assertEqual(numbered.encode(Numbered(1)), b'{"number":1}')
        for octets in (
            b'{"name":null,"number":1}',
            b'{"number":1.0}',
            b'{"number":1,"other":2}',
            b'{"number":1,"number":1}',
            b'{"number":9007199254740992}',
            b'{"number":"1"}',
            b"{}",
        ):
            self.assertRaises(NotCanonical, numbered.decode, octets, 100)
        self.assertRaises(NotCanonical, numbered.encode, Numbered(2**53))


class SignedTests(SynchronousTestCase):
    """Signatures over objects."""

    def setUp(self) -> None:
        self.key = signedjson.key.decode_signing_key_base64("ed25519", "1", SEED)
        self.signer = SeedSigner(bytes(self.key))

    def test_specified(self) -> None:
        """The specification's signatures of two objects."""
        for members, signature in (
            ({}, "K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ"),
            (
                {"one": 1, "two": "Two"},
                "KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw",
            ),
        ):
            done = signed.sign_json(members, "domain", "ed25519:1", self.signer)
            self.assertEqual(done, {**members, "signatures": {"domain": {"ed25519:1": signature}}})

    @given(OBJECTS)
    def test_like_signedjson(self, members: dict[str, Any]) -> None:
        """The reference library verifies what is signed here, and signs what is verified here."""
        ours = signed.sign_json(members, "domain", "ed25519:1", self.signer)
        signedjson.sign.verify_signed_json(dict(ours), "domain", signedjson.key.get_verify_key(self.key))
        theirs = signedjson.sign.sign_json(dict(members), "domain", self.key)
        self.assertEqual(theirs, ours)
        keys = {"ed25519:1": self.signer.public_key}
        octets = signed.signed_octets(theirs)
        self.assertTrue(signed.is_signed(octets, theirs["signatures"]["domain"], keys))
        self.assertFalse(signed.is_signed(octets + b" ", theirs["signatures"]["domain"], keys))

    def test_one_more_signature(self) -> None:
        """Those that are there stay, and are not signed."""
        once = signed.sign_json({"a": 1}, "one", "ed25519:1", self.signer)
        twice = signed.sign_json(once, "two", "ed25519:2", self.signer)
        self.assertEqual(twice["signatures"].keys(), {"one", "two"})
        self.assertEqual(twice["signatures"]["two"]["ed25519:2"], once["signatures"]["one"]["ed25519:1"])

    def test_base64(self) -> None:
        """Without padding, and in one spelling alone."""
        for size in range(5):
            self.assertEqual(signed.octets_of(signed.base64(b"\xff" * size), size), b"\xff" * size)
        self.assertEqual([signed.base64(b"fooba"), signed.base64(b"\xfb\xff")], ["Zm9vYmE", "+/8"])
        for text in ("Zg==", "Zh", "Z", "Zm 9", "-_8", "+/8\n", "é", "Zm9"):
            self.assertIsNone(signed.octets_of(text, 1), text)
        self.assertIsNone(signed.octets_of("Zg", 2))

    def test_all_known_keys(self) -> None:
        """One signature by a known key is needed, and none of them may be wrong."""
        good = {"ed25519:1": signed.base64(self.signer.sign(b"x"))}
        keys = {"ed25519:1": self.signer.public_key}
        self.assertTrue(signed.is_signed(b"x", good, keys))
        self.assertTrue(signed.is_signed(b"x", {**good, "ed25519:9": "?"}, keys))
        self.assertFalse(
            signed.is_signed(b"x", {**good, "ed25519:2": "A" * 86}, {**keys, "ed25519:2": b"k" * 32})
        )
        self.assertFalse(signed.is_signed(b"x", good, {}))
        self.assertFalse(signed.is_signed(b"x", good, {"ed25519:1": b"short"}))
        self.assertFalse(signed.is_signed(b"x", {}, keys))
