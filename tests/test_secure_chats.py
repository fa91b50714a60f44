"""Secure chats as they are meant to be: what is said comes, to those who are meant, and to nobody else."""

from safeum_home.client.secure import payloads
from safeum_home.client.secure.envelope import Kind
from safeum_home.client.secure.events import (
    KeysChanged,
    KeysNeeded,
    Received,
    VaultNewer,
    Waiting,
)
from safeum_home.client.secure.people import Trust
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.protocol.signing import encode_octets
from tests.secure_case import Program, SecureCase, kinds, unique_key

VOICE = payloads.Voice(800, b"\1\2")


class DirectTests(SecureCase):
    """A chat of two."""

    def test_both_ways(self) -> None:
        """The first message brings an epoch, in which the other answers."""
        alice, bob = self.pair()
        self.assertEqual(kinds(self.say(alice, "Hello")), [Kind.EPOCH, Kind.MESSAGE])
        self.assertEqual(kinds(self.say(bob, "Hi")), [Kind.MESSAGE])
        self.assertEqual((bob.texts, alice.texts), (["Hello"], ["Hi"]))
        self.assertEqual(alice.refused + bob.refused, [])
        (received,) = bob.of(Received)
        self.assertEqual((received.sender, received.id), (alice.account, "m1"))
        self.assertEqual(received.at, int(self.clock.seconds() * 1000))

    def test_payloads(self) -> None:
        """Answers, edits, reactions, deletions, files and voice notes come as they were said."""
        alice, bob = self.pair()
        self.say(bob, "First")
        hash = encode_octets(alice.of(Received)[0].hash)
        own = encode_octets(bob.posted[-1].hash)
        said: list[payloads.Payload] = [
            payloads.Text("Yes", (bob.account,), payloads.Reply(hash, "c" * 22)),
            payloads.Reaction(hash, "❤️"),
            payloads.Reaction(hash),
            payloads.File("F" + "a" * 26, own, hash, 5, "a.ogg", "audio/ogg", voice=VOICE),
        ]
        for each in said:
            self.say(alice, each)
        self.assertEqual([each.payload for each in bob.of(Received)], said)
        for each in (payloads.Edit(own, "Second"), payloads.Deletion((own,))):
            self.say(bob, each)
        self.assertIsInstance(alice.of(Received)[-1].payload, payloads.Deletion)
        self.assertEqual(alice.refused + bob.refused, [])

    def test_quiet(self) -> None:
        """What wakes nobody is marked outside."""
        alice, _ = self.pair()
        epoch, text = self.say(alice, "Hello")
        (reaction,) = self.say(alice, payloads.Reaction(encode_octets(bytes(32)), "❤️"))
        self.assertEqual([each.quiet for each in (epoch, text, reaction)], [True, False, True])

    def test_own_programs(self) -> None:
        """Another program of the same account has all that was said, by either."""
        alice, bob = self.pair()
        tablet = self.add(0, peer=1)
        self.say(alice, "Hello")
        self.say(bob, "Hi")
        self.say(tablet, "Here, too")
        self.assertEqual(tablet.texts, ["Hello", "Hi"])
        self.assertEqual(alice.texts, ["Hi", "Here, too"])
        self.assertEqual(bob.texts, ["Hello", "Here, too"])
        self.assertEqual(alice.refused + bob.refused + tablet.refused, [])

    def test_sizes(self) -> None:
        """Texts of different lengths are of the same length in an envelope; one that fits none is refused."""
        alice, _ = self.pair()
        sizes = {len(self.say(alice, "x" * size)[-1].data) for size in range(1, 180)}
        self.assertEqual(len(sizes), 1)
        self.say(alice, "x" * 8192)
        for text in ("\0" * 8000, "x" * 8193):
            with self.assertRaises(Refused) as caught:
                alice.chat.say(payloads.Text(text), "r")
            self.assertIn(caught.exception.reason, (Reason.TOO_LARGE, Reason.MALFORMED))

    def test_epochs_end(self) -> None:
        """After 100 messages, or 24 hours, another one is begun, by whoever says something."""
        alice, bob = self.pair()
        made = [kinds(self.say(each, "x")).count(Kind.EPOCH) for each in (alice, bob) * 101]
        self.assertEqual([place for place, count in enumerate(made) if count], [0, 100, 200])
        self.clock.advance(24 * 60 * 60 - 1)
        self.assertEqual(kinds(self.say(bob, "x")), [Kind.MESSAGE])
        self.clock.advance(1)
        self.assertEqual(kinds(self.say(bob, "x")), [Kind.EPOCH, Kind.MESSAGE])
        self.assertEqual(alice.refused + bob.refused, [])

    def test_with_oneself(self) -> None:
        """Notes to oneself are read by another program of the account."""
        one, two = self.add(0, peer=0), self.add(0, peer=0)
        self.say(one, "Note")
        self.assertEqual(two.texts, ["Note"])


