"""Contacts between nodes: finding, asking, agreeing, parting, and outages."""

from safeum_home.ids import AccountId
from safeum_home.ports.federation import Noted
from tests.nodes import Nodes
from tests.nodes_case import A, B, TwoNodes, may_write, seen, state
from tests.world import Refused, contact

NOBODY = "@" + "a" * 26


class FindTests(TwoNodes):
    """`contact.find`."""

    def test_found(self) -> None:
        """An address of another node is found there."""
        found = self.alice.call("contact.find", address="Bob@b.example")
        self.assertEqual(found, {"account": self.bob.account, "address": "bob@b.example"})

    def test_not_found(self) -> None:
        """Who is not there, a number, and what is no login there are answered alike."""
        for address in ("nobody@b.example", "safeum@b.example"):
            with self.assertRaises(Refused) as refused:
                self.alice.call("contact.find", address=address)
            self.assertEqual(refused.exception.code, "not_found")

    def test_away(self) -> None:
        """A node that is away cannot be reached; one that this node has nothing to do with is not asked."""
        self.nodes.away.add(B)
        for address, code in (
            ("bob@b.example", "node_unreachable"),
            ("bob@c.example", "federation_refused"),
        ):
            with self.assertRaises(Refused) as refused:
                self.alice.call("contact.find", address=address)
            self.assertEqual(refused.exception.code, code)


