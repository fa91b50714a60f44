"""A node that means harm, and what comes of it: all that it does is seen, or does nothing."""

from collections.abc import Callable

from safeum_home.client.secure import envelope as envelopes
from safeum_home.client.secure import payloads, roster, succession
from safeum_home.client.secure.envelope import Kind
from safeum_home.client.secure.events import (
    KeysChanged,
    KeysDiffer,
    Received,
    Told,
    Waiting,
)
from safeum_home.client.secure.payloads import Text
from safeum_home.client.secure.refused import Reason
from safeum_home.protocol.signing import encode_octets
from tests.secure_case import MALLORY, OTHER_CHAT, Program, SecureCase, unique_key
from tests.secure_forger import Forger


class PlaceTests(SecureCase):
    """Envelopes of elsewhere, and of others."""

    def test_spliced(self) -> None:
        """What was said in another chat is not taken, also where the same people are in it."""
        alice, bob = self.pair()
        self.say(alice, "x")
        elsewhere = Program(0, self.clock, 1).knows(bob.key)
        elsewhere.open(OTHER_CHAT)
        for post in elsewhere.done(elsewhere.chat.say(Text("I hate you"), "r")):
            self.give(bob, self.tell(elsewhere, post))
        self.assertEqual((bob.texts, bob.refused), (["x"], [Reason.BAD_SIGNATURE] * 2))

    def test_of_somebody_else(self) -> None:
        """What one member has said is not another's."""
        alice, bob, carol = self.group(3)
        self.bend = lambda program, told: [
            Told(alice.account, told.id, told.data, told.quiet) if told.sender == carol.account else told
        ]
        self.say(carol, "I am Alice")
        self.assertEqual((bob.texts, bob.refused), ([], [Reason.BAD_SIGNATURE] * 2))

    def test_somebody_elses_stream(self) -> None:
        """A member cannot go on with the stream of another one."""
        alice, bob, carol = self.group(3)
        self.say(alice, "x")
        forger = Forger(carol.key)
        head = envelopes.read(alice.posted[-1].data).head
        forger.stream, forger.number, forger.previous = head.stream, head.number, alice.posted[-1].hash
        members = {each.account: each.key.public for each in (alice, bob, carol)}
        epoch, _ = forger.epoch(members, roster=bob.chat._room.roster.head)
        self.give(bob, forger.told(epoch))
        self.say(alice, "y")
        self.assertEqual((bob.texts, bob.refused), (["x", "y"], [Reason.FORKED]))

    def test_others_edits(self) -> None:
        """Nobody edits, or deletes, what somebody else has written."""
        alice, bob = self.pair()
        self.say(alice, "Yes")
        hash = encode_octets(alice.posted[-1].hash)
        edit: Callable[[], payloads.Payload] = lambda: payloads.Edit(hash, "No")  # noqa: E731
        for payload in (edit(), payloads.Deletion((hash,))):
            self.say(bob, payload)
        self.assertEqual(alice.refused, [Reason.NOT_ITS_AUTHOR] * 2)
        self.assertEqual(alice.of(Received), [])


class MemberTests(SecureCase):
    """Who is a member of what, as far as a program remembers it."""

    def test_epoch_of_another_sender(self) -> None:
        """A member cannot seal something as another one; nor somebody who is in no epoch, in any."""
        alice, bob = self.group(2)
        self.say(alice, "x")
        id = envelopes.read(self.log[-2].data).hash
        known = bob.chat._room.epochs.get(id)
        assert known is not None
        stranger = Forger(unique_key(MALLORY))
        bob.knows(unique_key(MALLORY))
        said = stranger.message(id, bob.chat._room.epochs.key(known), Text("Let me in"))
        self.give(bob, stranger.told(said))
        self.assertEqual((bob.texts, bob.refused), (["x"], [Reason.NOT_A_MEMBER]))

    def test_removed_says_something(self) -> None:
        """Nor in an epoch that is known from the vault, or from history, in which it was a member."""
        alice, bob, carol = self.group(3)
        self.say(alice, "x")
        made = self.log[-2]
        key = carol.chat._room.epochs
        known = key.get(envelopes.read(made.data).hash)
        assert known is not None
        self.carry(alice, alice.chat.dismiss([carol.account]))
        forger = Forger(carol.key)
        said = forger.told(forger.message(known.id, key.key(known), Text("I am still here")))
        for remembers in (True, False):
            later = Program(1, self.clock).knows(alice.key, carol.key)
            if remembers:
                later.chat.restore(bob.chat.memory())
            else:
                later.done(later.chat.past(self.log))
            later.events.clear()
            self.give(later, said)
            self.assertEqual((later.texts, later.refused), ([], [Reason.NOT_A_MEMBER]))


