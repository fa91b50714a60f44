"""Who is at the other end: a node in the middle with keys of its own, and a directory that lies."""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from safeum_home.client.calling import handshake
from safeum_home.client.calling.channel import MOST_TRIES, TRY_SECONDS, Means
from safeum_home.client.calling.directory import Bound
from safeum_home.client.calling.handshake import Shown, Tampered, TooMany
from safeum_home.client.calling.launch import LaunchKeys
from safeum_home.client.calling.link import Link, LinkState
from safeum_home.client.calling.opening import Opening
from safeum_home.client.secret import Secret, Wiped
from safeum_home.protocol.key_types import AccountKeys
from safeum_home.protocol.signing import encode_octets
from tests.calls_links import ANN, ANNS, BEN, BENS, Believing, Pairing, Person, way
from tests.calls_media import FakeSource
from tests.test_calls_tampered import TamperedCase

CONNECTED = LinkState.CONNECTED


class Middle:
    """A node that speaks to each of the two as the other, and shows its own launch keys as theirs."""

    def __init__(
        self, pairing: Pairing, show: "Callable[[Middle, Person], AccountKeys] | None" = None
    ) -> None:
        self.pairing = pairing
        self.launch = LaunchKeys()
        show = Middle.shown if show is None else show
        ann, ben = pairing.ann, pairing.ben
        ann.sees[BEN] = lambda: show(self, ben)
        ben.sees[ANN] = lambda: show(self, ann)
        means = Means.of(
            pairing.clock, self.launch, Believing(ann, None, pairing.milliseconds, pairing.clock)
        )
        self.opening = Opening(self.launch.signing.public, 1)
        self.to_ann: list[str] = []
        self.to_ben: list[str] = []
        source, pair = FakeSource(pairing.network), pairing.pair
        self.as_ben = Link(means, pair, pairing.opening.hello, way(source), self.to_ann.append, _nobody)
        self.as_ann = Link(means, pair, self.opening, way(source), self.to_ben.append, _nobody)

    def shown(self, person: Person) -> AccountKeys:
        """What the directory says of one of the two: that it has no identity."""
        at = int(self.pairing.milliseconds())
        launch = msgspec.structs.replace(
            person.keys().launches[0], sign=self.launch.sign, box=self.launch.box, at=at, bound=None
        )
        return AccountKeys(person.account, launches=(launch,))

    def known(self, person: Person) -> AccountKeys:
        """The same with the identity that is known."""
        return msgspec.structs.replace(person.keys(), launches=self.shown(person).launches)

    def run(self) -> "Middle":
        """Both speak to it, and it to them."""
        ann, ben = self.pairing.ann, self.pairing.ben
        ben.link = Link(
            ben.means, self.pairing.pair, self.opening.hello, ben.way(), ben.said.append, ben.changed
        )
        self.as_ben.respond()
        ben.link.respond()
        lines: tuple[tuple[list[str], Link], ...] = (
            (self.to_ann, ann.link),
            (self.to_ben, ben.link),
            (ann.said, self.as_ben),
            (ben.said, self.as_ann),
        )
        while any(said for said, _ in lines):
            for said, link in lines:
                heard, said[:] = list(said), []
                for data in heard:
                    link.signal(data)
        return self

    def close(self) -> None:
        for link in (self.as_ann, self.as_ben):
            link.close()


def _nobody(_link: Link) -> None:
    pass


