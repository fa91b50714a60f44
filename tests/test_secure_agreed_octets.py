"""Both implementations read the same in octets, whatever a member, or a node, has made of them."""

import json
from collections.abc import Iterator
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.secret import Secret
from safeum_home.client.secure import envelope as envelopes
from safeum_home.client.secure import epoch, message, roster, succession
from safeum_home.client.secure.envelope import Kind, Place
from safeum_home.client.secure.octets import Reader, text
from safeum_home.client.secure.padding import BUCKETS, padded
from safeum_home.client.secure.refused import Refused
from safeum_home.protocol.signing import decode_octets, encode_octets
from tests.secure_javascript import Process
from tests.test_secure_vectors import VECTORS

NODES = (
    *("a", "a.example", "a.example:443", "[::1]", "[::1]:9", "xn--a", "a" * 63, "a" * 64, "a" * 255),
    *("", "A.example", "a_b", "a b", "ä", "a\n", "-", "..", "a:b:c", "a" * 256),
)
ACCOUNTS = (
    *("@" + "a" * 26 + ":" + each for each in NODES),
    *("@" + "a" * 25 + "1:a", "@" + "a" * 27 + ":a", "a" * 26 + ":a", "", "\0", "@" + "a" * 26),
)


def variants(octets: bytes) -> Iterator[bytes]:
    """With each octet another one; shorter, longer, with pieces taken out, or there twice."""
    yield octets
    for at, octet in enumerate(octets):
        for other in {0, 1, 0x7F, 0xFF, octet ^ 1, octet ^ 0x80, (octet + 1) % 256} - {octet}:
            yield octets[:at] + bytes([other]) + octets[at + 1 :]
    for size in (1, 2, 8, 16, 32, 64, 80):
        for at in range(0, len(octets), 4):
            yield octets[:at] + octets[at + size :]
            yield octets[:at] + octets[at : at + size] + octets[at:]


class OctetsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.process = Process()
        self.addCleanup(self.process.close)
        self.vectors = json.loads(VECTORS.read_text())
        self.data = [_octets(each["data"]) for each in self.vectors["envelopes"]]

    def assert_same(self, values: list[bytes], key: bytes = b"") -> list[Any]:
        """Both read the same; it. With `key` what is sealed as well."""
        place = self.vectors["chat"], self.vectors["accounts"]["alice"]
        mine = [_said(each, place, key) for each in values]
        sealed = {"key": encode_octets(key), "place": place} if key else {}
        asked = self.process.ask("envelopes", values=[encode_octets(each) for each in values], **sealed)
        for value, own, theirs in zip(values, mine, asked, strict=True):
            self.assertEqual(theirs, own, encode_octets(value))
        return mine

    def test_envelopes(self) -> None:
        """Of each kind, without a look at who has signed it."""
        for octets in self.data:
            mine = self.assert_same(list(variants(octets)))
            self.assertIsNotNone(mine[0])
            self.assertIn(None, mine)

    def test_accounts(self) -> None:
        """Which accounts can stand in a list of members."""
        head, taken = self.data[0][:58], set()
        for account in ACCOUNTS:
            content = bytes(40) + b"\0\1" + text(account) + bytes(32)
            [read] = self.assert_same([head + content + bytes(64)])
            if read is not None:
                taken.add(account)
        self.assertIn(ACCOUNTS[0], taken)
        self.assertNotIn("", taken)

    def test_sealed(self) -> None:
        """What stands within a message: how it is filled up, and what is before the payload."""
        octets = self.data[2]
        whole, key = envelopes.read(encode_octets(octets)), Secret.of(bytes(range(32)))
        sealed, place = message.read(whole), Place(self.vectors["chat"], self.vectors["accounts"]["alice"])
        about = place.about(b"safeum secure message v1\0") + octets[:58] + sealed.epoch
        inner = bytes(16) + b"\1" + bytes(40) + b"{}"
        plain = [padded(each) for each in variants(inner)]
        plain += [padded(bytes(16) + bytes([count]) + bytes(40 * count) + b"{}") for count in range(12)]
        plain += [
            each.ljust(size, b"\0") for size in BUCKETS[:3] for each in (inner, inner + b"\x80", b"", b"\x80")
        ]
        plain += [bytes(255) + b"\x80", bytes(255) + b"\x81", b"\x80" * 256, bytes(200), bytes(122)]
        begin = octets[:58] + sealed.epoch + sealed.nonce
        values = [begin + key.seal(each, about, sealed.nonce) + bytes(64) for each in plain]
        mine = self.assert_same(values, bytes(range(32)))
        self.assertIsNotNone(mine[0])
        self.assertIn(None, mine)


def _octets(data: str) -> bytes:
    octets = decode_octets(data, len(data) * 3 // 4)
    assert octets is not None
    return octets


def _said(octets: bytes, place: tuple[str, str], key: bytes) -> list[Any] | None:
    """What an envelope says, as JavaScript answers it; None of what is refused."""
    try:
        whole = envelopes.read(encode_octets(octets))
        head = whole.head
        begin = [head.kind, head.quiet, head.stream, head.number, head.previous]
        return [_plain(each) for each in (*begin, *_read(whole, Place(*place), key))]
    except Refused:
        return None


def _read(whole: envelopes.Envelope, place: Place, key: bytes) -> list[Any]:
    match whole.head.kind:
        case Kind.ROSTER:
            statement = roster.read(whole)
            return [statement.at, statement.previous, *statement.members.items()]
        case Kind.EPOCH:
            made = epoch.read(whole)
            members = [(account, *each) for account, each in made.members.items()]
            return [made.at, made.commitment, made.roster, made.previous, *members]
        case Kind.MESSAGE:
            sealed = message.read(whole)
            return [*message.open(whole, sealed, place, Secret.of(key))] if key else [*sealed]
        case Kind.SUCCESSION:
            return [succession.take(Reader(whole.content)).octets]


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return encode_octets(value)
    return [_plain(each) for each in value] if isinstance(value, tuple | list) else value
