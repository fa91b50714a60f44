"""Who was out of a secure group, and is let in again: what was said meanwhile is no gap, all else is."""

from collections.abc import Iterable

from safeum_home.client.secure.events import Gap, Missing, Told
from safeum_home.client.secure.refused import Reason
from tests.secure_case import CHAT, Program, SecureCase, straight


class OutTests(SecureCase):
    """Bob is out, and Carol speaks."""

    def setUp(self) -> None:
        super().setUp()
        self.alice, self.bob, self.carol = self.group(3)
        self.said = self.say(self.carol, "Before")

    def hide(self) -> None:
        """Bob is told of nothing, as who is not in a group."""

        def bend(program: Program, told: Told) -> Iterable[Told]:
            return () if program is self.bob else (told,)

        self.bend = bend

    def out(self) -> None:
        """Bob is removed, much is said, and he is let in by a roster that was signed before he came."""
        self.carry(self.alice, self.alice.chat.dismiss([self.bob.account]))
        self.hide()
        for each in (self.carol, self.carol, self.alice):
            self.say(each, "Without him")
        self.clock.advance(1)
        self.alice.chat.renew()
        self.say(self.alice, "In a stream that he does not know")
        self.carry(self.alice, self.alice.chat.admit([self.bob.account]))
        self.bend = straight

    def back(self) -> None:
        """What comes now has gaps that are explained."""
        self.clock.advance(1)
        self.carry(self.carol, self.carol.chat.admit([]))
        for each in (self.alice, self.carol):
            self.say(each, f"With him, {each.number}")
        self.assertEqual(self.bob.of(Gap), [])
        self.assertEqual(self.bob.texts[-2:], ["With him, 0", "With him, 2"])
        self.assertEqual(self.bob.refused, [])

    def test_removed(self) -> None:
        self.out()
        self.back()

    def test_left(self) -> None:
        self.carry(self.bob, self.bob.chat.dismiss([self.bob.account]))
        self.hide()
        self.say(self.carol, "Without him")
        self.carry(self.alice, self.alice.chat.admit([self.bob.account]))
        self.bend = straight
        self.back()

    def test_begun_anew(self) -> None:
        """The vault knows that he was out."""
        self.out()
        memory = self.bob.chat.memory()
        self.bob.open(CHAT)
        self.bob.knows(self.alice.key, self.carol.key)
        self.bob.chat.restore(memory)
        self.back()

    def test_before_he_is_in(self) -> None:
        """Something that comes before the roster which has him in shows no gap, either."""
        self.out()
        self.say(self.carol, "He is expected")
        self.back()

    def test_replayed(self) -> None:
        """What had come before he was out is taken no more."""
        self.out()
        self.back()
        for each in self.said:
            self.give(self.bob, Told(each.sender, "again", each.data, each.quiet))
        self.assertEqual(self.bob.refused, [Reason.REPLAYED] * len(self.said))

    def test_only_the_first(self) -> None:
        """From what he is shown first on all has to come."""
        self.out()
        self.back()
        for each in (self.alice, self.carol):
            self.hide()
            self.say(each, "Kept from him")
            self.bend = straight
            self.say(each, "After")
        self.assertEqual(self.bob.of(Gap), [Gap(self.alice.account, 1), Gap(self.carol.account, 1)])

    def test_seen_by_others(self) -> None:
        """What others have seen is missing from there on where it was named first."""
        self.out()
        self.clock.advance(1)
        dave = self.add(3)
        self.carry(self.carol, self.carol.chat.admit([dave.account]))
        self.say(self.carol, "Who has seen what Alice has said meanwhile")
        self.tick(60)
        self.assertEqual((self.bob.of(Missing), dave.of(Missing)), ([], []))
        self.bend = lambda program, told: (told,) if program is self.carol else ()
        self.say(self.alice, "Kept from both")
        self.bend = straight
        self.say(self.carol, "Who has seen that")
        self.tick(60)
        for each in (self.bob, dave):
            self.assertEqual(each.of(Missing), [Missing(self.carol.account, None, 1)])

    def test_another_leaves(self) -> None:
        """Who leaves as Bob comes lets nobody in by that, and it is no alarm to who is in none."""
        self.bob.open(CHAT)
        self.bob.knows(self.alice.key, self.carol.key)
        self.carry(self.carol, self.carol.chat.dismiss([self.carol.account]))
        self.assertEqual((dict(self.bob.chat.members), self.bob.refused), ({}, []))
        self.carry(self.alice, self.alice.chat.admit([]))
        self.assertEqual(set(self.bob.chat.members), {self.alice.account, self.bob.account})

    def test_never_out(self) -> None:
        """A node that keeps things from him, and says that he was out, and in again, shows a gap."""
        self.hide()
        self.say(self.carol, "Kept from him")
        everybody = [each.account for each in self.programs]
        self.bend = straight
        for members in (everybody[:1], everybody):
            self.carry(self.bob, self.bob.chat.members_told(members))
        self.carry(self.carol, self.carol.chat.admit([]))
        self.assertEqual(self.bob.of(Gap), [Gap(self.carol.account, 1)])