class MiddleTests(TamperedCase):
    def middle(self, pairing: Pairing, *show: Any) -> Middle:
        pairing.ben.link.close()
        pairing.ben.said.clear()
        middle = Middle(pairing, *show)
        self.addCleanup(middle.close)
        return middle.run()

    def test_seen_by_the_words(self) -> None:
        """Where neither has an identity both are connected to the node, and they see other words."""
        pairing = self.pairing()
        self.middle(pairing)
        self.assertEqual(pairing.states, (CONNECTED, CONNECTED))
        self.assertNotEqual(pairing.ann.link.words, pairing.ben.link.words)

    def test_identity(self) -> None:
        """Keys that are not bound to an identity that is shown are nobody's."""
        pairing = self.pairing(1, 2)
        self.middle(pairing, Middle.known)
        self.is_tampered(pairing.ann, pairing.ben)

    def test_hidden_identity(self) -> None:
        """A node can hide an identity from those who know none: from those who have pinned it it cannot."""
        pairing = self.pairing(1, 2)
        pairing.ann.pins[BEN] = _sign(pairing.ben)
        pairing.ben.pins[ANN] = _sign(pairing.ann)
        self.middle(pairing)
        self.is_tampered(pairing.ann, pairing.ben)

    def test_other_identity(self) -> None:
        """Nor can it show another one to these."""
        pairing = self.pairing(1, 2)
        pairing.ann.pins[BEN] = _sign(pairing.ann)
        pairing.ben.link.respond()
        pairing.run()
        self.is_tampered(pairing.ann)

    def test_pinned(self) -> None:
        """The one that was pinned is taken, also where the directory has nothing but the launch keys."""
        for keys in (True, False):
            pairing = self.pairing(1, 2)
            pairing.ann.pins[BEN] = _sign(pairing.ben)
            if not keys:
                bare = AccountKeys(BEN, launches=pairing.ben.keys().launches)
                pairing.ann.sees[BEN] = partial(_the, bare)
            pairing.ben.link.respond()
            pairing.run()
            self.assertEqual(pairing.states, (CONNECTED, CONNECTED))
            self.assertEqual((pairing.ann.link.bound, pairing.ben.link.bound), (Bound.PINNED, Bound.IDENTITY))

    def test_identity_of_the_node(self) -> None:
        """Who has pinned nothing is shown whatever identity: the words differ, and `bound` says it."""
        pairing = self.pairing(None, 2)
        mallory = Person(pairing, BEN, BENS, 3)
        self.addCleanup(mallory.launch.wipe)

        def shown(middle: Middle, person: Person) -> AccountKeys:
            if person.account == ANN:
                return middle.shown(person)
            mallory.launch, before = middle.launch, mallory.launch
            before.wipe()
            middle.launch._sign_with = mallory._sign
            return mallory.keys()

        self.middle(pairing, shown)
        self.assertEqual(pairing.states, (CONNECTED, CONNECTED))
        self.assertNotEqual(pairing.ann.link.words, pairing.ben.link.words)
        self.assertEqual((pairing.ann.link.bound, pairing.ben.link.bound), (Bound.IDENTITY, Bound.NONE))


def _the(keys: AccountKeys) -> AccountKeys:
    return keys


def _sign(person: Person) -> str:
    assert person.identity is not None
    return encode_octets(bytes(person.identity.verify_key))


