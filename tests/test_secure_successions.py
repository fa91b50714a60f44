"""Keys that name their followers: who takes that, who has changed them, and what stays readable."""

from dataclasses import replace

from safeum_home.client.secure import succession
from safeum_home.client.secure.envelope import Kind
from safeum_home.client.secure.events import KeysChanged, RosterChanged, Told, Waiting
from safeum_home.client.secure.own_memory import OwnMemory, merge
from safeum_home.client.secure.payloads import Text
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.protocol.signing import encode_octets
from tests.secure_case import CHAT, OTHER_CHAT, Program, SecureCase, account, unique_key
from tests.secure_forger import Forger


def line_of(number: int, versions: int) -> succession.Line:
    """Of one of the people, whose keys were changed so often."""
    line = None
    for version in range(versions):
        line = succession.name(unique_key(number, version), unique_key(number, version + 1).public, 1, line)
    assert line is not None
    return line


def told(number: int, line: succession.Line, signer: UniqueKey, chat: str = CHAT) -> Told:
    """A succession that somebody has signed."""
    forger = Forger(signer, chat)
    return replace(forger.told(forger.envelope(Kind.SUCCESSION, line.octets)), sender=account(number))


def changes(program: Program) -> list[tuple[bytes, bytes]]:
    """What it was told of keys that were followed by others."""
    assert all(each.vouched for each in program.of(KeysChanged))
    return [(each.before, each.after) for each in program.of(KeysChanged)]


class TakingTests(SecureCase):
    """Bob takes what Alice, or a node, says of her keys."""

    def test_several(self) -> None:
        """Who has missed a change is told of all of them at once, from those that it knows."""
        alice, bob = self.pair()
        self.give(bob, told(0, line_of(0, 3), unique_key(0, 3)))
        self.assertEqual((changes(bob), bob.refused), ([(alice.key.hash, unique_key(0, 3).hash)], []))

    def test_the_last_ones(self) -> None:
        """So many are named that the first ones are left out: who knows only those is not led further."""
        _, bob = self.pair()
        line = line_of(0, 9)
        self.assertEqual(len(line.keys), 9)
        self.give(bob, told(0, line, unique_key(0, 9)))
        self.assertEqual((changes(bob), bob.refused), ([], [Reason.BAD_SIGNATURE]))

    def test_never_seen_before(self) -> None:
        """Who knows the last ones alone, as those that were seen first, is told of no change."""
        _, bob = self.add(0, peer=1, version=1), self.add(1, peer=0)
        self.give(bob, told(0, line_of(0, 1), unique_key(0, 1)))
        self.assertEqual((changes(bob), bob.refused), ([], []))
        self.carry(self.programs[0], self.programs[0].chat.succeed(unique_key(0, 2), line_of(0, 2)))
        self.assertEqual(changes(bob), [(unique_key(0, 1).hash, unique_key(0, 2).hash)])

    def test_posted_twice(self) -> None:
        """As by a program that was killed before it could note that it had: once is told."""
        self.pair()
        bob, line = self.programs[1], line_of(0, 1)
        for _ in range(2):
            self.give(bob, told(0, line, unique_key(0, 1)))
            self.clock.advance(1)
        self.assertEqual(len(changes(bob)), 1)

    def test_somebody_elses(self) -> None:
        """The word is about one account, and the envelope is of one chat: elsewhere it is none."""
        _, bob, _ = self.group(3)
        line = line_of(2, 1)
        for each in (told(0, line, unique_key(2, 1)), told(2, line, unique_key(2, 1), OTHER_CHAT)):
            self.give(bob, each)
        self.assertEqual(bob.refused, [Reason.MALFORMED, Reason.BAD_SIGNATURE])
        self.assertEqual(changes(bob), [])

    def test_replayed(self) -> None:
        """It comes twice: the second time it is refused."""
        alice, bob = self.pair()
        [said] = self.carry(alice, alice.chat.succeed(unique_key(0, 1)))
        self.give(bob, replace(said, id="again"))
        self.assertEqual((bob.refused, len(changes(bob))), ([Reason.REPLAYED], 1))

    def test_back(self) -> None:
        """Who has stolen keys of before, or of now, leads nobody back to the former, nor elsewhere."""
        alice, bob = self.pair()
        self.carry(alice, alice.chat.succeed(unique_key(0, 1)))
        self.clock.advance(601)
        first, second, own = unique_key(0), unique_key(0, 1), unique_key(0, 7)
        back = succession.name(second, first.public, 1)
        beside = succession.name(first, own.public, 1)
        around = succession.name(first, own.public, 1, back)
        for line, signer in ((back, first), (beside, own), (around, own)):
            self.give(bob, told(0, line, signer))
        self.assertEqual(bob.refused, [Reason.OLD_KEYS] * 3)
        self.assertEqual(changes(bob), [(first.hash, second.hash)])

    def test_under_way(self) -> None:
        """What was said with the keys before is taken for ten minutes more."""
        alice, bob = self.pair()
        self.say(alice, "Before")
        late, later = (alice.done(alice.chat.say(Text(each), "")) for each in ("Late", "Later"))
        self.carry(alice, alice.chat.succeed(unique_key(0, 1)))
        self.clock.advance(599)
        self.give(bob, self.tell(alice, late[0]))
        self.clock.advance(2)
        self.give(bob, self.tell(alice, later[0]))
        self.assertEqual((bob.texts, bob.refused), (["Before", "Late"], [Reason.OLD_KEYS]))

    def test_history(self) -> None:
        """Who has seen only the keys of now reads what was signed with those before."""
        alice, _ = self.pair()
        self.say(alice, "Before")
        self.carry(alice, alice.chat.succeed(unique_key(0, 1)))
        self.say(alice, "After")
        again = Program(1, self.clock, 0).knows(unique_key(0, 1))
        again.done(again.chat.past(self.log))
        self.assertEqual((again.texts, again.refused, changes(again)), (["Before", "After"], [], []))


