"""A node that means harm, and what comes of it: all that it does is seen, or does nothing."""

from collections.abc import Callable

from safeum_home.client.secret import Secret
from safeum_home.client.secure import envelope as envelopes
from safeum_home.client.secure import epoch as epochs
from safeum_home.client.secure import payloads, roster, succession
from safeum_home.client.secure.envelope import NONE, Kind
from safeum_home.client.secure.epoch import EpochKey
from safeum_home.client.secure.events import (
    Gap,
    KeysChanged,
    KeysDiffer,
    NotVouched,
    Received,
    Refusal,
    RosterChanged,
    Told,
    Waiting,
)
from safeum_home.client.secure.octets import number
from safeum_home.client.secure.payloads import Text
from safeum_home.client.secure.refused import Reason
from safeum_home.protocol.signing import encode_octets
from tests.secure_case import CHAT, OTHER_CHAT, START, Program, SecureCase, account, unique_key
from tests.secure_forger import Forger

MALLORY = 25


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


class EpochTests(SecureCase):
    """Epochs and members of the node's own."""

    def test_forged_epoch(self) -> None:
        """An epoch that no member has signed is none, whoever it is said to be of."""
        alice, bob = self.pair()
        mallory = Forger(unique_key(MALLORY))
        members = {each.account: each.key.public for each in (alice, bob)}
        epoch, _ = mallory.epoch(members)
        self.give(bob, mallory.told(epoch, sender=alice.account))
        bob.knows(mallory.key)
        self.give(bob, mallory.told(epoch))
        self.assertEqual(bob.refused, [Reason.BAD_SIGNATURE, Reason.NOT_A_MEMBER])
        self.say(bob, "Hello")
        known = self.log[-2]
        self.assertEqual(envelopes.read(known.data).head.kind, Kind.EPOCH)

    def test_ghost_of_the_node(self) -> None:
        """A member whom the node names alone is shown, and is in no epoch."""
        alice, bob = self.group(2)
        alice.knows(unique_key(MALLORY))
        self.carry(alice, alice.chat.members_told([alice.account, bob.account, account(MALLORY)]))
        self.say(alice, "Secret")
        self.assertEqual(alice.of(NotVouched), [NotVouched((account(MALLORY),))])
        self.assertNotIn(account(MALLORY), epochs.read(envelopes.read(self.log[-2].data)).members)

    def test_ghost_in_an_epoch(self) -> None:
        """An epoch for somebody who is in no roster is refused, also of a member's; nothing is said in it."""
        alice, bob = self.group(2)
        bob.knows(unique_key(MALLORY))
        forger = Forger(alice.key)
        members = {key.account: key.public for key in (alice.key, bob.key, unique_key(MALLORY))}
        epoch, _ = forger.epoch(members, roster=bob.chat._room.roster.head)
        self.give(bob, forger.told(epoch))
        self.assertEqual(bob.refused, [Reason.GHOST])
        (made, _) = self.say(bob, "Secret")
        self.assertEqual(set(epochs.read(envelopes.read(made.data)).members), {alice.account, bob.account})

    def test_ghost_in_a_chat_of_two(self) -> None:
        """So it is there; and with keys of a member that are not known as its own."""
        alice, bob = self.pair()
        for third in (unique_key(MALLORY), unique_key(0, 7)):
            forger = Forger(alice.key)
            forger.stream = number(START * 1000) + encode_octets(third.hash)[:8].encode()
            members = {alice.account: alice.key.public, bob.account: bob.key.public}
            epoch, _ = forger.epoch({**members, third.account: third.public})
            self.give(bob, forger.told(epoch))
        self.assertEqual(bob.refused, [Reason.GHOST, Reason.NOT_A_MEMBER])

    def test_ghost_in_a_roster(self) -> None:
        """A roster that no member has signed adds nobody."""
        alice, bob = self.group(2)
        mallory = Forger(unique_key(MALLORY))
        bob.knows(mallory.key)
        members = {each.account: each.key.hash for each in (alice, bob)}
        content = roster.make(
            0, bob.chat._room.roster.head, {**members, mallory.key.account: mallory.key.hash}
        )
        self.give(bob, mallory.told(mallory.envelope(Kind.ROSTER, content)))
        mallory.number, mallory.previous = 0, NONE
        mallory.stream = number(START * 1000) + b"forged 2"
        self.give(bob, mallory.told(mallory.envelope(Kind.ROSTER, content), sender=alice.account))
        self.assertEqual(bob.refused, [Reason.NOT_A_MEMBER, Reason.BAD_SIGNATURE])
        self.assertEqual(set(bob.chat.members), set(members))

    def test_removed_member_signs(self) -> None:
        """Nor does one that a removed member has signed, on whichever it follows."""
        alice, bob, carol = self.group(3)
        before = bob.chat._room.roster.head
        self.carry(alice, alice.chat.dismiss([carol.account]))
        bob.knows(unique_key(MALLORY))
        members = {each.account: each.key.hash for each in (alice, bob, carol)}
        members[account(MALLORY)] = unique_key(MALLORY).hash
        forger = Forger(carol.key)
        for previous in (bob.chat._room.roster.head, before, NONE, b"?" * 32):
            content = roster.make(0, previous, members)
            self.give(bob, forger.told(forger.envelope(Kind.ROSTER, content)))
        self.assertEqual(bob.refused, [Reason.NOT_A_MEMBER] * 4)
        self.assertEqual(set(bob.chat.members), {alice.account, bob.account})

    def test_removal_behind_another(self) -> None:
        """Who is to be removed signs first, as the node has it: it is out once the removal has come."""
        alice, bob, carol = self.group(3)
        for each in (alice, bob):
            each.knows(unique_key(MALLORY))
        forger = Forger(carol.key)
        members = {each.account: each.key.hash for each in (alice, bob, carol)}
        members[account(MALLORY)] = unique_key(MALLORY).hash
        content = roster.make(0, bob.chat._room.roster.head, members)
        self.give(bob, forger.told(forger.envelope(Kind.ROSTER, content)))
        self.carry(alice, alice.chat.dismiss([carol.account]))
        removed, added = bob.of(RosterChanged)[-1].change.removed, bob.of(RosterChanged)[-2].change.added
        self.assertEqual((removed, added), ((carol.account,), (account(MALLORY),)))
        self.assertNotIn(carol.account, bob.chat.members)

    def test_removal_after_a_start(self) -> None:
        """A list that knew nothing of a removal brings nobody back, to who has begun anew either."""
        alice, bob, carol, dave = self.group(4)
        before = bob.chat._room.roster.head
        self.carry(alice, alice.chat.dismiss([carol.account]))
        self._again(bob)
        self.clock.advance(1)
        members = {each.account: each.key.hash for each in (alice, bob, carol)}
        content = roster.make(int(self.clock.seconds() * 1000), before, members)
        forger = Forger(alice.key)
        self.give(bob, forger.told(forger.envelope(Kind.ROSTER, content)))
        self.assertEqual(set(bob.chat.members), {alice.account, bob.account})
        # Nor does one on what is in force, by who has not heard that somebody was removed beside it.
        self._again(bob)
        members = {each.account: each.key.hash for each in (alice, bob, dave)}
        content = roster.make(int(self.clock.seconds() * 1000), bob.chat._room.roster.head, members)
        self.give(bob, forger.told(forger.envelope(Kind.ROSTER, content)))
        self.assertEqual(set(bob.chat.members), {alice.account, bob.account})

    def test_removal_of_before(self) -> None:
        """Who was removed and is back stays, whoever reads the history again, and after a start."""
        alice, bob, carol = self.group(3)
        self.carry(alice, alice.chat.dismiss([carol.account]))
        self.carry(alice, alice.chat.admit([carol.account]))
        for _ in range(2):
            bob.done(bob.chat.past(self.log))
            self.assertEqual(set(bob.chat.members), {each.account for each in (alice, bob, carol)})
            self._again(bob)

    def _again(self, program: Program) -> None:
        """Begin anew, with what the vault has kept."""
        memory = program.chat.memory()
        program.open(CHAT)
        program.knows(*(each.key for each in self.programs if each is not program))
        program.chat.restore(memory)

    def test_roster_withheld(self) -> None:
        """One that is withheld leaves a gap, and the next one is taken; a late one removes yet."""
        alice, bob, carol, dave = self.group(4)
        held: list[Told] = []
        self.bend = lambda program, told: held.append(told) or () if program is bob else (told,)  # type: ignore[func-returns-value]
        self.carry(alice, alice.chat.dismiss([carol.account]))
        self.bend = lambda program, told: (told,)
        self.carry(alice, alice.chat.dismiss([dave.account]))
        self.assertEqual(bob.of(Gap), [Gap(alice.account, 1)])
        self.assertEqual(set(bob.chat.members), {alice.account, bob.account})
        self.carry(bob, bob.chat.take(held[0]))
        self.assertEqual(set(bob.chat.members), {alice.account, bob.account})

    def test_roster_of_before(self) -> None:
        """An older one, that a newcomer has never seen, is not in force, whoever has signed it."""
        alice, bob = self.group(2)
        carol = self.add(2)
        more = {**bob.chat.members, account(9): bytes(32)}
        before = roster.make(int(self.clock.seconds() * 1000), b"?" * 32, more)
        self.clock.advance(1)
        self.carry(alice, alice.chat.admit([carol.account]))
        forger = Forger(alice.key)
        self.give(carol, forger.told(forger.envelope(Kind.ROSTER, before)))
        self.assertEqual(set(carol.chat.members), {account(each) for each in range(3)})
        self.tick(60)
        self.tick(60)
        self.assertEqual(carol.refused, [Reason.ROSTER_FORKED])

    def test_everything_is_told(self) -> None:
        """Whoever a member adds is told to all."""
        alice, bob = self.group(2)
        alice.knows(unique_key(MALLORY))
        self.carry(alice, alice.chat.admit([account(MALLORY)]))
        self.assertEqual(bob.of(RosterChanged)[-1].change.added, (account(MALLORY),))

    def test_left_out(self) -> None:
        """An epoch without this account is shown: somebody says something that is not for it."""
        alice, bob, carol = self.group(3)
        forger = Forger(alice.key)
        head = bob.chat._room.roster.head
        epoch, _ = forger.epoch({each.account: each.key.public for each in (alice, carol)}, roster=head)
        self.give(bob, forger.told(epoch))
        self.assertEqual(bob.refused, [Reason.EXCLUDED])

    def test_two_keys(self) -> None:
        """A maker who boxes different keys to different members is seen by the one with the other key."""
        alice, bob = self.pair()
        forger = Forger(alice.key)
        members = {alice.account: alice.key.public, bob.account: bob.key.public}
        content = epochs.make(EpochKey(Secret.random()), 0, NONE, NONE, members)
        box = EpochKey(Secret.random()).box(bob.key.public.box)
        content = content[: -len(box)] + box
        self.give(bob, forger.told(forger.envelope(Kind.EPOCH, content)))
        self.assertEqual(bob.refused, [Reason.BAD_EPOCH])

    def test_without_an_epoch(self) -> None:
        """A message whose epoch is withheld is told of after a minute, and taken once it comes."""
        alice, bob = self.pair()
        held: list[Told] = []

        def bend(program: Program, told: Told) -> list[Told]:
            if envelopes.read(told.data).head.kind is Kind.EPOCH:
                held.append(told)
                return []
            return [told]

        self.bend = bend
        self.say(alice, "Hello")
        self.tick(60)
        self.assertEqual((bob.texts, bob.refused), ([], [Reason.NO_EPOCH]))
        self.carry(bob, bob.chat.keys_told(alice.account, alice.key.public))
        self.tick(60)
        self.assertEqual(bob.refused, [Reason.NO_EPOCH])
        self.carry(bob, bob.chat.take(held[0]))
        self.assertEqual(bob.texts, ["Hello"])

    def test_without_end(self) -> None:
        """What waits is bounded: the oldest goes, and that is told."""
        alice, bob = self.pair()
        forger = Forger(alice.key)
        key = EpochKey(Secret.random())
        for each in range(205):
            self.give(bob, forger.told(forger.message(bytes([each]) * 32, key, Text("x"))))
        refusals = bob.of(Refusal)
        self.assertEqual([each.reason for each in refusals], [Reason.TOO_MANY] * 5)
        self.assertEqual(refusals[0].id, "f1")
