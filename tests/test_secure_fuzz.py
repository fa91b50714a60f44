"""Whatever comes from outside is refused as it should be, and nothing else is raised."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.secure import envelope as envelopes
from safeum_home.client.secure import epoch, fingerprints, message, payloads, roster, succession, vault
from safeum_home.client.secure.envelope import Envelope, Head, Kind
from safeum_home.client.secure.padding import padded
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.protocol.signing import encode_octets
from tests.secure_case import account, unique_key

STREAM = bytes(16)
HEADS = [Head(kind, True, STREAM, 1, bytes(32)) for kind in Kind]
JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
VAULT = ["previous", "people", "drafts", "settings", "chats"]
KINDS = sorted(map(str, payloads._KNOWN))
NAMES = sorted({name for each in payloads._TYPES for name in each.__struct_fields__})


class FuzzTests(SynchronousTestCase):
    """Every parser that sees octets of others."""

    def refused(self, parse: Callable[[], object]) -> None:
        """It comes to something, or is refused."""
        try:
            parse()
        except Refused as refused:
            self.assertIsInstance(refused.reason, Reason)

    @settings(max_examples=400, deadline=None)
    @given(st.binary(max_size=500), st.sampled_from(HEADS))
    def test_contents(self, octets: bytes, head: Head) -> None:
        """Random octets as what is in an envelope, and as a whole one."""
        whole = Envelope(head, octets, octets, b"")
        for read in (epoch.read, message.read, roster.read):
            self.refused(lambda read=read: read(whole))  # type: ignore[misc]
        self.refused(lambda: succession.read(whole, account(0)))
        self.refused(lambda: envelopes.read(encode_octets(octets)))
        self.refused(lambda: envelopes.read(encode_octets(head.octets() + octets)))

    @settings(max_examples=400, deadline=None)
    @given(st.text(max_size=200) | st.binary(max_size=200).map(encode_octets))
    def test_texts(self, text: str) -> None:
        """Random texts as an envelope, a picture, and a vault."""
        own, other = ((account(each), unique_key(each).hash) for each in (0, 1))
        self.refused(lambda: envelopes.read(text))
        self.refused(lambda: vault.open(text, 1, unique_key(0)))
        self.refused(lambda: fingerprints.scanned(text, own, other))
        self.refused(lambda: fingerprints.scanned("safeum:verify:1:" + text, own, other))

    @settings(max_examples=400, deadline=None)
    @given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(NAMES), JSON, max_size=5))
    def test_payloads(self, kind: str, members: dict[str, Any]) -> None:
        """JSON of the right kind and anything within."""
        self.refused(lambda: payloads.decode(json.dumps({**members, "kind": kind}).encode()))

    @settings(max_examples=200, deadline=None)
    @given(
        JSON | st.dictionaries(st.sampled_from(["previous", "people", "drafts", "settings", "chats"]), JSON)
    )
    def test_vaults(self, content: Any) -> None:
        """What is in a vault, of one's own key, and anything within."""
        key = unique_key(0)
        plain = padded(json.dumps(content).encode(), vault.BUCKETS)
        sealed = key.vault.seal(plain, vault._about(key.account, 1), bytes(24))
        self.refused(lambda: vault.open(encode_octets(b"\x21" + bytes(24) + sealed), 1, key))

    def test_deep(self) -> None:
        """JSON that is deeper than anything has to be."""
        for octets in (b"[" * 30_000, b'{"kind":"x","text":' + b"[" * 30_000, b'{"kind":' * 3_000):
            with self.assertRaises(Refused) as caught:
                payloads.decode(octets)
            self.assertEqual(caught.exception.reason, Reason.MALFORMED)