class EachChatTests(SecureCase):
    """Changes are told in each chat."""

    def test_each(self) -> None:
        """Also where they are known from another one."""
        alice, bob = self.pair()
        other = Program(1, self.clock, 0)
        other.people = bob.people
        other.open(OTHER_CHAT)
        self.carry(alice, alice.chat.succeed(unique_key(0, 1)))
        other.done(other.chat.take(told(0, line_of(0, 1), unique_key(0, 1), OTHER_CHAT)))
        self.assertEqual(changes(other), changes(bob))
        self.assertEqual(len(changes(other)), 1)

    def test_never_seen_before(self) -> None:
        """Keys before those that were seen first are no news in any of them."""
        _, bob = self.add(0, peer=1, version=1), self.add(1, peer=0)
        other = Program(1, self.clock, 0)
        other.people = bob.people
        other.open(OTHER_CHAT)
        self.give(bob, told(0, line_of(0, 1), unique_key(0, 1)))
        other.done(other.chat.take(told(0, line_of(0, 1), unique_key(0, 1), OTHER_CHAT)))
        self.assertEqual((changes(bob), changes(other), other.refused), ([], [], []))


class ChangingTests(SecureCase):
    """Alice goes on with other keys, in the same chat."""

    def change(self, alice: Program) -> list[Told]:
        self.former: list[UniqueKey] = alice.chat._room.former
        return self.carry(alice, alice.chat.succeed(unique_key(0, 1)))

    def test_goes_on(self) -> None:
        """Both read what is said then, in another epoch."""
        alice, bob, _ = self.group(3)
        self.say(alice, "Before")
        self.change(alice)
        self.say(alice, "After")
        self.say(bob, "I see")
        self.assertEqual((bob.texts, alice.texts), (["Before", "After"], ["I see"]))
        self.assertEqual((alice.refused, bob.refused, alice.of(KeysChanged)), ([], [], []))

    def test_under_way(self) -> None:
        """What others have sealed to the keys before is read as long as those are at hand."""
        alice, bob = self.pair()
        self.say(bob, "Before")
        said = [post for text in ("Late", "Later") for post in bob.done(bob.chat.say(Text(text), ""))]
        forger = Forger(bob.key)
        members = {each.account: each.key.public for each in (alice, bob)}
        epoch, key = forger.epoch(members)
        other = forger.message(epoch.hash, key, Text("In an epoch that nobody has seen"))
        self.change(alice)
        for each in (forger.told(epoch), forger.told(other), self.tell(bob, said[0])):
            self.give(alice, each)
        self.assertEqual(alice.texts, ["Before", "In an epoch that nobody has seen", "Late"])
        self.former.clear()
        self.give(alice, self.tell(bob, said[1]))
        self.assertEqual((alice.texts[3:], alice.refused), (["Later"], []))
        unseen, key = forger.epoch(members)
        self.give(alice, forger.told(unseen))
        self.give(alice, forger.told(forger.message(unseen.hash, key, Text("Unread"))))
        self.assertEqual(alice.refused, [Reason.FORMER_KEYS])

    def test_begun_anew(self) -> None:
        """Epochs in the vault are sealed to the keys of now."""
        alice, bob = self.pair()
        self.say(bob, "Before")
        [late] = bob.done(bob.chat.say(Text("Late"), ""))
        self.change(alice)
        later = Program(0, self.clock, 1, version=1).knows(bob.key)
        later.chat.restore(alice.chat.memory())
        later.done(later.chat.take(self.tell(bob, late)))
        self.assertEqual((later.texts, later.refused), (["Late"], []))

    def test_a_roster_on_its_way(self) -> None:
        """It is waited for, as it would be signed by nobody any more."""
        alice, _ = self.group(2)
        alice.chat.admit([])
        with self.assertRaises(Refused) as caught:
            alice.chat.succeed(unique_key(0, 1))
        self.assertEqual(caught.exception.reason, Reason.TOO_MANY)

    def test_another_program(self) -> None:
        """One with the keys before says nothing more, and signs nothing."""
        alice, _ = self.group(2)
        tablet = self.add(0)
        tablet.done(tablet.chat.past(self.log))
        self.change(alice)
        self.assertEqual(changes(tablet), [(alice.key.hash, unique_key(0, 1).hash)])
        self.say(tablet, "Nobody hears that")
        self.assertEqual(tablet.of(Waiting)[-1].accounts, (account(0),))
        with self.assertRaises(Refused) as caught:
            tablet.chat.admit([])
        self.assertEqual(caught.exception.reason, Reason.OLD_KEYS)
        self.assertEqual(tablet.posted, [])
        self.assertEqual(len(changes(tablet)), 1)