class ContactTests(TwoNodes):
    """Asking and agreeing."""

    def test_asked_and_accepted(self) -> None:
        """Both see it as they would on one node, and the chat is there on both, of the same id."""
        self.alice.call("contact.request", account=self.bob.account, address="bob@b.example")
        self.nodes.settle()
        incoming = contact(self.bob, self.alice)
        self.assertEqual((incoming["state"], incoming["address"]), ("incoming", "alice@a.example"))
        self.assertEqual(seen(self.bob), ["incoming"])
        self.bob.call("contact.accept", account=self.alice.account)
        self.nodes.settle()
        self.assertEqual((state(self.alice, self.bob), state(self.bob, self.alice)), ("accepted",) * 2)
        self.assertEqual(contact(self.alice, self.bob)["chat"], contact(self.bob, self.alice)["chat"])
        for world, who, other in (
            (self.nodes[A], self.alice, self.bob),
            (self.nodes[B], self.bob, self.alice),
        ):
            self.assertTrue(may_write(world, who, other))
            self.assertEqual(world.database.count("chats"), 2)

    def test_names(self) -> None:
        """Once both agreed each sees what the other is called, in the list and as an event."""
        self.bob.call("profile.set", profile={"display_name": "Bob B.", "status": "here"})
        self.befriend()
        entry = contact(self.alice, self.bob)
        self.assertEqual((entry["display_name"], entry["address"]), ("Bob B.", "bob@b.example"))
        self.bob.call("profile.set", profile={"display_name": "Robert"})
        self.nodes.settle()
        (changed,) = self.alice.take("profile.changed")
        self.assertEqual(changed["params"]["profile"]["display_name"], "Robert")
        shown = self.alice.call("profile.get", account=self.bob.account)
        self.assertEqual((shown["address"], shown["profile"]["display_name"]), ("bob@b.example", "Robert"))

    def test_erased_with_the_last_relation(self) -> None:
        """What is kept of an account of another node goes with the last contact that it has here."""
        carol = self.nodes[A].register("carol")
        self.befriend()
        carol.call("contact.request", account=self.bob.account, address="bob@b.example")
        self.nodes.settle()
        self.bob.call("contact.accept", account=carol.account)
        self.nodes.settle()
        database = self.nodes[A].database
        before = database.count("profiles"), database.count("keys")
        self.alice.call("contact.remove", account=self.bob.account)
        self.nodes.settle()
        self.assertEqual((database.count("profiles"), database.count("keys")), before)
        self.bob.call("contact.block", account=carol.account)
        self.nodes.settle()
        after = database.count("profiles"), database.count("keys")
        self.assertEqual(after, (before[0] - 1, before[1] - 1))
        with self.assertRaises(Refused) as refused:
            carol.call("profile.get", account=self.bob.account)
        self.assertEqual(refused.exception.code, "not_found")

    def test_away_for_days(self) -> None:
        """What is asked while the other node is away is told when it comes back, after a restart too."""
        self.nodes.away.add(B)
        self.alice.call("contact.request", account=self.bob.account, address="bob@b.example")
        self.nodes.settle()
        self.nodes.restart(A)
        self.assertEqual(state(self.bob, self.alice), "none")
        self.nodes.away.clear()
        self.nodes.settle()
        self.assertEqual(state(self.bob, self.alice), "incoming")

    def test_taken_back_in_time(self) -> None:
        """A request that was withdrawn before the other node came back is none there."""
        self.nodes.away.add(B)
        self.alice.call("contact.request", account=self.bob.account, address="bob@b.example")
        self.alice.call("contact.remove", account=self.bob.account)
        self.nodes.away.clear()
        self.nodes.settle()
        self.assertEqual((state(self.bob, self.alice), seen(self.bob)), ("none", []))

    def test_parting_goes_first(self) -> None:
        """A removal and a block wait before messages do, and cannot be told apart."""
        waiting = []
        for action in ("remove", "block"):
            self.nodes.away.clear()
            self.befriend()
            self.nodes.away.add(B)
            self.alice.call(f"contact.{action}", account=self.bob.account)
            waiting.append([(row.type, row.urgent) for row in self.nodes.peers[A].waiting])
        self.assertEqual(waiting, [[("contact", True)]] * 2)

    def test_put_back(self) -> None:
        """A node that has forgotten that somebody parted is told so when it says that they are in contact."""
        self.befriend()
        self.alice.call("contact.remove", account=self.bob.account)
        bob = self.nodes[B].vault.blinder.account(AccountId(self.bob.account))
        alice = self.nodes[B].vault.blinder.account(AccountId(self.alice.account))
        self.nodes.peers[A].waiting.clear()  # as if what it was told had been lost with its newest backup
        self.assertEqual((state(self.alice, self.bob), state(self.bob, self.alice)), ("none", "accepted"))
        again = [Noted(A, "contact", bob + alice)]
        self.nodes[B].database.now(lambda c: self.nodes.peers[B].note(c, again))
        self.nodes.settle()
        self.assertEqual((state(self.alice, self.bob), state(self.bob, self.alice)), ("none", "removed"))

    def test_ones_own_list_is_full(self) -> None:
        """Nobody has more contacts than the node allows, wherever they are."""
        nodes = Nodes(A, B, contacts=1)
        alice = nodes[A].register("alice")
        for place, code in ((0, None), (1, "limit_reached")):
            other = f"@{'cd'[place] * 26}:b.example"
            try:
                alice.call("contact.request", account=other, address=other)
            except Refused as refused:
                self.assertEqual(refused.code, code)
            else:
                self.assertIsNone(code)

    def test_node_that_is_not_there(self) -> None:
        """A request that could not be told for 30 days is withdrawn, and the one who asked sees it."""
        self.nodes.away.add(B)
        self.alice.call("contact.request", account=self.bob.account, address="bob@b.example")
        self.alice.take()
        self.nodes.give_up(A, B)
        self.assertEqual((state(self.alice, self.bob), seen(self.alice)), ("none", ["none"]))

    def test_a_node_that_is_not_dealt_with(self) -> None:
        """Nothing is begun with a node that this one has nothing to do with; ending goes on."""
        other = f"{NOBODY}:c.example"
        with self.assertRaises(Refused) as refused:
            self.alice.call("contact.request", account=other, address=other)
        self.assertEqual(refused.exception.code, "federation_refused")
        self.alice.call("contact.block", account=other)

    def test_an_account_that_is_not_there(self) -> None:
        """Whoever asks for nobody sees the same as who is not answered."""
        nobody = f"{NOBODY}:b.example"
        self.alice.call("contact.request", account=nobody, address=nobody)
        self.nodes.settle()
        (entry,) = self.alice.call("contact.list")["contacts"]
        self.assertEqual(entry["state"], "requested")
        self.assertEqual(self.nodes.peers[A].refused, [])

    def test_a_full_list(self) -> None:
        """A full list takes no requests, and whoever asks does not learn that."""
        nodes = Nodes(A, B, contacts=1)
        alice, dora = nodes[A].register("alice"), nodes[A].register("dora")
        bob = nodes[B].register("bob")
        for each in (alice, dora):
            each.call("contact.request", account=bob.account, address="bob@b.example")
        nodes.settle()
        self.assertEqual(
            (state(bob, alice), state(bob, dora), state(dora, bob)), ("incoming", "none", "requested")
        )
        self.assertEqual(nodes.peers[A].refused, [])
