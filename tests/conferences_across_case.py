"""A conference in a group whose members are at three nodes."""

from typing import Any

from safeum_home.calls.conferences.table import Table
from safeum_home.ids import ChatId
from tests.conference_case import join, names, start
from tests.groups_across_case import GroupsAcrossCase
from tests.world import Client


class ConferencesAcrossCase(GroupsAcrossCase):
    """All five are in a group of Alice's; nothing is left to be taken."""

    def setUp(self) -> None:
        super().setUp()
        self.chat = self.group(self.amy, self.bob, self.ben, self.carol)
        self.now(2)
        self.take()

    def take(self) -> None:
        for client in self.everybody:
            client.take()

    def now(self, seconds: float = 1.0) -> None:
        self.nodes.now(seconds)

    def begin(self, client: Client, *others: Client) -> str:
        call: str = start(client, self.chat)["call"]
        self.now()
        for other in others:
            join(other, self.chat, call)
            self.now()
        self.take()
        return call

    def live(self, seconds: float, *clients: Client) -> None:
        """Time passes, in which these say that they are in it."""
        for _ in range(int(seconds / 20)):
            for client in clients:
                client.call("call.alive", call=self.call, since=0)
            self.now(20)

    def tables(self) -> dict[str, list[str]]:
        """Who is in it, as each node has it."""
        found = {}
        for name, world in self.nodes.worlds.items():
            table = world.domain.conferences.here.of(ChatId(self.chat))
            people = [] if table is None else sorted(table.people().values(), key=lambda each: each.since)
            found[name] = self.named(each.account for each in people)
        return found

    def table(self, node: str) -> Table:
        """What a node has of it."""
        table = self.nodes[node].domain.conferences.here.of(ChatId(self.chat))
        assert table is not None
        return table

    def named(self, accounts: Any) -> list[str]:
        return names({"participants": [{"account": each} for each in accounts]}, *self.everybody)

    def inside(self, client: Client) -> list[str]:
        return self.named(client.call("conference.get", chat=self.chat)["accounts"])

    call = ""