class FormerTests(SecureCase):
    """History of an account that has other keys without a word of those before."""

    def replaced(self) -> Program:
        """Alice with other keys, who knows no more of those before than their hash."""
        later = Program(0, self.clock, version=1).knows(unique_key(1))
        self.clock.advance(1)
        later.people.own(account(0), unique_key(0, 1).public, 0)
        later.people.lost.add(unique_key(0).hash)
        return later

    def test_lost(self) -> None:
        """What was sealed for these, or signed with them, is no alarm: it cannot be read."""
        alice, bob = self.group(2)
        self.say(alice, "Mine")
        self.say(bob, "His")
        self.clock.advance(1)
        later = self.replaced()
        later.done(later.chat.past(self.log))
        self.tick(61)
        self.assertEqual((later.refused, later.texts), ([Reason.FORMER_KEYS] * 2, []))
        self.assertEqual(later.chat.members, {}, "nobody can tell who has signed that")
        later.done(later.chat.take(self.carry(bob, bob.chat.admit([]))[0]))
        self.assertEqual(set(later.chat.members), {alice.account, bob.account})

    def test_alarms_stay(self) -> None:
        """Epochs for keys that never were one's own, and what somebody signs in one's name now."""
        alice, bob = self.group(2)
        self.clock.advance(1)
        later = self.replaced()
        later.done(later.chat.past(self.log))
        head, forger = bob.chat._room.roster.head, Forger(bob.key)
        epoch, _ = forger.epoch({alice.account: unique_key(0, 9).public, bob.account: bob.key.public}, head)
        later.done(later.chat.past([forger.told(epoch)]))
        mine = Forger(unique_key(0, 9))
        forged, _ = mine.epoch({alice.account: unique_key(0, 9).public})
        later.done(later.chat.take(mine.told(forged)))
        self.assertEqual(later.refused, [Reason.EXCLUDED, Reason.BAD_SIGNATURE])

    def test_at_hand(self) -> None:
        """Whose owner has entered the keys before as well reads all."""
        alice, bob = self.pair()
        self.say(alice, "Mine")
        self.say(bob, "His")
        self.carry(alice, alice.chat.succeed(unique_key(0, 1)))
        later = Program(0, self.clock, 1, version=1).knows(bob.key)
        former: list[UniqueKey] = later.chat._room.former
        later.done(later.chat.past(self.log))
        self.assertEqual((later.refused, later.texts), ([Reason.FORMER_KEYS] * 2, []))
        former.append(unique_key(0))
        later.open(CHAT)
        later.chat._room.former.append(unique_key(0))
        later.done(later.chat.past(self.log))
        self.assertEqual(later.texts, ["Mine", "His"])


