"""People at two whole nodes: everything signed, numbered, and given to the other's site octet for octet."""

from itertools import product
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.accounts.relation import ACCEPTED, Action
from safeum_home.node.federation import NodeFederation
from safeum_home.protocol.types import ContactState
from tests.federated import Pair
from tests.nodes_case import A, B, act, seen, state
from tests.test_nodes_contacts_alike import ways
from tests.world import PASSWORD, Client, World, contact, texts

DAY = 86400.0
PIN = "284716"


class Whole:
    """A world at each of two nodes."""

    def __init__(self) -> None:
        self.pair = Pair(A, B)
        self.worlds: dict[str, World] = {}
        for name in (A, B):
            self.open(name)

    def open(self, name: str) -> None:
        node = self.pair[name]
        world = World(node.database, node.vault, node=name, peers=node.federation)
        node.federation.connect(world.domain.shared, world.domain.answers)
        self.worlds[name] = world

    def settle(self, seconds: float = 1.0) -> None:
        for _ in range(2):
            self.pair.settle(seconds)
            for world in self.worlds.values():
                world.settle()


class WholeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.whole = Whole()
        self.alice = self.whole.worlds[A].register("alice")
        self.bob = self.whole.worlds[B].register("bob")

    def befriend(self) -> None:
        self.alice.call("contact.request", account=self.bob.account, address="bob@b.example")
        self.whole.settle()
        self.bob.call("contact.accept", account=self.alice.account)
        self.whole.settle()

    def aside(self, name: str) -> list[tuple[str, str]]:
        found: Deferred[Any] = self.whole.pair[name].federation.aside(100)
        return [(each.type, each.code) for each in self.successResultOf(found)]

    def test_found_and_befriended(self) -> None:
        """People are found, asked, called by their names, and nothing is set aside."""
        asked = self.alice.ask("contact.find", address="bob@b.example")
        self.whole.settle()
        self.assertEqual(self.alice.answer(asked), {"account": self.bob.account, "address": "bob@b.example"})
        profile = {"display_name": "Ben", "fields": [{"label": "l", "value": "v"}]}
        self.bob.call("profile.set", profile=profile)
        self.befriend()
        self.assertEqual(contact(self.alice, self.bob)["display_name"], "Ben")
        self.assertEqual((self.aside(A), self.aside(B)), ([], []))

    def test_written(self) -> None:
        """What contacts write arrives, in its order, also what waited with the answer to a request."""
        self.befriend()
        chat = contact(self.alice, self.bob)["chat"]
        self.bob.call("contact.remove", account=self.alice.account)
        self.whole.settle()
        self.alice.call("contact.request", account=self.bob.account, address="bob@b.example")
        self.whole.settle()
        self.whole.pair.away.add(A)
        self.bob.call("contact.accept", account=self.alice.account)
        for text in ("one", "two"):
            self.bob.write(chat, text)
        self.whole.settle()
        self.alice.take()
        self.whole.pair.away.clear()
        self.whole.pair.until(lambda: self.whole.pair[B].waiting == 0)
        self.assertEqual(texts(self.alice.messages()), ["one", "two"])
        self.alice.write(chat, "three")
        self.whole.settle()
        self.assertEqual(texts(self.bob.messages()), ["three"])
        self.alice.resume(None)
        self.assertEqual((self.aside(A), self.aside(B)), ([], []))

    def test_closed_while_away(self) -> None:
        """That an account was closed is told by a node that was started anew, to one that was away."""
        self.befriend()
        self.bob.call("account.pin.set", password=PASSWORD, pin=PIN)
        self.whole.pair.away.add(A)
        Client(self.whole.worlds[B], "198.51.100.1").call("account.block", username="bob", pin=PIN)
        self.whole.settle()
        start = NodeFederation.start
        self.patch(NodeFederation, "start", lambda _: None)  # it knows its kinds first
        self.whole.pair.restart(B)
        self.whole.open(B)
        self.patch(NodeFederation, "start", start)
        self.whole.pair.away.clear()
        self.whole.pair[B].federation.start()
        self.whole.settle(10)
        self.assertEqual(state(self.alice, self.bob), "closed")
        self.assertEqual((self.aside(A), self.aside(B)), ([], []))

    def test_never_told(self) -> None:
        """A request that could not be told for 30 days is withdrawn; what was asked since then waits on."""
        carol = self.whole.worlds[B].register("carol")
        self.whole.pair.away.add(B)
        self.alice.call("contact.request", account=self.bob.account, address="bob@b.example")
        self.alice.take()
        clock, outbox = self.whole.pair.clock, self.whole.pair[A]
        for day in range(32):
            if day == 20:
                self.alice.call("contact.request", account=carol.account, address="carol@b.example")
                self.alice.take()
            self.assertEqual(seen(self.alice), ["none"] if day > 30 else [], day)
            clock.pump([DAY / 96] * 96)
        self.assertEqual((state(self.alice, self.bob), state(self.alice, carol)), ("none", "requested"))
        self.assertGreater(outbox.waiting, 0)
        self.whole.pair.away.clear()
        self.whole.pair.until(lambda: outbox.waiting == 0)
        self.assertEqual((state(self.bob, self.alice), state(carol, self.alice)), ("none", "incoming"))

    def test_whatever_crosses(self) -> None:
        """What is done at once on both sides comes to the same on both, as it would on one node."""
        actions = (Action.REQUEST, Action.ACCEPT, Action.REMOVE, Action.BLOCK)
        for count, (way, first, second) in enumerate(product(ways().values(), actions, actions)):
            people = tuple(
                world.register(f"{name}{count}")
                for world, name in ((self.whole.worlds[A], "ann"), (self.whole.worlds[B], "ben"))
            )
            for action, who in way:
                act(action, people[who], people[1 - who])
                self.whole.pair.settle(0.1)
            for who, action in enumerate((first, second)):
                act(action, people[who], people[1 - who])
            for _ in range(2):
                self.whole.pair.settle(0.1)
            states = (ContactState(state(*people)), ContactState(state(*people[::-1])))
            self.assertIn(states, ways(), (way, first, second))
            if states == (ACCEPTED, ACCEPTED):
                for who in (0, 1):
                    people[who].call("profile.get", account=people[1 - who].account)