class KeysTests(SecureCase):
    """Keys that are not there, that change, and that are accepted."""

    def test_waits_for_keys(self) -> None:
        """What is said to somebody whose keys are not known waits, and is said once they are there."""
        alice, bob = Program(0, self.clock, 1), Program(1, self.clock, 0).knows(unique_key(0))
        self.programs += [alice, bob]
        self.say(alice, "One", "1")
        self.say(alice, "Two", "2")
        self.assertEqual(alice.posted, [])
        self.assertEqual([each.reference for each in alice.of(Waiting)], ["1", "2"])
        self.assertEqual(alice.of(KeysNeeded)[0].accounts, (bob.account,))
        self.carry(alice, alice.chat.keys_told(bob.account, bob.key.public))
        self.assertEqual(bob.texts, ["One", "Two"])

    def test_waits_within_bounds(self) -> None:
        """A hundred messages wait; one can be given up."""
        alice = Program(0, self.clock, 1)
        for number in range(100):
            alice.chat.say(payloads.Text("x"), str(number))
        with self.assertRaises(Refused) as caught:
            alice.chat.say(payloads.Text("x"), "one more")
        self.assertEqual(caught.exception.reason, Reason.TOO_MANY)
        self.assertEqual([alice.chat.forget("7"), alice.chat.forget("7")], [True, False])
        alice.chat.say(payloads.Text("x"), "one more")

    def test_keys_of_a_sender(self) -> None:
        """What comes from somebody whose keys are not known waits for them."""
        alice, bob = Program(0, self.clock, 1).knows(unique_key(1)), Program(1, self.clock, 0)
        self.programs += [alice, bob]
        self.say(alice, "Hello")
        self.assertEqual((bob.texts, bob.of(KeysNeeded)), ([], [KeysNeeded((alice.account,))] * 2))
        self.carry(bob, bob.chat.keys_told(alice.account, alice.key.public))
        self.assertEqual(bob.texts, ["Hello"])

    def test_succession(self) -> None:
        """Keys that name their followers: shown with both hashes, used at once, and verified no more."""
        alice, bob = self.pair()
        self.say(alice, "Before")
        self.assertTrue(bob.people.verify(alice.account, alice.key.hash, 0))
        new = unique_key(0, 1)
        self.carry(alice, alice.chat.succeed(new))
        changed = KeysChanged(alice.account, alice.key.hash, new.hash, True)
        self.assertEqual(bob.of(KeysChanged), [changed])
        self.assertEqual(bob.people.trust(alice.account), Trust.CHANGED)
        self.programs.remove(alice)
        later = Program(0, self.clock, 1, version=1).knows(bob.key)
        self.programs.append(later)
        self.assertEqual(kinds(self.say(bob, "To the new ones")), [Kind.EPOCH, Kind.MESSAGE])
        self.say(later, "After")
        self.assertEqual((later.texts, bob.texts), (["To the new ones"], ["Before", "After"]))

    def test_another_program_has_changed_them(self) -> None:
        """One's own programs with the keys before are told as well."""
        alice, _ = self.pair()
        tablet = self.add(0, peer=1)
        self.carry(alice, alice.chat.succeed(unique_key(0, 1)))
        self.assertEqual(len(tablet.of(KeysChanged)), 1)

    def test_changed_without_a_word(self) -> None:
        """Other keys of the directory are shown in the chat, and nothing is sealed to them unaccepted."""
        alice, bob = self.pair()
        self.say(alice, "Before")
        new = Program(1, self.clock, 0, version=1).knows(alice.key)
        self.carry(alice, alice.chat.keys_told(bob.account, new.key.public))
        self.carry(alice, alice.chat.keys_told(bob.account, new.key.public))
        self.assertEqual(alice.of(KeysChanged), [KeysChanged(bob.account, bob.key.hash, new.key.hash, False)])
        self.programs.append(new)
        self.say(alice, "Is it you?", "1")
        self.say(new, "It is")
        self.assertEqual((new.texts, alice.texts), ([], []))
        self.assertEqual(alice.of(Waiting)[0].accounts, (bob.account,))
        self.assertFalse(alice.people.accept(bob.account, bob.key.hash, 1))
        self.assertTrue(alice.people.accept(bob.account, new.key.hash, 1))
        self.carry(alice, alice.chat.look_again())
        self.assertEqual((new.texts, alice.texts), (["Is it you?"], ["It is"]))
        self.assertEqual(alice.people.trust(bob.account), Trust.CHANGED)


