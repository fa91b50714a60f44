"""A group at three nodes whose history is disabled."""

from typing import Any

from safeum_home.ids import ChatId
from safeum_home.protocol.federation.events import Event
from tests.groups_across_case import GroupsAcrossCase
from tests.history_across_case import settle
from tests.world import Client


class GroupHistoryCase(GroupsAcrossCase):
    """A group of Alice's, with somebody at each node, who have said something."""

    def setUp(self) -> None:
        super().setUp()
        self.chat = self.group(self.amy, self.bob, self.carol)
        self.members = (self.alice, self.amy, self.bob, self.carol)
        self.write(self.alice, "secret of hers")
        self.write(self.bob, "secret of his")
        for client in self.everybody:
            client.take()

    def settle(self) -> None:
        settle(self.nodes)

    def write(self, client: Client, words: str) -> dict[str, Any]:
        return self.come(client, "chat.send", **client.message(self.chat, words))

    def switch(self, client: Client, enabled: bool = False) -> dict[str, Any]:
        return self.come(client, "chat.history.set", chat=self.chat, enabled=enabled)

    def texts(self, client: Client) -> list[str]:
        return client.history(self.chat)

    def edit(self, client: Client, message: str, words: str) -> None:
        body = {"kind": "text", "text": words}
        self.come(client, "message.edit", chat=self.chat, message=message, body=body)

    def record(self, node: str) -> Any:
        opened: list[Any] = []
        self.nodes[node].domain.registry.load(ChatId(self.chat)).addCallback(opened.append)
        return opened[0].record

    def same(self, texts: list[str], pending: list[str] | None = None) -> None:
        """All members see this, and know who has not confirmed."""
        for client in self.members:
            self.assertEqual(self.texts(client), texts, client.address)
            self.assertEqual(self.info(client, self.chat)["pending"], pending or [], client.address)

    def hear(self, node: str, at: str, event: Event) -> None:
        """A node takes what another one tells."""
        kind = next(each for each in self.nodes[at].domain.shared if each.type == event.type)
        self.nodes._apply(self.nodes[at], kind, kind.apply(node, event))
