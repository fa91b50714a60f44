"""Secure chats in JavaScript: each of the two implementations reads what the other one has written."""

import subprocess

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.secure.events import Gap, Missing, Received, RosterChanged
from safeum_home.client.secure.payloads import Payload, Text
from safeum_home.client.secure.refused import Reason
from safeum_home.client.secure.vault_content import Content
from tests import (
    test_secure_hostile,
    test_secure_hostile_epochs,
    test_secure_order,
    test_secure_out,
    test_secure_remembered,
    test_secure_successions,
)
from tests.secure_both_case import BothCase, ForeignBob
from tests.secure_case import CHAT, Program, account, unique_key
from tests.secure_javascript import WEB, ForeignProgram, install


class NodeTests(SynchronousTestCase):
    """The tests that are in JavaScript themselves."""

    def test_all(self) -> None:
        """Node's test runner passes them."""
        files = sorted(map(str, WEB.glob("*.test.mjs")))
        self.assertTrue(files)
        done = subprocess.run([install(), "--test", *files], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class TalkTests(BothCase):
    """Random conversations."""

    def test_two(self) -> None:
        """All payloads, in both directions."""
        python, foreign = self.add(0, peer=1), self.add_foreign(1, peer=0)
        said: dict[Program, list[Payload]] = {python: [], foreign: []}
        for _ in range(120):
            sender = self.random.choice((python, foreign))
            payload = self.payload()
            said[sender].append(payload)
            self.say(sender, payload)
        for sender, receiver in ((python, foreign), (foreign, python)):
            received = [each.payload for each in receiver.of(Received)]
            self.assertEqual(received, said[sender], self.note)
            self.assertEqual(receiver.refused, [], self.note)

    def test_not_posted(self) -> None:
        """What a node does not have is not missed by anybody, whichever has said it."""
        python, foreign = self.add(0, peer=1), self.add_foreign(1, peer=0)
        for sender, receiver in ((python, foreign), (foreign, python)):
            self.say(sender, Text("One"))
            posts = sender.done(sender.chat.say(Text("lost"), "r"))
            sender.chat.renew(posts[0].data)
            self.say(sender, Text("Two"))
            self.clock.advance(61)
            receiver.done(receiver.chat.tick())
            self.assertEqual([type(each) for each in receiver.events], [Received] * 2)

    def test_cut_before_what_is_refused(self) -> None:
        """What a node took before that, and shows nobody, is missed all the same."""
        python, foreign = self.add(0, peer=1), self.add_foreign(1, peer=0)
        for sender, receiver in ((python, foreign), (foreign, python)):
            self.say(sender, Text("One"))
            self.bend = lambda program, told: ()
            self.say(sender, Text("Kept back"))
            self.bend = lambda program, told: (told,)
            for text in ("lost", "lost, too"):
                posts = sender.done(sender.chat.say(Text(text), "r"))
                sender.chat.renew(posts[0].data)
            self.say(sender, Text("Two"))
            self.clock.advance(61)
            receiver.done(receiver.chat.tick())
            self.assertEqual(receiver.of(Missing), [Missing(sender.account, sender.account, 1)])

    def test_group(self) -> None:
        """Members come and go, by the word of either; all have the same roster, and what they should have."""
        programs = [self.add(0), self.add_foreign(1), self.add(2), self.add_foreign(3)]
        self.carry(programs[0], programs[0].chat.admit(account(each) for each in range(4)))
        out = programs[3]
        for round in range(6):
            signer = programs[self.random.randrange(3)]
            if out.account in signer.chat.members:
                self.carry(signer, signer.chat.dismiss([out.account]))
            else:
                self.carry(signer, signer.chat.admit([out.account]))
            sender = programs[self.random.randrange(3)]
            self.say(sender, f"Round {round}")
            for each in programs[:3]:
                self.assertEqual(dict(each.chat.members), dict(signer.chat.members), self.note)
                if each is not sender:
                    self.assertEqual(each.texts[-1], f"Round {round}", self.note)
            is_in = out.account in signer.chat.members
            self.assertEqual(f"Round {round}" in out.texts, is_in, self.note)
        self.assertEqual([each.refused for each in programs[:3]], [[]] * 3, self.note)
        self.assertLessEqual(set(out.refused), {Reason.EXCLUDED}, self.note)
        changes = [each for program in programs[:3] for each in program.of(RosterChanged)]
        self.assertGreater(len(changes), 12, self.note)

    def test_history_and_gaps(self) -> None:
        """What one has written the other reads as history; gaps and replays are seen by both."""
        python, foreign = self.add(0, peer=1), self.add_foreign(1, peer=0)
        self.say(python, "One")
        self.say(foreign, "Two")
        later = ForeignProgram(1, self.clock, self.process(), 0).knows(unique_key(0))
        later.done(later.chat.past(self.log))
        self.assertEqual(later.texts, ["One", "Two"])
        self.bend = lambda program, told: ()
        self.say(python, "Lost")
        self.say(foreign, "Lost, too")
        self.bend = lambda program, told: (told, told.__class__(told.sender, "again", told.data, told.quiet))
        self.say(python, "Three")
        self.say(foreign, "Four")
        for program, sender in ((python, foreign), (foreign, python)):
            self.assertEqual(program.of(Gap), [Gap(sender.account, 1)])
            self.assertEqual(program.refused, [Reason.REPLAYED])

    def test_memory(self) -> None:
        """What one keeps in the vault the other goes on with."""
        python, foreign = self.add(0), self.add_foreign(1)
        self.carry(python, python.chat.admit([foreign.account]))
        self.say(python, "One")
        self.say(foreign, "Two")
        memory = foreign.process.ask("memory")
        later = Program(1, self.clock).knows(unique_key(0))
        content = msgspec.convert({"previous": "A" * 43, "chats": {CHAT: memory}}, Content)
        later.chat.restore(content.chats[CHAT])
        for each in self.log:
            self.give(later, each)
        self.assertEqual((later.texts, set(later.refused)), ([], {Reason.REPLAYED}))
        self.assertEqual(later.chat.members, python.chat.members)
        again = ForeignProgram(1, self.clock, self.process()).knows(unique_key(0))
        again.process.ask("restore", memory=msgspec.to_builtins(later.chat.memory()))
        self.assertEqual(again.process.ask("memory"), memory)


class OrderTests(ForeignBob, test_secure_order.OrderTests):
    """A node that means harm: replays, gaps, cuts and forks."""


class OutTests(ForeignBob, test_secure_out.OutTests):
    """Who was out, and is let in again."""


class PlaceTests(ForeignBob, test_secure_hostile.PlaceTests):
    """Envelopes of elsewhere, and of others."""


class KeyTests(ForeignBob, test_secure_hostile.KeyTests):
    """Keys of the node's own."""


class EpochTests(ForeignBob, test_secure_hostile_epochs.EpochTests):
    """Epochs and members of the node's own."""


class SuccessionTests(ForeignBob, test_secure_remembered.SuccessionTests):
    """Keys that were followed by others, after a start."""


class TakingTests(ForeignBob, test_secure_successions.TakingTests):
    """Keys that name their followers."""
