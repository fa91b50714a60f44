"""Envelopes of secure chats that a node repeats, keeps back, or shows in another order."""

from safeum_home.client.secure import envelope as envelopes
from safeum_home.client.secure.events import (
    Forked,
    Gap,
    Missing,
    Received,
    Told,
    Unseen,
)
from safeum_home.client.secure.payloads import Text
from safeum_home.client.secure.refused import Reason
from tests.secure_case import Program, SecureCase
from tests.secure_forger import Forger


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

    def test_cut_before_another_stream(self) -> None:
        """Whoever goes on with another stream, in time, says how far the one before has come."""
        alice, bob = self.pair()
        self.say(alice, "First")
        self.bend = lambda program, told: ()
        self.say(alice, "Last")
        self.bend = lambda program, told: (told,)
        self.clock.advance(8 * 24 * 60 * 60)
        self.say(alice, "Next")
        self.clock.advance(61)
        bob.done(bob.chat.tick())
        self.assertEqual(bob.of(Missing), [Missing(alice.account, alice.account, 1)])

    def test_cut_before_what_is_refused(self) -> None:
        """A node that takes something, shows it to nobody, and then refuses the next: the first is missed."""
        alice, bob = self.pair()
        self.say(alice, "First")
        self.bend = lambda program, told: ()
        self.say(alice, "Last")
        self.bend = lambda program, told: (told,)
        first, second = (alice.done(alice.chat.say(Text(each), "r"))[0] for each in ("a", "b"))
        for refused in (first, second):  # whichever it refuses, and in whatever order that is heard
            alice.chat.renew(refused.data)
        self.say(alice, "Next")
        self.clock.advance(61)
        bob.done(bob.chat.tick())
        self.assertEqual(bob.of(Missing), [Missing(alice.account, alice.account, 1)])

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
