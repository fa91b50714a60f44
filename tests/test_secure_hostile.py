"""A node that means harm, and what comes of it: all that it does is seen, or does nothing."""

from collections.abc import Callable
from typing import Any

from safeum_home.client.secret import Secret
from safeum_home.client.secure import envelope as envelopes
from safeum_home.client.secure import epoch as epochs
from safeum_home.client.secure import message, payloads, roster, succession
from safeum_home.client.secure.envelope import NONE, Envelope, Head, Kind
from safeum_home.client.secure.epoch import EpochKey
from safeum_home.client.secure.events import (
    Forked,
    Gap,
    KeysChanged,
    KeysDiffer,
    Missing,
    NotVouched,
    Received,
    Refusal,
    RosterChanged,
    Told,
    Unseen,
    Waiting,
)
from safeum_home.client.secure.message import Inner
from safeum_home.client.secure.octets import number
from safeum_home.client.secure.payloads import Text
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.refused import Reason
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.protocol.signing import encode_octets
from tests.secure_case import CHAT, OTHER_CHAT, START, Program, SecureCase, account, unique_key

MALLORY = 25


class Forger:
    """Somebody with a unique key who says what the SDK would not, in a stream of its own."""

    def __init__(self, key: UniqueKey, chat: str = CHAT) -> None:
        self.key = key
        self.place = envelopes.Place(chat, key.account)
        self.stream = number(START * 1000) + b"forged 1"
        self.number, self.previous = 0, NONE

    def envelope(self, kind: Kind, content: bytes, **changes: Any) -> Envelope:
        head = Head(kind, kind is not Kind.MESSAGE, self.stream, self.number + 1, self.previous)
        sealed = envelopes.seal(head._replace(**changes), content, self.place, self.key.signing)
        self.number, self.previous = self.number + 1, sealed.hash
        return sealed

    def told(self, envelope: Envelope, sender: str = "") -> Told:
        name = f"f{self.number}"
        return Told(sender or self.key.account, name, envelope.data, envelope.head.quiet)

    def epoch(self, members: dict[str, PublicKeys], roster: bytes = NONE) -> tuple[Envelope, EpochKey]:
        key = EpochKey(Secret.random())
        content = epochs.make(key, START * 1000, roster, NONE, members)
        return self.envelope(Kind.EPOCH, content), key

    def message(self, epoch: bytes, key: EpochKey, payload: payloads.Payload) -> Envelope:
        inner = Inner(START * 1000, 0, (), payloads.encode(payload))
        head = Head(Kind.MESSAGE, payloads.is_quiet(payload), self.stream, self.number + 1, self.previous)
        sender = key.of_sender(self.key.account, self.key.hash)
        content = message.seal(inner, head, self.place, epoch, sender)
        return self.envelope(Kind.MESSAGE, content, quiet=head.quiet)


