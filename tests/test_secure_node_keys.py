"""Keys of a secure chat's members, who are at several nodes and need not know each other."""

from tests.groups_across_case import B, GroupsAcrossCase
from tests.keys_across_case import FIRST, SECOND
from tests.keys_case import Pair, changes, publish, told
from tests.test_secure_node import SECURE
from tests.world import Client


class MemberKeyTests(GroupsAcrossCase):
    """Alice is at the hub, Bob and Carol at two other nodes: they are in nobody's list but hers."""

    def setUp(self) -> None:
        super().setUp()
        self.pairs = {client: Pair(number) for number, client in enumerate(self.everybody, 50)}
        self.pairs[self.bob] = FIRST
        for client, pair in self.pairs.items():
            publish(client, pair)
        self.chat = self.group(self.bob, self.carol, **SECURE)

    def ask(self, client: Client, *others: Client) -> list[str | None]:
        """The hashes of the keys that are handed out."""
        number = client.ask("keys.query", accounts=[other.account for other in others])
        self.settle()
        answer = client.answer(number)
        assert answer is not None
        return [each.get("hash") if "identity" in each else None for each in answer["keys"]]

    def test_members(self) -> None:
        """Each gets those of all others, across nodes; who is invited, or no member, gets none."""
        members = (self.alice, self.bob, self.carol)
        for client in members:
            found = self.ask(client, *members)
            self.assertEqual(found, [self.pairs[member].hash for member in members])
        self.alice.call("group.invite", chat=self.chat, accounts=[self.amy.account])
        self.assertEqual(self.ask(self.amy, self.bob), [None])

    def test_changed(self) -> None:
        """All members are told of other keys, whichever node they are at."""
        for client in (self.alice, self.carol):
            self.ask(client, self.bob)
        publish(self.bob, SECOND, replaces=FIRST.hash)
        self.settle()
        for client in (self.alice, self.bob, self.carol):
            self.assertEqual(told(client), changes(self.bob, FIRST, SECOND))
        self.assertEqual(self.ask(self.carol, self.bob), [SECOND.hash])

    def test_restarted(self) -> None:
        """After a start the keys are gone until they are published again: which alarms nobody. Others do."""
        for client in (self.alice, self.carol):
            self.ask(client, self.bob)
        self.nodes.restart(B)
        self.bob = self.back(self.bob)
        for client in (self.alice, self.carol):
            client.world.clock.advance(60)
            self.assertEqual(self.ask(client, self.bob), [None])
        publish(self.bob, FIRST)
        self.settle()
        for client in (self.alice, self.carol):
            client.world.clock.advance(60)
            self.assertEqual(self.ask(client, self.bob), [FIRST.hash])
            self.assertEqual(told(client), [])
        publish(self.bob, SECOND, replaces=FIRST.hash)
        self.settle()
        for client in (self.alice, self.carol):
            self.assertEqual(told(client), changes(self.bob, FIRST, SECOND))
