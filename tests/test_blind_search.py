"""The search that the tests of blindness rely on finds what is there."""

import gzip
import json
import zlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from string import ascii_uppercase
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from tests.blind_search import LEAST, Secrets

WAYS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda octets: octets,
    "capitals": bytes.upper,
    "hex": lambda octets: octets.hex().encode(),
    "HEX": lambda octets: octets.hex().upper().encode(),
    "base64": b64encode,
    "base64url": lambda octets: urlsafe_b64encode(octets).rstrip(b"="),
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "zlib, fast": lambda octets: zlib.compress(octets, 1),
    "utf-16-le": lambda octets: octets.decode().encode("utf-16-le"),
    "utf-16-be": lambda octets: octets.decode().encode("utf-16-be"),
    "json": lambda octets: json.dumps(octets.decode()).encode(),
    "percent": lambda octets: quote(octets, safe="").encode(),
    "gzip in base64": lambda octets: b64encode(gzip.compress(octets)),
    "utf-16 in hex": lambda octets: octets.decode().encode("utf-16-le").hex().encode(),
    "base64 in percent": lambda octets: quote(b64encode(octets)).encode(),
}
_CHANGED = '"\\' + ascii_uppercase
"""What JSON writes in another way, and what is found in small letters."""
LETTERS = some.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters=_CHANGED)
TEXTS = some.text(LETTERS, min_size=LEAST, max_size=40)
PHONE = "+4915112345678"


class SearchTests(SynchronousTestCase):
    @given(TEXTS, some.sampled_from(sorted(WAYS)), some.integers(0, 5), some.integers(0, 5))
    def test_found(self, text: str, way: str, before: int, after: int) -> None:
        """In every way of writing, with something before it and after it: every alignment is there."""
        plain = b"<" * before + text.encode() + b">" * after
        octets = b"head: x\r\n\r\n" + WAYS[way](plain) + b"\r\n"
        self.assertEqual(Secrets([text]).found(octets), {text.encode()})

    def test_all(self) -> None:
        """A telephone number, in all of them."""
        for way, write in WAYS.items():
            self.assertEqual(Secrets([PHONE]).found(write(PHONE.encode())), {PHONE.encode()}, way)

    def test_not_there(self) -> None:
        """What only begins so is not found, and nothing is found by chance."""
        secrets = Secrets([PHONE, "somebody", bytes(range(16))])
        self.assertEqual(len(secrets), 3)
        noise = b64encode(bytes(range(256)) * 40)[100:] + PHONE[:-1].encode() + b" some body"
        self.assertEqual(Secrets([PHONE, "somebody"]).found(noise), set())
        self.assertRaises(ValueError, secrets.add, "short")