class OrderTests(SecureCase):
    """Envelopes that are repeated, lost, and in another order."""

    def test_replayed(self) -> None:
        """Under another id it is shown as what it is, and not as something new."""
        alice, bob = self.pair()
        told = self.say(alice, "Pay 10")
        for each in told:
            self.give(bob, Told(each.sender, "again", each.data, each.quiet))
        self.assertEqual(bob.texts, ["Pay 10"])
        self.assertEqual(bob.refused, [Reason.REPLAYED] * 2)

    def test_replayed_after_a_start(self) -> None:
        """So it is where a program has begun anew, with its vault."""
        alice, bob = self.pair()
        told = self.say(alice, "Pay 10")
        later = Program(1, self.clock, 0).knows(alice.key)
        later.chat.restore(bob.chat.memory())
        self.give(later, told[1])
        self.assertEqual((later.texts, later.refused), ([], [Reason.REPLAYED]))

    def test_replayed_stream(self) -> None:
        """A stream that is known no more is not begun again."""
        alice, bob = self.pair()
        old = self.say(alice, "Pay 10")
        for _ in range(9):
            self.clock.advance(1)
            alice.chat.renew()
            self.say(alice, "x")
        later = Program(1, self.clock, 0).knows(alice.key)
        later.chat.restore(bob.chat.memory())
        for each in old:
            self.give(later, each)
        self.assertEqual((later.texts, later.refused), ([], [Reason.REPLAYED] * 2))

    def test_delivered_twice(self) -> None:
        """Under its own id it does nothing: so nodes do where a connection broke."""
        alice, bob = self.pair()
        for each in self.say(alice, "Once") + self.log:
            self.give(bob, each)
        self.assertEqual((bob.texts, bob.refused), (["Once"], []))

    def test_reordered(self) -> None:
        """What comes too late is marked, and that it was missing was told."""
        alice, bob = self.pair()
        self.say(alice, "One")
        held: list[Told] = []

        def bend(program: Program, told: Told) -> list[Told]:
            held.append(told)
            return []

        self.bend = bend
        self.say(alice, "Two")
        self.say(alice, "Three")
        for each in reversed(held):
            self.carry(bob, bob.chat.take(each))
        self.assertEqual(bob.texts, ["One", "Three", "Two"])
        self.assertEqual(bob.of(Gap), [Gap(alice.account, 1)])
        self.assertEqual([each.late for each in bob.of(Received)], [False, False, True])

    def test_dropped(self) -> None:
        """The next one shows that one is missing."""
        alice, bob = self.pair()
        self.say(alice, "Do")
        self.bend = lambda program, told: ()
        self.say(alice, "Do not")
        self.bend = lambda program, told: (told,)
        self.say(alice, "Now")
        self.assertEqual((bob.texts, bob.of(Gap)), (["Do", "Now"], [Gap(alice.account, 1)]))

    def test_first_dropped(self) -> None:
        """So it is with the first ones of a stream."""
        alice, bob = self.pair()
        self.say(bob, "Where are you?")
        self.clock.advance(1)
        alice.chat.renew()
        self.bend = lambda program, told: ()
        self.say(alice, "Do not")
        self.bend = lambda program, told: (told,)
        self.say(alice, "Now")
        self.assertEqual((bob.texts, bob.of(Gap)), (["Now"], [Gap(alice.account, 1)]))

    def test_first_dropped_of_who_was_silent(self) -> None:
        """A stream begins with its first envelope, however long its program has been there."""
        alice = self.add(0, peer=1)
        self.clock.advance(60)
        bob = self.add(1, peer=0)
        self.say(bob, "Where are you?")
        self.bend = lambda program, told: ()
        self.say(alice, "Do not")
        self.bend = lambda program, told: (told,)
        self.say(alice, "Now")
        self.assertEqual((bob.texts, bob.of(Gap)), (["Now"], [Gap(alice.account, 1)]))

    def test_first_dropped_meanwhile(self) -> None:
        """Also of one that has begun while this program was not there."""
        alice, bob = self.pair()
        self.say(bob, "Before")
        memory = bob.chat.memory()
        self.clock.advance(1)
        alice.chat.renew()
        self.say(alice, "Do not")
        told = self.say(alice, "Now")
        self.clock.advance(1)
        later = Program(1, self.clock, 0).knows(alice.key)
        later.chat.restore(memory)
        self.give(later, *told)
        self.assertEqual((later.texts, later.of(Gap)), (["Now"], [Gap(alice.account, 1)]))
        unknowing = Program(1, self.clock, 0).knows(alice.key)
        self.give(unknowing, *told)
        self.assertEqual(unknowing.of(Gap), [])

    def test_cut(self) -> None:
        """The end of what somebody has said is withheld from one: what others have seen shows that."""
        alice, bob, carol = self.group(3)
        self.say(alice, "First")
        self.bend = lambda program, told: () if program is bob else (told,)
        self.say(alice, "Do not tell Bob")
        self.bend = lambda program, told: (told,)
        self.say(carol, "Yes")
        self.tick(59)
        self.assertEqual(bob.of(Missing), [])
        self.tick(1)
        self.assertEqual(bob.of(Missing), [Missing(carol.account, alice.account, 1)])
        self.tick(60)
        self.assertEqual(len(bob.of(Missing)), 1)

    def test_cut_for_all(self) -> None:
        """It is withheld from everybody: their messages do not show that they have seen it."""
        alice, bob = self.pair()
        self.say(alice, "First")
        self.bend = lambda program, told: ()
        self.say(alice, "Second")
        self.bend = lambda program, told: (told,)
        self.say(bob, "So soon")
        self.clock.advance(301)
        self.say(bob, "Still nothing")
        self.assertEqual(alice.of(Unseen), [Unseen(bob.account, 1)])

    def test_forked(self) -> None:
        """A program of which there are two, as from a copy of its memory, is seen by who has both."""
        alice, bob = self.pair()
        self.say(alice, "First")
        forger = Forger(alice.key)
        head = envelopes.read(alice.posted[-1].data).head
        forger.stream, forger.number, forger.previous = head.stream, head.number, alice.posted[-1].hash
        epoch, _ = forger.epoch({alice.account: alice.key.public, bob.account: bob.key.public})
        self.say(alice, "Second")
        self.give(bob, forger.told(epoch))
        self.assertEqual(bob.refused, [Reason.FORKED])

    def test_forked_apart(self) -> None:
        """One who tells two people different things is seen by what they have seen."""
        alice, bob, carol = self.group(3)
        self.say(carol, "Who is there?")
        forger = Forger(alice.key)
        members = {each.account: each.key.public for each in (alice, bob, carol)}
        epoch, key = forger.epoch(members, roster=bob.chat._room.roster.head)
        before = forger.number, forger.previous
        one = forger.message(epoch.hash, key, Text("Yes"))
        forger.number, forger.previous = before
        other = forger.message(epoch.hash, key, Text("No"))
        for program, said in ((bob, one), (carol, other)):
            for each in (epoch, said):
                self.give(program, forger.told(each))
        self.say(bob, "Did she say yes?")
        self.assertEqual(carol.of(Forked), [Forked(bob.account, alice.account)])


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
