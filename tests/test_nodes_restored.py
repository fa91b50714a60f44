"""A node that was put back from a backup knows less of who is whose contact than others: it is told anew."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.errors import Code
from safeum_home.ports.sealing import BLIND
from tests.federated import Pair, refuse, room_of
from tests.instant_database import InstantDatabase
from tests.nodes_case import A, B, TwoNodes, contact_chat, state
from tests.test_federation_sequence import copy
from tests.world import Client, World


class RestoredTests(TwoNodes):
    """Bob's node is put back."""

    def setUp(self) -> None:
        super().setUp()
        self.chat = contact_chat(self.alice, self.bob)

    def restore(self, name: str, database: InstantDatabase) -> Client:
        """Put a node back; its person logs in again."""
        before = self.nodes[name]
        world = World(database, before.vault, node=name, peers=self.nodes.peers[name])
        world.clock.advance(before.clock.seconds() - world.clock.seconds() + 1)
        self.nodes.worlds[name] = world
        return world.login("bob" if name == B else "alice")

    def backup(self, name: str) -> InstantDatabase:
        return copy(self.nodes[name].database)

    def write(self, who: Client, words: str) -> None:
        who.write(self.chat, words)
        self.nodes.settle()

    def states(self) -> tuple[str, str]:
        return state(self.alice, self.bob), state(self.bob, self.alice)

    def test_it_had_asked(self) -> None:
        """What it had asked for stands: it hears again that it was accepted, and is written to."""
        self.bob.call("contact.request", account=self.alice.account, address="alice@a.example")
        self.nodes.settle()
        held = self.backup(B)
        self.alice.call("contact.accept", account=self.bob.account)
        self.nodes.settle()
        self.write(self.alice, "one")
        self.bob = self.restore(B, held)
        self.assertEqual(self.states(), ("accepted", "requested"))
        self.write(self.alice, "two")
        self.assertEqual(self.states(), ("accepted", "accepted"))
        self.write(self.alice, "three")
        self.write(self.bob, "four")
        self.assertEqual(self.bob.history(self.chat), ["three", "four"])
        self.assertEqual(self.alice.history(self.chat), ["one", "two", "three", "four"])

    def test_it_knew_nothing(self) -> None:
        """Where it knows nothing of it, it is asked: nobody is a contact who has not agreed."""
        held = self.backup(B)
        self.befriend()
        self.bob = self.restore(B, held)
        self.write(self.alice, "one")
        self.assertEqual(self.states(), ("accepted", "incoming"))
        self.bob.call("contact.accept", account=self.alice.account)
        self.nodes.settle()
        self.write(self.alice, "two")
        self.assertEqual(self.states(), ("accepted", "accepted"))
        self.assertEqual(self.bob.history(self.chat), ["two"])

    def test_who_is_put_back_writes(self) -> None:
        """A node that was put back from when they were contacts hears that they are that no more."""
        self.befriend()
        held = self.backup(B)
        self.bob.call("contact.remove", account=self.alice.account)
        self.nodes.settle()
        self.alice.call("contact.remove", account=self.bob.account)
        self.nodes.settle()
        self.bob = self.restore(B, held)
        self.assertEqual(state(self.bob, self.alice), "accepted")
        self.write(self.bob, "one")
        self.assertNotEqual(state(self.bob, self.alice), "accepted")
        self.assertNotEqual(state(self.alice, self.bob), "accepted")

    def test_without_need(self) -> None:
        """Where it is known here that they are no contacts, or of another node's chat, nothing is told."""
        self.befriend()
        world = self.nodes[A]
        kind: Any = next(each for each in world.domain.shared if each.type == "contact")
        chat = world.vault.blinder.chat(self.chat)

        def doubt(node: str, of: bytes = chat) -> int:
            world.database.transact(lambda c: kind.doubted(c, node, of))
            count = len(self.nodes.peers[A].waiting)
            self.nodes.peers[A].waiting.clear()
            return count

        self.assertEqual([doubt(B), doubt("c.example"), doubt(A), doubt(B, bytes(16))], [1, 0, 0, 0])
        self.bob.call("contact.remove", account=self.alice.account)
        self.nodes.settle()
        self.assertEqual(doubt(B), 0)


class RefusedTests(SynchronousTestCase):
    """On the way through real transactions."""

    def test_doubted(self) -> None:
        """Each chat is doubted once for all that is refused of it, and what is noted then goes first."""
        pair = Pair()
        a, b = pair["a.example"], pair["b.example"]
        doubted: list[tuple[str, bytes]] = []
        a.federation.outbox.refusals.doubted = lambda c, node, chat: doubted.append((node, chat))
        pair.away.add("b.example")
        a.say("0", 0)
        pair.settle(0.1)
        for value, name in enumerate(("f/1", "f/2", "g/1")):
            a.say(name, value, kind="chat.message")
        a.say("h/1", 9)
        for kind in b.kinds:
            kind.applying = refuse(Code.NOT_A_CONTACT)
        pair.away.clear()
        pair.until(lambda: not a.waiting)
        expected = [("b.example", room_of(name)[:BLIND].encode()) for name in ("f/1", "g/1")]
        self.assertEqual(sorted(doubted), expected)
        for kind in b.kinds:
            kind.applying = refuse(Code.LIMIT_REACHED)
        a.say("f/3", 4, kind="chat.message")
        pair.settle()
        self.assertEqual(len(doubted), 2)