class UnreturnedTests(SecureCase):
    """A roster of one's own that was posted and has not come back when the program ends."""

    def test_after_a_start(self) -> None:
        """It is taken when it comes, and so is what was said behind it."""
        alice, _ = self.group(2)
        alice.knows(unique_key(2))
        [signed] = alice.done(alice.chat.admit([account(2)]))
        memory = alice.chat.memory()
        alice.open(CHAT)
        alice.chat.restore(memory)
        self.give(alice, self.tell(alice, signed))
        self.assertEqual(alice.refused, [])
        self.assertEqual(alice.of(RosterChanged)[-1].change.added, (account(2),))
        self.assertIn(account(2), alice.chat.members)
        again = replace(self.log[-1], id="again")
        self.give(alice, again)
        self.assertEqual(alice.refused, [Reason.REPLAYED])


class OwnMemoryTests(SecureCase):
    """What the vault has of keys before."""

    def test_merged(self) -> None:
        """The longer line counts, with who was told of that one; what is lost, of both."""
        lines = [line_of(0, each).text for each in (1, 2)]
        first, other = OwnMemory(lines[0], True, (CHAT,)), OwnMemory(lines[0], False, (OTHER_CHAT,))
        self.assertEqual(merge(first, other), OwnMemory(lines[0], True, (CHAT, OTHER_CHAT)))
        self.assertEqual(merge(other, first), merge(first, other))
        self.assertEqual(merge(first, OwnMemory(lines[1])), OwnMemory(lines[1]))
        self.assertEqual(
            merge(first, OwnMemory(lost=("A" * 43,))), OwnMemory(lines[0], True, (CHAT,), ("A" * 43,))
        )

    def test_checked(self) -> None:
        """A text that stands for no line."""
        for memory in (OwnMemory("AAAA"), OwnMemory(line_of(0, 1).text[:-1])):
            self.assertRaises(Refused, memory.check)
        OwnMemory(line_of(0, 2).text, lost=("A" * 43,)).check()


class LineTests(SecureCase):
    """What names followers."""

    def test_text(self) -> None:
        """As the vault keeps it."""
        line = line_of(0, 2)
        self.assertEqual(succession.of_text(line.text), line)
        self.assertTrue(line.is_said(account(0)))
        self.assertFalse(line.is_said(account(1)))
        for text in ("", "A", line.text[:-4], line.text + "AAAA", encode_octets(bytes(len(line.octets)))):
            self.assertRaises(Refused, succession.of_text, text)

    def test_around(self) -> None:
        """No keys stand in it twice."""
        line = succession.name(unique_key(0, 1), unique_key(0).public, 1, line_of(0, 1))
        self.assertRaises(Refused, succession.of_text, line.text)

    def test_bits(self) -> None:
        """Whichever bit is another one, it is not said."""
        line = line_of(0, 2)
        for place in range(8 * len(line.octets)):
            flipped = bytearray(line.octets)
            flipped[place // 8] ^= 1 << place % 8
            try:
                read = succession.of_text(encode_octets(bytes(flipped)))
            except Refused:
                continue
            self.assertFalse(read.is_said(account(0)), place)
