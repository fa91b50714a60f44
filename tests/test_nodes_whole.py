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

    def __init__(self, **limits: Any) -> None:
        self.pair = Pair(A, B)
        self.limits = limits
        self.worlds: dict[str, World] = {}
        for name in (A, B):
            self.open(name)

    def open(self, name: str) -> None:
        node = self.pair[name]
        world = World(node.database, node.vault, node=name, peers=node.federation, **self.limits)
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

    def test_many_requests(self) -> None:
        """A node whose people ask for more contacts than they may waits with these, and with nothing else."""
        self.whole = Whole(contact_requests_per_node=0.01, contact_requests_per_node_burst=2)
        self.alice = self.whole.worlds[A].register("alice")
        self.bob = self.whole.worlds[B].register("bob")
        self.befriend()
        people = [self.whole.worlds[A].register(f"ann{number}") for number in range(4)]
        for each in people:
            each.call("contact.request", account=self.bob.account, address="bob@b.example")
        self.alice.write(contact(self.alice, self.bob)["chat"], "hello")
        self.whole.settle()
        self.assertEqual(texts(self.bob.messages()), ["hello"])
        self.assertEqual([state(self.bob, each) for each in people].count("incoming"), 1)
        self.assertEqual(self.whole.pair[A].waiting, 3)
        people[3].call("contact.remove", account=self.bob.account)
        for _ in range(10):
            self.whole.worlds[B].settle(101)
            self.whole.pair.clock.advance(600)
            self.whole.settle()
        self.assertEqual(self.whole.pair[A].waiting, 0)
        states = [state(self.bob, each) for each in people]
        self.assertEqual(states, ["incoming"] * 3 + ["none"])
        self.assertEqual((self.aside(A), self.aside(B)), ([], []))

    def test_much_is_written(self) -> None:
        """What somebody has written faster than is taken comes all the same, once and in its order."""
        self.whole = Whole(events_per_foreign_account=20.0, events_per_foreign_account_burst=500)
        self.alice = self.whole.worlds[A].register("alice")
        self.bob = self.whole.worlds[B].register("bob")
        self.befriend()
        chat = contact(self.alice, self.bob)["chat"]
        self.bob.write(chat, "hello")
        self.whole.settle()
        self.whole.pair.away.add(B)
        words = [str(number) for number in range(1100)]
        last = self.alice.messages()[-1]["id"]
        for word in words:
            self.alice.write(chat, word)
        # One that is made anew each time: what is sent again is never the same.
        self.alice.call("chat.read", chat=chat, upto=last)
        self.whole.pair.settle(10)
        self.whole.pair.away.clear()
        passed = 0
        while self.whole.pair[A].waiting:
            self.whole.worlds[B].clock.advance(10)
            self.whole.pair.clock.advance(9)
            self.whole.pair.settle(1)
            passed += 10
            self.assertLess(passed, 3000)
        self.assertGreater(passed, 30)
        self.assertEqual(texts(self.bob.messages()), words)
        self.assertEqual((self.aside(A), self.aside(B)), ([], []))

    def test_the_other_node_fails(self) -> None:
        """A request that the other node failed at is not over: it is asked again."""
        kind: Any = next(each for each in self.whole.worlds[B].domain.shared if each.type == "contact")
        apply = type(kind).apply
        self.patch(type(kind), "apply", _fail)
        self.alice.call("contact.request", account=self.bob.account, address="bob@b.example")
        self.whole.settle()
        self.assertEqual((state(self.alice, self.bob), state(self.bob, self.alice)), ("requested", "none"))
        self.patch(type(kind), "apply", apply)
        self.whole.settle(20)
        self.assertEqual(
            (state(self.alice, self.bob), state(self.bob, self.alice)), ("requested", "incoming")
        )
        self.flushLoggedErrors(ZeroDivisionError)

    def test_forgotten(self) -> None:
        """A node that has lost what it knew of a contact hears it again with the next message."""
        self.befriend()
        chat, database = contact(self.alice, self.bob)["chat"], self.whole.pair[B].database
        blind = self.whole.worlds[B].vault.blinder.chat(chat)
        for table in ("contacts", "chats", "members", "keys"):
            column = "owner" if table == "keys" else "chat"
            database.execute(f"DELETE FROM {table} WHERE {column} = ?", blind)
        self.whole.open(B)
        self.bob = self.whole.worlds[B].login("bob")
        self.alice.write(chat, "lost")
        self.whole.settle()
        self.assertEqual((state(self.alice, self.bob), state(self.bob, self.alice)), ("accepted", "incoming"))
        self.assertEqual(self.aside(A), [("chat.message", "not_a_contact")])
        self.bob.call("contact.accept", account=self.alice.account)
        self.whole.settle()
        self.alice.write(chat, "found")
        self.whole.settle()
        self.assertEqual(texts(self.bob.messages()), ["found"])

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


async def _fail(*_: object) -> None:
    raise ZeroDivisionError
