"""A conference in a group of one node."""

from tests.conference_case import join, names, start
from tests.group_case import GroupCase
from tests.world import Client


class ConferenceCase(GroupCase):
    """Alice knows Bob, Carol and Dave; all four are in a group."""

    def setUp(self) -> None:
        super().setUp()
        self.chat = self.group(self.alice, self.bob, self.carol, self.dave)
        self.four = self.alice, self.bob, self.carol, self.dave

    def start(self, client: Client, *others: Client) -> str:
        """A conference that some are in; nothing is left to be taken."""
        call: str = start(client, self.chat)["call"]
        for other in others:
            join(other, self.chat, call)
        for each in self.four:
            each.take()
        return call

    def inside(self, client: Client) -> list[str]:
        """Who is in it, as anybody may ask."""
        accounts = client.call("conference.get", chat=self.chat)["accounts"]
        return names({"participants": [{"account": each} for each in accounts]}, *self.four)

    def pass_alive(self, seconds: float, *clients: tuple[Client, str]) -> None:
        """Time passes, in which these say that they are in it."""
        for _ in range(int(seconds / 20)):
            for client, call in clients:
                client.call("call.alive", call=call, since=0)
            self.world.clock.pump([0.5] * 40)