class KeyTests(SecureCase):
    """Keys of the node's own."""

    def test_swapped(self) -> None:
        """The node hands out a key of its own: that is shown, and nothing is sealed to it."""
        alice, bob = self.pair()
        self.say(alice, "Before")
        fake = unique_key(1, 7)
        self.carry(alice, alice.chat.keys_told(bob.account, fake.public))
        self.say(alice, "Secret")
        self.assertEqual(alice.of(KeysChanged), [KeysChanged(bob.account, bob.key.hash, fake.hash, False)])
        self.assertEqual(len(alice.of(Waiting)), 1)
        self.assertEqual(len(alice.posted), 2)

    def test_forged_messages(self) -> None:
        """What is signed with a key of the node's own is not taken, unless it is accepted."""
        alice, bob = self.pair()
        self.say(alice, "Before")
        fake = Forger(unique_key(1, 7))
        epoch, key = fake.epoch({bob.account: fake.key.public, alice.account: alice.key.public})
        said = [fake.told(epoch), fake.told(fake.message(epoch.hash, key, Text("Meet me")))]
        for each in said:
            self.give(alice, each)
        self.assertEqual(alice.refused, [Reason.BAD_SIGNATURE] * 2)
        self.carry(alice, alice.chat.keys_told(bob.account, fake.key.public))
        for each in said:
            self.give(alice, each)
        self.tick(60)
        self.assertEqual(alice.of(Received), [])
        self.assertEqual(alice.refused[2:], [Reason.NO_KEYS] * 2)

    def test_forged_succession(self) -> None:
        """Keys that are not in force name no followers; nor do keys name others that have not agreed."""
        alice, bob = self.pair()
        fake = Forger(unique_key(1, 8))
        # Keys of the node's own name each other, and it says that Bob's have named them.
        strange = succession.name(unique_key(1, 7), fake.key.public, 0)
        unsaid = succession.Line(bob.key.public, strange.named)
        honest = succession.name(bob.key, alice.key.public, 0)
        for line, signer in ((strange, fake), (unsaid, fake), (honest, Forger(bob.key))):
            self.give(alice, signer.told(signer.envelope(Kind.SUCCESSION, line.octets)))
        bad, malformed = Reason.BAD_SIGNATURE, Reason.MALFORMED
        self.assertEqual(alice.refused, [bad, malformed, bad])
        self.assertEqual(alice.people.get(bob.account).keys, bob.key.public)  # type: ignore[union-attr]
        self.assertEqual(alice.of(KeysChanged), [])

    def test_two_followers(self) -> None:
        """Keys that have named their followers name no others, as who has stolen them may want."""
        alice, bob, carol = self.group(3)
        carol_before = carol.key
        self.carry(carol, carol.chat.succeed(unique_key(2, 1)))
        content = succession.name(carol_before, unique_key(2, 7).public, 0).octets
        stolen = Forger(unique_key(2, 7))
        self.give(bob, stolen.told(stolen.envelope(Kind.SUCCESSION, content)))
        self.assertEqual((bob.refused, len(bob.of(KeysChanged))), ([Reason.OLD_KEYS], 1))
        members = {**alice.chat.members, carol.account: carol.key.hash}
        forger = Forger(alice.key)
        content = roster.make(int(self.clock.seconds() * 1000), bob.chat._room.roster.head, members)
        self.give(bob, forger.told(forger.envelope(Kind.ROSTER, content)))
        self.assertEqual(bob.chat.members[carol.account], unique_key(2, 1).hash)

    def test_swapped_in_a_group(self) -> None:
        """Whose keys nobody here has seen: those that a member has vouched for count, not the node's."""
        alice, bob = self.group(2)
        carol = unique_key(2)
        alice.knows(carol)
        self.carry(alice, alice.chat.admit([carol.account]))
        fake = unique_key(2, 7)
        self.carry(bob, bob.chat.keys_told(carol.account, fake.public))
        self.say(bob, "Secret")
        self.assertEqual((bob.of(KeysDiffer), bob.posted), ([KeysDiffer(carol.account)], []))
        self.assertEqual(len(bob.of(Waiting)), 1)

    def test_old_keys(self) -> None:
        """Keys that were followed by others are good for ten minutes more, for what was under way."""
        alice, bob = self.pair()
        self.say(bob, "Before")
        stolen = Forger(bob.key)
        self.carry(bob, bob.chat.succeed(unique_key(1, 1)))
        self.clock.advance(601)
        self.assertTrue(alice.people.verify(bob.account, unique_key(1, 1).hash, alice.chat._room.now()))
        self.give(alice, stolen.told(stolen.epoch({alice.account: alice.key.public})[0]))
        self.assertEqual(alice.refused, [Reason.OLD_KEYS])
