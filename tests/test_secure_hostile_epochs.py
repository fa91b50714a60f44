"""A node that makes epochs and members of its own, and what comes of it."""

from safeum_home.client.secret import Secret
from safeum_home.client.secure import envelope as envelopes
from safeum_home.client.secure import epoch as epochs
from safeum_home.client.secure import roster
from safeum_home.client.secure.envelope import NONE, Kind
from safeum_home.client.secure.epoch import EpochKey
from safeum_home.client.secure.events import (
    Gap,
    NotVouched,
    Refusal,
    RosterChanged,
    Told,
)
from safeum_home.client.secure.octets import number
from safeum_home.client.secure.payloads import Text
from safeum_home.client.secure.refused import Reason
from safeum_home.protocol.signing import encode_octets
from tests.secure_case import CHAT, MALLORY, START, Program, SecureCase, account, unique_key
from tests.secure_forger import Forger


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
