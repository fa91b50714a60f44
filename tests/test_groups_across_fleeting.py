"""A group at three nodes that keeps no history: what is said lives until it is held, or for a week."""

from tests.group_history_case import GroupHistoryCase
from tests.groups_across_case import A, B, C


class FleetingTests(GroupHistoryCase):
    """While it is off."""

    def setUp(self) -> None:
        super().setUp()
        for name in (A, B, C):
            self.nodes[name].domain.fleeting.start()
            self.addCleanup(self.nodes[name].domain.fleeting.stop)
        self.switch(self.alice)
        for client in self.members:
            client.take()

    def acknowledge(self) -> None:
        for client in self.members:
            client.call("session.ack", cursor=client.world.cursor)
        self.settle()
        for world in self.nodes.worlds.values():
            world.settle(70)

    def test_delivered(self) -> None:
        """At the hub until every node has it and its own devices hold it, at copies until those do."""
        self.nodes.away.add(C)
        self.write(self.alice, "one")
        self.write(self.bob, "two")
        self.assertEqual(self.texts(self.bob), ["one", "two"])
        self.acknowledge()
        self.assertEqual(self.texts(self.bob), [])
        self.assertEqual(self.of_chat(A, "spool"), 2, "one node has not taken them")
        self.assertEqual(self.of_chat(B, "spool"), 0)
        self.nodes.away.clear()
        self.settle()
        self.assertEqual(self.texts(self.carol), ["one", "two"])
        self.acknowledge()
        for node in (A, B, C):
            self.assertEqual(self.of_chat(node, "spool"), 0, node)
            self.assertEqual(self.of_chat(node, "passed_on"), 0, node)
            self.assertEqual(self.rows(self.nodes[node], "fleeting_keys"), 0, node)

    def test_week(self) -> None:
        """Seven days at the most, whoever is away."""
        self.nodes.away.add(C)
        self.write(self.bob, "one")
        for world in self.nodes.worlds.values():
            world.settle(7 * 24 * 3600)
            world.settle(3600)
        self.nodes.away.clear()
        self.settle()
        self.assertEqual(self.texts(self.carol), [])
        for node in (A, B):
            self.assertEqual(self.of_chat(node, "spool"), 0, node)

    def test_changes(self) -> None:
        """Edits, reactions and deletions work while it lives; the events of others go with it."""
        sent = self.write(self.bob, "one")
        self.edit(self.bob, sent["id"], "two")
        page = self.carol.call("chat.history", chat=self.chat, limit=1)["messages"]
        self.come(self.carol, "message.react", chat=self.chat, message=page[0]["id"], emoji="👍")
        self.settle()
        self.same(["two"])
        self.assertEqual(self.of_chat(A, "passed_on"), 2)
        self.acknowledge()
        self.assertEqual(self.of_chat(A, "passed_on"), 0)

    def test_post_waits(self) -> None:
        """A post that waits has a key of its own, which goes with it."""
        before = self.rows(self.nodes[B], "fleeting_keys")
        self.nodes.away.add(A)
        self.bob.ask("chat.send", **self.bob.message(self.chat, "one"))
        self.nodes[B].clock.advance(5)
        self.assertEqual(self.rows(self.nodes[B], "fleeting_keys"), before + 1)
        self.nodes.away.clear()
        self.settle()
        self.assertEqual(self.texts(self.carol), ["one"])
        self.acknowledge()
        self.assertEqual(self.rows(self.nodes[B], "fleeting_keys"), 0)

    def test_post_waits_for_a_week(self) -> None:
        """A post of such a group waits for seven days at the most; nothing of it is left, and it is told."""
        self.nodes.away.add(A)
        self.bob.ask("chat.send", **self.bob.message(self.chat, "one"))
        self.nodes[B].settle(6 * 24 * 3600)
        self.assertEqual(self.bob.take("chat.post"), [])
        self.nodes[B].settle(24 * 3600)
        self.nodes[B].settle(3600)
        [told] = self.bob.take("chat.post")
        self.assertEqual(told["params"]["code"], "not_taken")
        self.assertEqual(self.rows(self.nodes[B], "fleeting_keys"), 0)
        self.nodes.away.clear()
        self.settle()
        self.assertEqual(self.texts(self.alice), [])