class CommitmentTests(TamperedCase):
    """Nobody can look for keys with which the words come out as wanted."""

    def reveal(self, pairing: Pairing, shown: Shown, number: int = 0) -> None:
        """Ann's program opens its commitment to something else, which it signs."""
        response = handshake.octets_of(self.answered(pairing))
        transcript = handshake.transcript_octets(
            pairing.pair, pairing.opening.octets, response, number, shown
        )
        signature = pairing.ann.launch.signing.sign(transcript)
        pairing.ben.link.signal(encode_octets(handshake.reveal(number, shown, signature)))

    def test_other_keys(self) -> None:
        """An initiator that chooses once it has seen the responder's keys is not believed."""
        pairing = self.pairing()
        shown = Shown(pairing.ann.launch.signing.public, Secret.random().public(), bytes(32))
        self.reveal(pairing, shown)
        self.is_tampered(pairing.ben)

    def test_other_nonce(self) -> None:
        pairing = self.pairing()
        _, _, shown = pairing.opening.take() or self.fail()
        self.reveal(pairing, shown._replace(nonce=bytes(32)))
        self.is_tampered(pairing.ben)

    def test_other_number(self) -> None:
        """There is no commitment beyond the last."""
        pairing = self.pairing()
        _, _, shown = pairing.opening.take() or self.fail()
        self.reveal(pairing, shown, 1)
        self.is_tampered(pairing.ben)

    def test_shown_once(self) -> None:
        """A second device is not shown what another one has seen: it could choose its own keys by that."""
        pairing = self.pairing()
        self.revealed(pairing)
        ann = pairing.ann
        ann.link.close()
        second = Link(ann.means, pairing.pair, pairing.opening, ann.way(), ann.said.append, ann.changed)
        ann.said.clear()
        ann.link = second
        second.signal(pairing.ben.link.response)
        self.is_tampered(ann)
        self.assertEqual(ann.said, [])

    def test_many_tries(self) -> None:
        """Who knows what the other side will see cannot let this one respond until it comes out alike."""
        pairing = self.pairing()
        ben = pairing.ben
        words = 0
        for _ in range(MOST_TRIES + 10):
            hello = Opening(pairing.ann.launch.signing.public, 1).hello
            try:
                link = Link(ben.means, pairing.pair, hello, ben.way(), ben.said.append, ben.changed)
            except TooMany as error:
                self.assertLessEqual(error.seconds, TRY_SECONDS)
                continue
            words += 1
            link.close()
        self.assertLess(words, MOST_TRIES + 1)
        other = pairing.pair._replace(initiator="@" + "c" * 26 + ":home.example")
        Link(ben.means, other, hello, ben.way(), ben.said.append, ben.changed).close()
        pairing.clock.advance(TRY_SECONDS)
        Link(ben.means, pairing.pair, hello, ben.way(), ben.said.append, ben.changed).close()

    def test_many_openings(self) -> None:
        """Nor can whoever stands in for somebody have this one open commitments until it does."""
        pairing = self.pairing()
        words = set()
        for _ in range(MOST_TRIES + 10):
            # Whoever is in the middle has no such bound.
            pairing.ben.means = Means.of(pairing.clock, pairing.ben.launch, pairing.ben.directory)
            pairing.anew().ben.link.respond()
            words.add(pairing.run().ann.link.words)
        self.assertEqual(len(words - {None}), MOST_TRIES)
        self.is_failed(pairing.ann)

    def test_low_order(self) -> None:
        """A key with which everybody would come to the same secret is refused."""
        pairing = self.pairing()
        for public in (bytes(32), bytes([1]) + bytes(31)):
            self.assertRaises(Tampered, handshake.agree, Secret.random(), public, b"")
        shown = Shown(pairing.ben.launch.signing.public, bytes(32), bytes(32))
        signed = handshake.response_octets(pairing.pair, pairing.opening.octets, shown)
        response = handshake.response(shown, pairing.ben.launch.signing.sign(signed))
        pairing.ann.link.signal(encode_octets(response))
        self.is_tampered(pairing.ann)

    def test_keys_are_wiped(self) -> None:
        """What was agreed with, and what sealed, is no more once it has served."""
        pairing = self.connected()
        self.assertTrue(all(secret.wiped for secret in pairing.opening._secrets))
        keys = pairing.ann.link._channel._keys
        assert keys is not None
        pairing.ann.link.close()
        self.assertTrue(keys.initiators.wiped and keys.responders.wiped)
        self.assertRaises(Wiped, keys.initiators.public)


class WhoTests(TamperedCase):
    """A node that says that the call is of somebody else, or of another kind."""

    def said(self, **changes: str) -> Pairing:
        """Ben is told something else of the call than it is."""
        pairing = self.pairing()
        pairing.ben.link.close()
        pairing.ben.said.clear()
        ben, pair = pairing.ben, pairing.pair._replace(**changes)
        ben.link = Link(ben.means, pair, pairing.opening.hello, ben.way(), ben.said.append, ben.changed)
        ben.link.respond()
        pairing.ann.link.signal(ben.said.pop())
        return pairing

    def test_who_calls(self) -> None:
        for changes in (
            {"initiator": BEN},
            {"initiator_device": BENS},
            {"responder": ANN},
            {"responder_device": ANNS},
            {"call": "d" * 22},
            {"kind": "video"},
            {"chat": "!" + "g" * 26},
        ):
            self.is_tampered(self.said(**changes).ann)

    def test_by_itself(self) -> None:
        """What was not changed is taken."""
        self.assertIsNone(self.said().ann.link.why)
