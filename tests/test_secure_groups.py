"""Secure groups: who is in one, by the word of its members."""

from safeum_home.client.secure import envelope as envelopes
from safeum_home.client.secure import epoch as epochs
from safeum_home.client.secure import payloads
from safeum_home.client.secure.envelope import Kind
from safeum_home.client.secure.events import (
    Gone,
    NotVouched,
    Overtaken,
    RosterChanged,
    Told,
)
from safeum_home.client.secure.refused import Reason, Refused
from tests.secure_case import Program, SecureCase, account, kinds, unique_key


def members(told: Told) -> set[str]:
    return set(epochs.read(envelopes.read(told.data)).members)


class GroupTests(SecureCase):
    """Who is in a group by the word of its members."""

    def test_all_of_them(self) -> None:
        """What one says comes to all, in an epoch of one of them."""
        programs = self.group(5)
        for number, each in enumerate(programs):
            self.assertEqual(len(self.say(each, str(number))), 2 if number == 0 else 1)
        for number, each in enumerate(programs):
            self.assertEqual(each.texts, [str(other) for other in range(5) if other != number])
            self.assertEqual(each.refused, [])

    def test_admitted(self) -> None:
        """A new member is in the next epoch, and reads nothing of before."""
        alice, bob = self.group(2)
        self.say(alice, "Before")
        carol = self.add(2)
        self.carry(bob, bob.chat.admit([carol.account]))
        self.assertEqual(alice.of(RosterChanged)[-1].change.added, (carol.account,))
        told = self.say(alice, "After")
        self.assertEqual(members(told[0]), {account(each) for each in range(3)})
        self.assertEqual((carol.texts, bob.texts), (["After"], ["Before", "After"]))
        self.carry(carol, carol.chat.past(self.log))
        self.assertEqual(carol.texts, ["After", "After"])

    def test_dismissed(self) -> None:
        """Who was removed is in no epoch any more, and what it says later is not taken."""
        alice, bob, carol = self.group(3)
        self.say(carol, "Before")
        self.carry(alice, alice.chat.dismiss([carol.account]))
        self.assertEqual(bob.of(RosterChanged)[-1].change.removed, (carol.account,))
        self.assertEqual(members(self.say(bob, "Without her")[0]), {alice.account, bob.account})
        self.assertNotIn("Without her", carol.texts)
        self.assertRaises(Refused, carol.chat.say, payloads.Text("x"), "r")

    def test_left(self) -> None:
        """So it is with who has left; and with who comes back."""
        alice, bob, carol = self.group(3)
        self.carry(carol, carol.chat.dismiss([carol.account]))
        self.assertEqual(bob.of(RosterChanged)[-1].by, carol.account)
        self.say(alice, "Without her")
        self.carry(alice, alice.chat.admit([carol.account]))
        self.say(bob, "With her")
        self.assertEqual(carol.texts, ["With her"])

    def test_under_way(self) -> None:
        """What was under way when somebody was removed is taken for ten minutes, and not later."""
        alice, bob, carol = self.group(3)
        self.say(carol, "Before")
        post = [self.tell(carol, each) for each in carol.done(carol.chat.say(payloads.Text("Crossed"), "r"))]
        late = [self.tell(carol, each) for each in carol.done(carol.chat.say(payloads.Text("Late"), "r"))]
        self.carry(alice, alice.chat.dismiss([carol.account]))
        self.clock.advance(600)
        for each in post:
            self.give(bob, each)
        self.clock.advance(1)
        for each in late:
            self.give(bob, each)
        self.assertEqual(bob.texts, ["Before", "Crossed"])
        self.assertEqual(bob.refused, [Reason.STALE_EPOCH])

    def test_told_by_the_node(self) -> None:
        """Members whom nobody vouches for are shown, and in no epoch; nor are those that it drops."""
        alice, bob, carol = self.group(3)
        self.say(alice, "Before")
        everybody = [each.account for each in self.programs]
        self.carry(alice, alice.chat.members_told([*everybody, account(9)]))
        self.assertEqual(alice.of(NotVouched), [NotVouched((account(9),))])
        self.assertEqual(kinds(self.say(alice, "As ever")), [Kind.MESSAGE])
        self.carry(alice, alice.chat.members_told([alice.account, bob.account]))
        self.assertEqual(alice.of(Gone), [Gone((carol.account,))])
        self.assertEqual(members(self.say(alice, "Two of us")[0]), {alice.account, bob.account})
        self.assertNotIn("Two of us", carol.texts)
        self.assertIn("Two of us", bob.texts)

    def test_at_the_same_time(self) -> None:
        """Of two rosters that follow on the same one the first is in force; the other is signed anew."""
        alice, bob, *_ = programs = self.group(4)
        for each in programs:
            each.knows(unique_key(4), unique_key(5))
        posts = [*alice.done(alice.chat.admit([account(4)])), *bob.done(bob.chat.admit([account(5)]))]
        told = [self.tell(sender, post) for sender, post in zip((alice, bob), posts, strict=True)]
        for program in programs:
            for roster in told:
                self.give(program, roster)
        self.assertEqual([each.of(Overtaken) for each in programs], [[], [Overtaken()], [], []])
        self.carry(bob, bob.chat.admit([account(5)]))
        for program in programs:
            self.assertEqual(set(program.chat.members), {account(each) for each in range(6)})
        self.tick(60)
        self.assertEqual([each.refused for each in programs], [[]] * 4)

    def test_the_same_at_once(self) -> None:
        """Two sign the same list at once: it makes no difference, and is no alarm."""
        alice, bob, carol = programs = self.group(3)
        posts = [*alice.done(alice.chat.admit([])), *bob.done(bob.chat.admit([]))]
        told = [self.tell(sender, post) for sender, post in zip((alice, bob), posts, strict=True)]
        for program in programs:
            for roster in told:
                self.give(program, roster)
        self.tick(60)
        self.assertEqual((carol.refused, bob.of(Overtaken)), ([], [Overtaken()]))
        self.say(bob, "As ever")
        self.assertEqual(carol.texts, ["As ever"])

    def test_not_signed_anew(self) -> None:
        """Who has somebody in beside the roster in force, and does not sign anew, is told of."""
        alice, bob, carol = programs = self.group(3)
        for each in programs:
            each.knows(unique_key(4))
        posts = [*alice.done(alice.chat.admit([])), *bob.done(bob.chat.admit([account(4)]))]
        for sender, post in zip((alice, bob), posts, strict=True):
            self.give(carol, self.tell(sender, post))
        self.assertEqual(carol.refused, [])
        self.tick(60)
        self.tick(60)
        self.assertEqual(carol.refused, [Reason.ROSTER_FORKED])
        self.assertNotIn(account(4), carol.chat.members)

    def test_removed_at_the_same_time(self) -> None:
        """Whom the other one of two rosters removes is out at once."""
        alice, bob, carol, dave = programs = self.group(4)
        for each in programs:
            each.knows(unique_key(4))
        posts = [*alice.done(alice.chat.admit([account(4)])), *bob.done(bob.chat.dismiss([dave.account]))]
        told = [self.tell(sender, post) for sender, post in zip((alice, bob), posts, strict=True)]
        for program in (alice, bob, carol):
            for roster in told:
                self.give(program, roster)
            self.assertEqual(set(program.chat.members), {account(each) for each in (0, 1, 2, 4)})
            self.assertEqual(program.of(RosterChanged)[-1].change.removed, (dave.account,))
        self.assertEqual(members(self.say(carol, "Without Dave")[0]), set(carol.chat.members))
        self.carry(bob, bob.chat.dismiss([dave.account]))
        self.carry(alice, alice.chat.admit([dave.account]))
        self.assertIn(dave.account, carol.chat.members)

    def test_large(self) -> None:
        """Two hundred members, and no more; nor more than fit an envelope."""
        alice = self.add(0)
        alice.knows(*(unique_key(each) for each in range(1, 201)))
        with self.assertRaises(Refused) as caught:
            alice.chat.admit(account(each) for each in range(1, 201))
        self.assertEqual(caught.exception.reason, Reason.TOO_MANY)
        self.carry(alice, alice.chat.admit(account(each) for each in range(1, 200)))
        bob = self.add(1)
        bob.knows(*(unique_key(each) for each in range(200) if each != 1))
        for each in self.log:
            self.give(bob, each)
        self.say(alice, "All of you")
        self.assertEqual(bob.texts, ["All of you"])

    def test_long_names(self) -> None:
        """Members whose epoch would not fit an envelope are refused, not just when something is said."""
        alice = self.add(0)
        key = unique_key(1).public
        names = ["@" + "a" * 26 + f":{'x' * 200}{number}.example" for number in range(130)]
        for name in names:
            alice.people.told(name, key, 0)
        with self.assertRaises(Refused) as caught:
            alice.chat.admit(names)
        self.assertEqual(caught.exception.reason, Reason.TOO_LARGE)
        self.carry(alice, alice.chat.admit(names[:110]))
        self.say(alice, "x")

    def test_one_at_a_time(self) -> None:
        """A second one is signed once the node has told where the first stands, or will not have it."""
        alice, bob = self.group(2)
        alice.chat.admit([bob.account])
        with self.assertRaises(Refused) as caught:
            alice.chat.admit([bob.account])
        self.assertEqual(caught.exception.reason, Reason.TOO_MANY)
        alice.chat.renew()
        alice.chat.admit([bob.account])

    def test_keys_of_a_member(self) -> None:
        """Who changes its keys stays a member, with those that follow."""
        alice, bob, carol = self.group(3)
        self.carry(carol, carol.chat.succeed(unique_key(2, 1)))
        self.programs.remove(carol)
        later = Program(2, self.clock, version=1).knows(alice.key, bob.key)
        self.programs.append(later)
        self.carry(alice, alice.chat.admit([]))
        told = self.say(bob, "All three")
        self.assertEqual(members(told[0]), {account(each) for each in range(3)})
        self.assertEqual(later.texts, ["All three"])
        self.assertEqual(alice.texts, ["All three"])
