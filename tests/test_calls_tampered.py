"""A node between two devices that call each other: it changes, swaps, replays and invents what they say.

Whatever it does, the call ends as tampered with, or nothing comes of it; but where it is the only one to say
whose keys they are, it is seen by the words alone. tests.test_client_call_defences takes each defence out.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.calling import handshake, payloads
from safeum_home.client.calling.channel import Channel
from safeum_home.client.calling.ending import CallEnd
from safeum_home.client.calling.handshake import Shown, Tampered
from safeum_home.client.calling.link import Link, LinkState
from safeum_home.client.calling.opening import Opening
from safeum_home.client.calling.payloads import Again, Candidate, Control, Description, DescriptionKind
from safeum_home.client.calling.sealed import Direction, Opener, Sealer, filled
from safeum_home.client.secret import Secret
from safeum_home.protocol.signing import decode_octets, encode_octets
from tests.calls_links import CALL, Pairing, Person

TAMPERED = CallEnd.TAMPERED


def octets(text: str) -> bytes:
    found = decode_octets(text, len(text) * 3 // 4)
    assert found is not None
    return found


def flipped(text: str) -> Iterator[str]:
    """With each bit of it the other way round."""
    plain = octets(text)
    for bit in range(len(plain) * 8):
        changed = bytearray(plain)
        changed[bit // 8] ^= 1 << bit % 8
        yield encode_octets(bytes(changed))


class TamperedCase(SynchronousTestCase):
    """Pairings, and what became of them."""

    def pairing(self, anns: int | None = None, bens: int | None = None) -> Pairing:
        """With identities of these seeds."""
        pairing = Pairing(seeds=(anns, bens))
        self.addCleanup(pairing.close)
        return pairing.begin()

    def connected(self) -> Pairing:
        """One in which everything has gone well so far."""
        pairing = self.pairing()
        pairing.ben.link.respond()
        return pairing.run()

    def answered(self, pairing: Pairing) -> str:
        """The response, on its way."""
        pairing.ben.link.respond()
        return pairing.ben.said.pop()

    def revealed(self, pairing: Pairing) -> tuple[str, list[str]]:
        """The reveal, and what is sealed behind it."""
        pairing.ann.link.signal(self.answered(pairing))
        said, pairing.ann.said[:] = list(pairing.ann.said), []
        return said[0], said[1:]

    def is_tampered(self, *people: Person) -> None:
        """It is seen, nothing is sent with less, and no media link is left."""
        for person in people:
            self.assertIs(person.link.why, TAMPERED, person.link.wrong)
            self.assertEqual([link for link in person.source.links if not link.closed], [])

    def is_failed(self, person: Person) -> None:
        """It is over, and nobody is said to have interfered."""
        self.assertIs(person.link.why, CallEnd.FAILED, person.link.wrong)
        self.assertNotEqual(person.link.wrong, "")
        self.assertEqual([link for link in person.source.links if not link.closed], [])


class BitTests(TamperedCase):
    """Every bit that a node could change."""

    def test_response(self) -> None:
        pairing = self.pairing()
        response = octets(pairing.ben.link.response)
        hello = pairing.opening.octets
        handshake.read_response(pairing.pair, hello, response)
        for changed in flipped(pairing.ben.link.response):
            self.assertRaises(Tampered, handshake.read_response, pairing.pair, hello, octets(changed))

    def test_reveal(self) -> None:
        pairing = self.pairing()
        reveal, _ = self.revealed(pairing)
        said = pairing.pair, pairing.opening.octets, octets(pairing.ben.link.response)
        handshake.read_reveal(*said, octets(reveal))
        for changed in flipped(reveal):
            self.assertRaises(Tampered, handshake.read_reveal, *said, octets(changed))

    def test_hello(self) -> None:
        """A commitment that was changed on the way fits nothing."""
        pairing = self.pairing()
        for changed in list(flipped(pairing.opening.hello))[::16]:
            other = Pairing()
            self.addCleanup(other.close)
            other.begin()
            try:
                other.ben.link = Link(
                    *(other.ben.means, other.pair, changed, other.ben.way(), other.ben.said.append),
                    other.ben.changed,
                )
            except Tampered:
                continue
            other.ben.link.respond()
            other.run()
            self.is_tampered(other.ann)

    def test_sealed(self) -> None:
        direction = Direction(CALL, True)
        key = Secret.of(bytes(range(32)))
        sample = Sealer(key, direction).seal(payloads.encode(Candidate(0, "candidate:1")))
        Opener(key, direction).open(sample)
        for changed in flipped(sample):
            self.assertRaises(Tampered, Opener(key, direction).open, changed)

    def test_sealed_ends_the_call(self) -> None:
        pairing = self.pairing()
        reveal, (control, *_) = self.revealed(pairing)
        pairing.ben.link.signal(reveal)
        pairing.ben.link.signal(next(flipped(control)))
        self.is_tampered(pairing.ben)


class OrderTests(TamperedCase):
    """What is said once is taken once, in its order."""

    def test_replayed(self) -> None:
        pairing = self.pairing()
        reveal, (control, offer) = self.revealed(pairing)
        for data in (reveal, control, offer):
            pairing.ben.link.signal(data)
        _channel(pairing.ann).tell(Control(muted=True))
        pairing.deliver(pairing.ann, pairing.ben)
        self.assertTrue(pairing.ben.link.muted)
        pairing.ben.link.signal(control)
        self.assertEqual((pairing.ben.link.muted, pairing.ben.link.why), (True, None))

    def test_reordered(self) -> None:
        """What is late is lost."""
        pairing = self.pairing()
        reveal, (control, offer) = self.revealed(pairing)
        _channel(pairing.ann).tell(Control(muted=True))
        muted = pairing.ann.said.pop()
        for data in (reveal, muted, control, offer):
            pairing.ben.link.signal(data)
        self.assertTrue(pairing.ben.link.muted)
        self.assertEqual((pairing.ben.link.why, pairing.ben.source.links), (None, []))

    def test_dropped(self) -> None:
        """What a node does not pass on is missing, as it may be; nothing else comes of it."""
        pairing = self.pairing()
        reveal, (_, offer) = self.revealed(pairing)
        pairing.ben.link.signal(reveal)
        pairing.ben.link.signal(offer)
        pairing.run()
        self.assertEqual(pairing.states, (LinkState.CONNECTED, LinkState.CONNECTED))

    def test_repeated_response(self) -> None:
        """Octet by octet it is the same one; another one is none of this call."""
        pairing = self.pairing()
        response = self.answered(pairing)
        pairing.ann.link.signal(response)
        pairing.ann.link.signal(response)
        self.assertIsNone(pairing.ann.link.why)
        shown = Shown(pairing.ben.launch.signing.public, Secret.random().public(), bytes(32))
        signed = handshake.response_octets(pairing.pair, pairing.opening.octets, shown)
        other = handshake.response(shown, pairing.ben.launch.signing.sign(signed))
        pairing.ann.link.signal(encode_octets(other))
        self.is_tampered(pairing.ann)

    def test_another_call(self) -> None:
        """What was said in another call of the same two is nothing in this one."""
        pairing = self.pairing()
        other = self.same_people(pairing)
        theirs = self.revealed(other)
        mine = self.revealed(pairing)
        pairing.ben.link.signal(theirs[0])
        self.is_tampered(pairing.ben)
        again = self.pairing()
        reveal, _ = self.revealed(again)
        again.ben.link.signal(reveal)
        again.ben.link.signal(mine[1][0])
        self.is_tampered(again.ben)

    def same_people(self, pairing: Pairing) -> Pairing:
        """Another call of theirs, from the same launch of their programs."""
        other = Pairing()
        other.pair = other.pair._replace(call="d" * 22)
        for mine, theirs in ((other.ann, pairing.ann), (other.ben, pairing.ben)):
            mine.launch = theirs.launch
            mine.means = mine.means._replace(launch=theirs.launch)
        other.opening = Opening(other.ann.launch.signing.public, 1)
        self.addCleanup(other.close)
        return other.begin()

    def test_response_of_another_call(self) -> None:
        pairing = self.pairing()
        pairing.ann.link.signal(self.answered(self.same_people(pairing)))
        self.is_tampered(pairing.ann)

    def test_reflected(self) -> None:
        """What one has said oneself is not what the other says."""
        pairing = self.pairing()
        reveal, (control, offer) = self.revealed(pairing)
        for data in (reveal, control, offer):
            pairing.ben.link.signal(data)
        answer = pairing.ben.said[0]
        pairing.ben.link.signal(answer)
        self.is_tampered(pairing.ben)
        pairing.ann.link.signal(control)
        self.is_tampered(pairing.ann)

    def test_keys_of_each_direction(self) -> None:
        """What is sealed in one direction opens in it alone, even with the same key."""
        key = Secret.of(bytes(range(32)))
        sealed = Sealer(key, Direction(CALL, True)).seal(b"x")
        self.assertEqual(Opener(key, Direction(CALL, True)).open(sealed), b"x")
        self.assertRaises(Tampered, Opener(key, Direction(CALL, False)).open, sealed)
        self.assertRaises(Tampered, Opener(key, Direction("d" * 22, True)).open, sealed)


class LessTests(TamperedCase):
    """Nothing is taken that is not sealed, and nothing before it is known who it is."""

    def test_not_sealed(self) -> None:
        for data in (
            encode_octets(payloads.encode(Candidate(0, "candidate:1"))),
            encode_octets(b"\0"),
            encode_octets(b"\5" + bytes(64)),
            encode_octets(handshake.SEALED),
            "A",
            "",
            "$",
        ):
            pairing = self.pairing()
            reveal, _ = self.revealed(pairing)
            pairing.ben.link.signal(reveal)
            pairing.ben.link.signal(data)
            self.is_tampered(pairing.ben)

    @settings(max_examples=50, deadline=None)
    @given(st.text(max_size=40) | st.binary(max_size=400).map(encode_octets), st.integers(0, 4))
    def test_whatever(self, data: str, kind: int) -> None:
        """Whatever comes, before or after both have agreed: it is over, and nothing breaks."""
        for connected in (False, True):
            pairing = Pairing().begin()
            if connected:
                pairing.ben.link.respond()
                pairing.run()
            for person in (pairing.ann, pairing.ben):
                person.link.signal(data if kind == 0 else encode_octets(bytes([kind])) + data)
                if connected:
                    self.assertIs(person.link.why, TAMPERED)
            pairing.close()

    def test_sealed_too_early(self) -> None:
        """It waits until it is known whose it is: what was not sealed by that one ends the call then."""
        pairing = self.pairing()
        reveal, (control, _) = self.revealed(pairing)
        pairing.ben.link.signal(list(flipped(control))[-1])
        self.assertEqual((pairing.ben.link.why, pairing.ben.source.links), (None, []))
        pairing.ben.link.signal(reveal)
        self.is_tampered(pairing.ben)

    def test_no_hello(self) -> None:
        """Nor more commitments than a call takes: each is one more try to make the words come out alike."""
        ben = self.pairing().ben
        for hello in (
            "",
            "A",
            encode_octets(b"\1"),
            encode_octets(b"\1" + bytes(33)),
            encode_octets(b"\1" + bytes(64)),
            encode_octets(bytes(33)),
        ):
            with self.assertRaises(Tampered):
                Link(ben.means, ben.world.pair, hello, ben.way(), ben.said.append, ben.changed)

    def test_sizes(self) -> None:
        """What is sealed is filled up to one of a few sizes; something else is not taken."""
        key, direction = Secret.of(bytes(32)), Direction(CALL, True)
        for plain in (b"", b"x", b"x" * 255, b"x" * 256, b"x" * 16_383):
            sealed = Sealer(key, direction).seal(plain)
            self.assertEqual(Opener(key, direction).open(sealed), plain)
            self.assertIn(len(octets(sealed)) - 25, (256, 1024, 16_384))
        self.assertRaises(ValueError, filled, b"x" * 16_384)

    def test_what_cannot_be_read(self) -> None:
        """From the other device itself: it ends the call, but nobody has interfered."""
        for plain in (b"", b"{}", b"\xff", b'{"is":1}', b'{"is":"candidate","epoch":-1}', b"[" * 9999):
            pairing = self.connected()
            pairing.ann.said.append(_sealer(pairing.ann).seal(plain))
            pairing.deliver(pairing.ann, pairing.ben)
            self.is_failed(pairing.ben)

    def test_what_later_versions_say(self) -> None:
        """What this one does not know of is left alone, and so are the ends of candidates."""
        pairing = self.connected()
        for plain in (
            b'{"is":"song","words":[1]}',
            b'{"is":"control","muted":true,"hold":true}',
            b'{"is":"candidate","epoch":0,"line":""}',
        ):
            pairing.ann.said.append(_sealer(pairing.ann).seal(plain))
        pairing.run()
        self.assertEqual(pairing.states, (LinkState.CONNECTED, LinkState.CONNECTED))
        self.assertTrue(pairing.ben.link.muted)
        self.assertEqual(pairing.ben.source.links[0].candidates, [])


def _channel(person: Person) -> Channel:
    return person.link._channel


def _sealer(person: Person) -> Sealer:
    return _channel(person)._sealer


class DescriptionTests(TamperedCase):
    """Fingerprints, for whoever could seal: descriptions are signed as well."""

    def offer(self, pairing: Pairing, **changes: Any) -> None:
        """An offer of Ann's with something else in it."""
        link, said = pairing.ann.link, pairing.ann.said
        _channel(pairing.ann).describe(DescriptionKind.OFFER, 1, "v=0 fingerprint of Ann")
        keys = _channel(pairing.ben)._keys
        assert keys is not None
        opened = Opener(keys.initiators, Direction(CALL, True)).open(said.pop())
        description = payloads.decode(opened or b"")
        assert isinstance(description, Description)
        description = msgspec.structs.replace(description, **changes)
        said.append(_sealer(pairing.ann).seal(payloads.encode(description)))
        self.assertIsNone(link.why)
        pairing.deliver(pairing.ann, pairing.ben)

    def test_as_it_is(self) -> None:
        pairing = self.connected()
        self.offer(pairing)
        self.assertIsNone(pairing.ben.link.why)

    def test_swapped_fingerprint(self) -> None:
        pairing = self.connected()
        self.offer(pairing, sdp="v=0 fingerprint of the node")
        self.is_tampered(pairing.ben)

    def test_another_epoch(self) -> None:
        pairing = self.connected()
        self.offer(pairing, epoch=2)
        self.is_tampered(pairing.ben)

    def test_an_old_epoch(self) -> None:
        """An offer that was signed once is none again."""
        pairing = self.connected()
        _channel(pairing.ann).describe(DescriptionKind.OFFER, 0, "v=0 once more")
        pairing.deliver(pairing.ann, pairing.ben)
        self.is_tampered(pairing.ben)

    def test_wrong_role(self) -> None:
        """An initiator does not answer, and does not ask to be offered anything."""
        for say in (
            lambda pairing: _channel(pairing.ann).describe(DescriptionKind.ANSWER, 0, "v=0"),
            lambda pairing: _channel(pairing.ann).tell(Again(0)),
        ):
            pairing = self.connected()
            say(pairing)
            pairing.deliver(pairing.ann, pairing.ben)
            self.is_tampered(pairing.ben)
