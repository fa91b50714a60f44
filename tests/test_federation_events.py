"""Events and key documents: who signed, for whom, with which key, and in which form."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, direct_chat_id
from safeum_home.protocol.federation import canonical, events, keys
from safeum_home.protocol.federation.events import Event, new_event, read_event, sign_event, verify_event
from safeum_home.protocol.federation.keys import LONGEST_VALID, MOST_OLD, read_document
from safeum_home.protocol.federation.signed import base64
from tests.federation import NOW, document, signer

NOW_MS = NOW * 1000
ANN = AccountId("@" + "a" * 26 + ":b.example")
BOB = AccountId("@" + "b" * 26 + ":a.example")
CHAT = direct_chat_id(ANN, BOB)
KEYS = {"ed25519:1": signer(1).public_key}


def event(**changes: Any) -> Event:
    values: dict[str, Any] = {
        "type": "chat.message",
        "sender": ANN,
        "at": NOW_MS,
        "content": {"body": {"text": "héllo", "type": "text"}, "serial": 7},
        "chat": CHAT,
        "id": "m1",
    }
    return new_event(**{**values, **changes})


def signed(number: int = 1, **changes: Any) -> bytes:
    return sign_event(event(**changes), f"ed25519:{number}", signer(number))


def forged(change: Callable[[dict[str, Any]], object], number: int = 1) -> bytes:
    """An event whose members were changed, and that was then signed by the key of whoever changed them."""
    members = json.loads(signed())
    del members["signatures"]
    change(members)
    signature = base64(signer(number).sign(canonical.encode(members)))
    members.setdefault("signatures", {"b.example": {f"ed25519:{number}": signature}})
    return canonical.encode(members)


def put(**members: Any) -> Callable[[dict[str, Any]], object]:
    """A change that puts these members into an event."""
    return lambda event: event.update(members)


class Case(SynchronousTestCase):
    """Refusals, by their codes."""

    def refused(self, code: Code, call: Callable[..., object], *arguments: object) -> None:
        with self.assertRaises(Problem) as caught:
            call(*arguments)
        self.assertIs(caught.exception.code, code)


class EventTests(Case):
    """Events."""

    def test_there_and_back(self) -> None:
        """An event is read as what it was, with and without what it may leave out."""
        some: list[dict[str, Any]] = [
            {},
            {"chat": None},
            {"id": None},
            {"chat": None, "id": None, "content": {}},
        ]
        for changes in some:
            octets = signed(**changes)
            read = read_event(octets)
            verify_event(read, KEYS)
            self.assertEqual(events.signed_octets(read), events.signed_octets(event(**changes)))
            self.assertEqual((read.node, events.key_ids(read)), ("b.example", {"ed25519:1"}))

    def test_another_nodes_event(self) -> None:
        """What one node signs for an account of another is refused, however good the signature is."""
        # The sender is elsewhere; the member `node` and the signature are the forger's own.
        self.refused(Code.WRONG_SENDER_NODE, read_event, forged(lambda e: e.update(sender=BOB)))
        # `node` is the sender's, the signature is still the forger's.
        self.refused(
            Code.WRONG_SENDER_NODE, read_event, forged(lambda e: e.update(sender=BOB, node="a.example"))
        )
        # All names are the sender's, the key is not.
        octets = forged(
            lambda e: e.update(
                sender=BOB, node="a.example", signatures={"a.example": {"ed25519:1": "A" * 86}}
            )
        )
        self.refused(
            Code.BAD_SIGNATURE, verify_event, read_event(octets), {"ed25519:1": signer(2).public_key}
        )
        # An event that was never read here, but built, is not let through either.
        self.refused(
            Code.WRONG_SENDER_NODE,
            verify_event,
            Event(type="x", node="b.example", sender=BOB, at=1, content={}),
            KEYS,
        )

    def test_lookalike_senders(self) -> None:
        """A port, or a suffix, is another node."""
        for sender in (ANN + ":8448", "@" + "a" * 26 + ":evil.b.example", "@" + "a" * 26 + ":b.example.evil"):
            self.refused(Code.WRONG_SENDER_NODE, read_event, forged(put(sender=sender)))

    def test_signatures(self) -> None:
        """Missing, foreign and additional ones, and those in another spelling."""
        text = json.loads(signed())["signatures"]["b.example"]["ed25519:1"]
        good = {"ed25519:1": text}
        for code, signatures in (
            (Code.MALFORMED_EVENT, {}),  # what is left out is not written
            (Code.MALFORMED_EVENT, {"b.example": {}}),
            (Code.WRONG_SENDER_NODE, {"a.example": good}),
            (Code.MALFORMED_EVENT, {"b.example": good, "a.example": good}),
            (Code.MALFORMED_EVENT, {"b.example": {f"ed25519:{n}": text for n in range(5)}}),
            (Code.MALFORMED_EVENT, {"b.example": {"rsa:1": text}}),
            (Code.MALFORMED_EVENT, {"b.example": {"ed25519:1": text + "=="}}),
            (Code.MALFORMED_EVENT, {"b.example": {"ed25519:1": text[:-1]}}),
            (Code.MALFORMED_EVENT, {"b.example": good["ed25519:1"]}),
            (Code.MALFORMED_EVENT, None),
        ):
            self.refused(code, read_event, forged(put(signatures=signatures)))
        unsigned = canonical.encode({k: v for k, v in json.loads(signed()).items() if k != "signatures"})
        self.refused(Code.BAD_SIGNATURE, read_event, unsigned)

    def test_keys(self) -> None:
        """By a key that is not known; by one of two; by a known key, wrongly, beside a good one."""
        read = read_event(signed())
        self.refused(Code.UNKNOWN_KEY, verify_event, read, {"ed25519:2": signer(1).public_key})
        self.refused(Code.BAD_SIGNATURE, verify_event, read, {"ed25519:1": signer(2).public_key})
        text = json.loads(signed())["signatures"]["b.example"]["ed25519:1"]
        both = {"b.example": {"ed25519:1": text, "ed25519:2": text}}
        read = read_event(forged(lambda e: e.update(signatures=both)))
        verify_event(read, KEYS)
        self.refused(Code.BAD_SIGNATURE, verify_event, read, {**KEYS, "ed25519:2": signer(2).public_key})

    def test_an_old_key(self) -> None:
        """A key that expired signs nothing new; what it signed before counts where somebody else kept it."""
        published = read_document(document(number=2, old={1: NOW_MS}), "b.example", NOW_MS)
        before, after = read_event(signed(at=NOW_MS - 1)), read_event(signed(at=NOW_MS))
        for each in (before, after):
            self.refused(Code.UNKNOWN_KEY, verify_event, each, published.current)
        verify_event(before, published.at(before.at))
        self.refused(Code.UNKNOWN_KEY, verify_event, after, published.at(after.at))
        verify_event(read_event(signed(2)), published.at(NOW_MS))

    def test_malformed(self) -> None:
        """Integers out of range, floats, unknown members, other types, and what is out of bounds."""
        for change in (
            lambda e: e.update(other=1),
            lambda e: e.update(unsigned={}),
            lambda e: e.update(at=-1),
            lambda e: e.update(at="1"),
            lambda e: e.update(content=[]),
            lambda e: e.pop("content"),
            lambda e: e.pop("at"),
            lambda e: e.update(type="Chat"),
            lambda e: e.update(type="a\n"),
            lambda e: e.update(type="a" * 65),
            lambda e: e.update(id=""),
            lambda e: e.update(id="x" * 65),
            lambda e: e.update(chat="!x"),
            lambda e: e.update(chat=None),
            lambda e: e.update(node="B.example"),
            lambda e: e.update(node="b..example", sender="@" + "a" * 26 + ":b..example"),
            lambda e: e.update(node="b.example:99999", sender="@" + "a" * 26 + ":b.example:99999"),
            lambda e: e.update(sender="@ann:b.example"),
        ):
            self.refused(Code.MALFORMED_EVENT, read_event, forged(change))
        octets = signed()
        for old, new in (
            (b'"serial":7', b'"serial":9007199254740992'),
            (b'"serial":7', b'"serial":-9007199254740992'),
            (b'"serial":7', b'"serial":NaN'),
            (b'"serial":7', b'"serial":Infinity'),
            (b'"serial":7', b'"serial":7.0'),
            (b'"serial":7', b'"serial":7e0'),
            (b'"serial":7', b'"serial":7,"serial":7'),
            (b'"serial":7', b'"serial": 7'),
            (b'{"at"', b'{"at":1,"at"'),
            (b"{", b" {"),
        ):
            self.assertIn(old, octets)
            self.refused(Code.MALFORMED_EVENT, read_event, octets.replace(old, new, 1))

    def test_not_signed(self) -> None:
        """This node signs nothing that others would refuse."""
        for content in (
            {"n": 2**53},
            {"n": 1.5},
            {"n": float("nan")},
            {"text": "\ud800"},
            {"text": "x" * events.MOST_OCTETS},
        ):
            self.refused(Code.MALFORMED_EVENT, sign_event, event(content=content), "ed25519:1", signer())

    def test_sizes(self) -> None:
        """An event of as many octets as there may be, and one more."""
        spare = events.MOST_OCTETS - len(signed(content={"text": ""}))
        octets = signed(content={"text": "x" * spare})
        verify_event(read_event(octets), KEYS)
        with self.assertRaises(Problem):
            signed(content={"text": "x" * (spare + 1)})
        longer = forged(lambda e: e.update(content={"text": "x" * (spare + 1)}))
        self.refused(Code.MALFORMED_EVENT, read_event, longer)

    @given(st.integers(0, len(signed()) * 8 - 1))
    def test_flipped_bits(self, bit: int) -> None:
        """No bit of an event can be changed."""
        octets = bytearray(signed())
        octets[bit // 8] ^= 1 << bit % 8
        with self.assertRaises(Problem):
            verify_event(read_event(bytes(octets)), KEYS)

    @given(st.binary(max_size=200))
    def test_any_octets(self, octets: bytes) -> None:
        """Whatever comes is refused as a malformed event."""
        self.refused(Code.MALFORMED_EVENT, read_event, octets)


class DocumentTests(Case):
    """The document in which a node publishes its keys."""

    def test_read(self) -> None:
        """What was published, for as long as it says."""
        read = read_document(document(number=2, old={1: 5}), "b.example", NOW_MS)
        self.assertEqual(dict(read.current), {"ed25519:2": signer(2).public_key})
        self.assertEqual(dict(read.old), {"ed25519:1": (signer(1).public_key, 5)})
        self.assertEqual((read.node, read.good_until), ("b.example", NOW_MS + 86_400_000))

    def test_times(self) -> None:
        """One that is over is refused, and one that would be good for ever is good for a week."""
        read = read_document(document(valid_until=2**53 - 1), "b.example", NOW_MS)
        self.assertEqual(read.good_until, NOW_MS + LONGEST_VALID)
        self.refused(Code.UNKNOWN_KEY, read_document, document(valid_until=NOW_MS), "b.example", NOW_MS)

    def test_refused(self) -> None:
        """Another node's, unsigned, signed in part, with a wrong key, or in another form."""
        octets = document(old={2: 5})
        self.refused(Code.UNKNOWN_KEY, read_document, octets, "c.example", NOW_MS)
        members = json.loads(octets)
        text = members["signatures"]["b.example"]["ed25519:1"]
        key = members["verify_keys"]["ed25519:1"]
        wrong: tuple[dict[str, Any], ...] = (
            {"signatures": {"b.example": {"ed25519:1": "A" * 86}}},
            {"signatures": {"b.example": {"ed25519:2": text}}},
            {"signatures": {"c.example": {"ed25519:1": text}}},
            {"signatures": {"b.example": {"ed25519:1": text, "ed25519:3": text}}},
            {"verify_keys": {"ed25519:1": key, "ed25519:3": key}},
            {"verify_keys": {}},
            {"verify_keys": {"ed25519:1": {"key": "A" * 42 + "B"}}},
            {"old_verify_keys": {}},
            {"old_verify_keys": {"ed25519:1": {**key, "expired": 5}}},
            {"old_verify_keys": {f"ed25519:{n + 5}": {**key, "expired": 5} for n in range(MOST_OLD + 1)}},
            {"valid_until": members["valid_until"] + 1},
            {"valid_until": 2**53},
            {"more": 1},
        )
        for changes in wrong:
            changed = json.dumps({**members, **changes}, separators=(",", ":"), sort_keys=True).encode()
            self.refused(Code.UNKNOWN_KEY, read_document, changed, "b.example", NOW_MS)
        del members["signatures"]
        self.refused(Code.UNKNOWN_KEY, read_document, canonical.encode(members), "b.example", NOW_MS)
        self.refused(Code.UNKNOWN_KEY, read_document, octets + b"\n", "b.example", NOW_MS)
        self.refused(Code.UNKNOWN_KEY, read_document, b"[" * keys.MOST_OCTETS * 2, "b.example", NOW_MS)

    def test_a_wrong_name(self) -> None:
        """A node signs for itself, but under another name."""
        members = json.loads(document())
        del members["signatures"]
        members["node"] = "c.example"
        signature = base64(signer().sign(canonical.encode(members)))
        members["signatures"] = {"b.example": {"ed25519:1": signature}}
        for node in ("b.example", "c.example"):
            self.refused(Code.UNKNOWN_KEY, read_document, canonical.encode(members), node, NOW_MS)

    def test_in_force_and_old(self) -> None:
        """A key that is both, signed by its owner, is refused: nobody could say what it is good for."""
        members = json.loads(document())
        del members["signatures"]
        key = members["verify_keys"]["ed25519:1"]
        members["old_verify_keys"] = {"ed25519:1": {**key, "expired": 5}}
        signature = base64(signer().sign(canonical.encode(members)))
        members["signatures"] = {"b.example": {"ed25519:1": signature}}
        self.refused(Code.UNKNOWN_KEY, read_document, canonical.encode(members), "b.example", NOW_MS)

    @given(st.integers(0, len(document()) * 8 - 1))
    def test_flipped_bits(self, bit: int) -> None:
        """No bit of a document can be changed."""
        octets = bytearray(document())
        octets[bit // 8] ^= 1 << bit % 8
        self.refused(Code.UNKNOWN_KEY, read_document, bytes(octets), "b.example", NOW_MS)