class MemoryTests(SecureCase):
    """Programs that begin anew."""

    def test_history(self) -> None:
        """Who has nothing but the unique key reads what is at the node."""
        alice, bob = self.pair()
        self.say(alice, "One")
        self.say(bob, "Two")
        self.say(alice, "Three")
        later = Program(1, self.clock, 0).knows(alice.key)
        later.done(later.chat.past(self.log))
        self.assertEqual(later.texts, ["One", "Two", "Three"])
        self.assertTrue(all(each.past for each in later.of(Received)))
        self.programs = [alice, later]
        self.assertEqual(kinds(self.say(later, "Four")), [Kind.EPOCH, Kind.MESSAGE])
        self.assertEqual(alice.texts, ["Two", "Four"])

    def test_remembers(self) -> None:
        """With the vault a program goes on where it was: epochs, roster and streams."""
        alice, bob, carol = self.group(3)
        self.say(alice, "One")
        memory, people = bob.chat.memory(), bob.people
        self.programs.remove(bob)
        later = Program(1, self.clock)
        later.people = people
        later.open("!" + "e" * 26)
        later.chat.restore(memory)
        self.programs.append(later)
        self.say(carol, "Two")
        self.say(later, "Three")
        self.assertEqual((later.texts, alice.texts), (["Two"], ["Two", "Three"]))
        self.assertEqual(later.events[1:], [])
        self.assertEqual(later.chat.members, alice.chat.members)

    def test_roster_of_the_past(self) -> None:
        """One of history that was never in force is not after a start either."""
        alice, bob, carol = self.group(3)
        posts = [*alice.done(alice.chat.dismiss([carol.account]))]
        self.clock.advance(1)
        posts += bob.done(bob.chat.admit([]))
        for sender, post in zip((alice, bob), posts, strict=True):
            roster = self.tell(sender, post)
            for program in (alice, bob):
                self.give(program, roster)
        later = Program(1, self.clock).knows(alice.key, carol.key)
        later.chat.restore(bob.chat.memory())
        later.done(later.chat.past(self.log))
        self.assertEqual(set(later.chat.members), {alice.account, bob.account})

    def test_newer_vault(self) -> None:
        """What another program of one's own says tells of the vault that it has."""
        alice, _ = self.pair()
        tablet = self.add(0, peer=1)
        tablet.vault = 7
        self.say(tablet, "x")
        self.assertEqual(alice.of(VaultNewer), [VaultNewer(7)])

    def test_not_posted(self) -> None:
        """Where a node will not have something the next stream begins; nobody sees a gap, or misses it."""
        alice, bob = self.pair()
        self.say(alice, "One")
        [lost] = alice.done(alice.chat.say(payloads.Text("lost"), "r"))
        alice.chat.renew(lost.data)
        self.say(alice, "Two")
        self.clock.advance(61)
        bob.done(bob.chat.tick())
        self.assertEqual(bob.texts, ["One", "Two"])
        self.assertEqual([type(each) for each in bob.events], [Received, Received])
