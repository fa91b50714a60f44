"""Accounts that are closed, seen from another node."""

from safeum_home.ids import AccountId
from safeum_home.storage import profiles
from safeum_home.storage.keys import LASTING
from tests.nodes import Nodes
from tests.nodes_case import A, B, TwoNodes, seen, state
from tests.world import PASSWORD, Client

PIN = "284716"


class ClosedTests(TwoNodes):
    """An account that is closed with its PIN."""

    def setUp(self) -> None:
        super().setUp()
        self.chat = self.befriend()
        self.bob.call("account.pin.set", password=PASSWORD, pin=PIN)
        self.carol = self.nodes[A].register("carol")
        self.bob.call("contact.request", account=self.carol.account, address="carol@a.example")
        self.alice.write(self.chat, "hello")
        self.nodes.settle()
        self.alice.take()
        self.carol.take()

    def close(self, username: str = "bob") -> None:
        closing = Client(self.nodes[B], "198.51.100.1")
        number = closing.ask("account.block", username=username, pin=PIN)
        self.nodes[B].settle(30)  # between two turns of a keyring there is some time
        self.assertIsNotNone(closing.answer(number))

    def test_closed(self) -> None:
        """Contacts see that it is closed, requests are withdrawn, and chats are erased."""
        database = self.nodes[A].database
        self.close()
        self.nodes.settle()
        self.assertEqual((state(self.alice, self.bob), seen(self.alice)), ("closed", ["closed"]))
        self.assertEqual((state(self.carol, self.bob), seen(self.carol)), ("none", ["none"]))
        self.refused("not_found", self.alice, "chat.history", chat=self.chat)
        self.refused(
            "not_a_contact", self.alice, "chat.send", **self.alice.message(self.chat, "still there?")
        )
        for table, count in {
            "profiles": 0,
            "avatars": 0,
            "chats": 2,
            "members": 2,
            "keys": 4,
            "events": 2,
        }.items():
            self.assertEqual(database.count(table), count, table)
        # What is left are the rows of the two who had to do with it.
        self.assertEqual(database.count("contacts"), 2)
        self.assertGreater(self.nodes[A].domain.turns.epoch, 1)
        self.alice.call("contact.remove", account=self.bob.account)

    def parted(self, remover: Client, other: Client) -> list[tuple[str, bool]]:
        """What Alice's devices, one there and one away, hear last where the contact was removed before."""
        away = self.nodes[A].login("alice")
        remover.call("contact.remove", account=other.account)
        self.nodes.settle()
        away.drop()
        self.close()
        self.nodes.settle()
        self.refused("not_found", self.alice, "chat.history", chat=self.chat)
        away.resume(away.cursor)
        last = [device.take("contact.changed")[-1]["params"] for device in (self.alice, away)]
        return [(event["contact"]["state"], event.get("erased", False)) for event in last]

    def test_removed_before(self) -> None:
        """Who has removed the contact hears that the chat is gone, and does not see it in the list again."""
        self.assertEqual(self.parted(self.alice, self.bob), [("none", True)] * 2)
        self.assertEqual(state(self.alice, self.bob), "none")

    def test_has_removed_before(self) -> None:
        """The chat of an account that had removed the other one was there still, and goes at both nodes."""
        self.assertEqual(self.parted(self.bob, self.alice), [("closed", False)] * 2)

    def test_while_away(self) -> None:
        """It is told after an outage too, before all else, and nothing of the account is left meanwhile."""
        self.nodes.away.add(A)
        self.close()
        self.nodes.settle()
        waiting = [row for row in self.nodes.peers[B].waiting if row.type == "account.closed"]
        self.assertEqual([row.urgent for row in waiting], [True])
        local = self.bob.account.partition(":")[0].encode()
        self.assertNotIn(local, waiting[0].pointer)
        self.assertEqual(self.nodes[B].database.count("contacts"), 0)
        self.nodes.restart(B)
        self.nodes.away.clear()
        self.nodes.settle()
        self.assertEqual(state(self.alice, self.bob), "closed")

    def test_declined_before(self) -> None:
        """Nodes that know nothing of the account are not told; what was asked of it stays as it was."""
        nodes = self.nodes
        dora = nodes[A].register("dora")
        dora.call("contact.request", account=self.bob.account, address="bob@b.example")
        nodes.settle()
        self.bob.call("contact.decline", account=dora.account)
        nodes.settle()
        self.close()
        nodes.settle()
        self.assertEqual(state(dora, self.bob), "requested")

    def test_who_is_told(self) -> None:
        """The nodes of those who had a chat with the account, or whom it has asked, and no other one."""
        nodes = self.nodes = Nodes(A, B, "c.example", "d.example", "e.example")
        bob = nodes[B].register("bob")
        bob.call("account.pin.set", password=PASSWORD, pin=PIN)
        others = {name: nodes[f"{name[0]}.example"].register(name) for name in ("ann", "cyd", "dan", "eve")}
        for name in ("ann", "dan"):
            other = others[name]
            other.call("contact.request", account=bob.account, address="bob@b.example")
        bob.call("contact.request", account=others["cyd"].account, address="cyd@c.example")
        nodes.settle()
        bob.call("contact.accept", account=others["ann"].account)
        bob.call("contact.decline", account=others["dan"].account)
        bob.call("contact.block", account=others["eve"].account)
        nodes.settle()
        nodes.away |= {"a.example", "c.example", "d.example", "e.example"}
        self.close()
        told = sorted(row.node for row in nodes.peers[B].waiting if row.type == "account.closed")
        self.assertEqual(told, ["a.example", "c.example"])
        self.assertEqual(nodes[B].database.count("contacts"), 0)

    def test_a_damaged_list(self) -> None:
        """Where the account's own side cannot be read, what was known of the other one goes all the same."""
        blind = self.nodes[B].vault.blinder.account(AccountId(self.bob.account))
        self.nodes[B].database.execute("DELETE FROM contacts WHERE owner = ?", blind)
        self.assertEqual(self.nodes[B].database.count("contacts"), 1)
        self.close()
        self.assertEqual(self.nodes[B].database.count("contacts"), 0)

    def strangers(self, count: int) -> list[Client]:
        """Accounts of the other node that want to be Alice's contacts, and are no more than that."""
        found = [self.nodes[B].register(f"stranger{number}") for number in range(count)]
        for each in found:
            each.call("account.pin.set", password=PASSWORD, pin=PIN)
            each.call("contact.request", account=self.alice.account, address="alice@a.example")
        self.nodes.settle()
        return found

    def test_nothing_to_erase(self) -> None:
        """Accounts that have no key here turn no keyring: anybody has any number of these. Their rows go."""
        strangers = self.strangers(3)
        world = self.nodes[A]
        epoch, before = world.domain.turns.epoch, world.database.count("contacts")
        for number in range(3):
            self.close(f"stranger{number}")
            self.nodes.settle()
            world.settle(30)
        self.assertEqual([state(self.alice, each) for each in strangers], ["none"] * 3)
        self.assertLess(world.database.count("contacts"), before)
        self.assertEqual(world.database.count("erasing"), 0)
        self.assertEqual(world.domain.turns.epoch, epoch)
        self.close()
        self.nodes.settle()
        world.settle(30)
        self.assertEqual(world.domain.turns.epoch, epoch + 1)

    def test_removed(self) -> None:
        """Likewise where a contact is removed whose profile was never told."""
        world = self.nodes[A]
        blind = world.vault.blinder.account(AccountId(self.bob.account))
        world.database.execute("DELETE FROM keys WHERE owner = ?", blind)
        world.database.execute("DELETE FROM node WHERE name = 'erased'")
        self.assertIsNotNone(world.database.now(lambda c: profiles.profile(c, blind)))
        self.alice.call("contact.remove", account=self.bob.account)
        self.assertIsNone(world.database.now(lambda c: profiles.profile(c, blind)))
        self.assertIsNone(world.database.now(LASTING.erased_epoch))

    def test_cannot_be_told(self) -> None:
        """Where it cannot be read whether a turn is due that is looked at again: none is missed."""
        world = self.nodes[A]
        epoch = world.domain.turns.epoch
        self.close()
        world.database.reading_fails = True
        self.nodes.settle()
        world.settle(30)
        self.assertEqual(world.domain.turns.epoch, epoch)
        world.database.reading_fails = False
        world.settle(30)
        self.assertEqual(world.domain.turns.epoch, epoch + 1)
        self.assertEqual(world.database.count("erasing"), 0)

    def test_many(self) -> None:
        """Those of one node are bounded; what is beyond that is told again later."""
        self.nodes = Nodes(A, B, closings_per_node=0.1, closings_per_node_burst=2)
        self.alice = self.nodes[A].register("alice")
        strangers = self.strangers(4)
        told = [self.says("account.closed", each.account, {}) for each in strangers]
        self.assertEqual(told, [None, None, "rate_limited", "rate_limited"])
        self.assertEqual([state(self.alice, each) for each in strangers[2:]], ["incoming"] * 2)
        # Those that nobody here knows count for nothing.
        for _ in range(5):
            self.assertIsNone(self.says("account.closed", f"@{'c' * 26}:b.example", {}))
        self.nodes[A].settle(11)
        self.assertIsNone(self.says("account.closed", strangers[2].account, {}))
        self.assertEqual(self.says("account.closed", strangers[3].account, {}), "rate_limited")

    def test_forged(self) -> None:
        """Another node cannot say it, and it means nothing of somebody whom nobody here knows."""
        self.assertEqual(self.says("account.closed", self.bob.account, {}, "c.example"), "wrong_sender_node")
        before = self.nodes[A].database.count("erasing")
        self.assertIsNone(self.says("account.closed", f"@{'b' * 26}:b.example", {}))
        self.assertEqual(self.nodes[A].database.count("erasing"), before)
        self.assertEqual(state(self.alice, self.bob), "accepted")
