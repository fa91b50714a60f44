"""Who types in a group across nodes: told to contacts alone, wherever the group is ordered."""

from safeum_home.ids import AccountId, ChatId
from safeum_home.protocol.federation.events import new_event
from tests.groups_across_case import B, GroupsAcrossCase
from tests.nodes import say_now
from tests.world import Client

A = "a.example"


class TypingTests(GroupsAcrossCase):
    def setUp(self) -> None:
        super().setUp()
        self.chat = self.group(self.amy, self.bob, self.ben, self.carol)
        self.nodes.now()
        self.nodes.told_now.clear()

    def told(self) -> dict[str, int]:
        """How often each one was told that somebody types."""
        told = {each.address.partition("@")[0]: len(each.take("chat.typing")) for each in self.everybody}
        return {name: count for name, count in told.items() if count}

    def type(self, client: Client) -> None:
        client.call("chat.typing", chat=self.chat)
        self.nodes.now(0.5)

    def test_at_the_hub(self) -> None:
        """All know Alice, at three nodes: each node is told once."""
        self.type(self.alice)
        self.assertEqual(self.told(), {"amy": 1, "bob": 1, "ben": 1, "carol": 1})
        self.assertEqual([event.type for _, _, event in self.nodes.told_now], ["typing"] * 2)

    def test_at_a_copy(self) -> None:
        """Bob knows Alice alone: nobody else is told, and the third node hears nothing of it."""
        self.type(self.bob)
        self.assertEqual(self.told(), {"alice": 1})
        self.assertEqual([to for _, to, _ in self.nodes.told_now], [A])

    def test_between_copies(self) -> None:
        """Two who know each other are told of each other, though neither is at the hub."""
        self.befriend(self.bob, self.carol)
        self.nodes.now()
        self.type(self.bob)
        self.assertEqual(self.told(), {"alice": 1, "carol": 1})

    def test_no_member(self) -> None:
        """Who is in the group no more is not believed to type in it."""
        self.come(self.ben, "group.leave", chat=self.chat)
        self.nodes.now()
        self.told()
        event = new_event(
            "typing",
            AccountId(self.ben.account),
            int(self.nodes[A].clock.seconds() * 1000),
            {"active": True},
            chat=ChatId(self.chat),
        )
        say_now(self.nodes, B, A, event)
        self.assertEqual(self.told(), {})
