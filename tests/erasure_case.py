"""Two people with a chat, whose history is disabled."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.chats.fleeting import GATHER_SECONDS, LOOK_SECONDS
from safeum_home.ids import ChatId
from safeum_home.node.turning import LEAST_SECONDS
from tests.world import Client, Refused, World

HOUR = 3600.0


class ErasureCase(SynchronousTestCase):
    """Alice and Bob, who have said something."""

    def setUp(self) -> None:
        self.world = World()
        self.alice, self.bob = map(self.world.register, ("alice", "bob"))
        self.chat = self.world.befriend(self.alice, self.bob)
        self.alice.write(self.chat, "before")
        self.bob.write(self.chat, "before too")
        self.world.settle()
        for client in (self.alice, self.bob):
            self.acknowledge(client)
            client.take()

    def refused(self, code: str, client: Client, method: str, **params: Any) -> None:
        self.assertEqual(self.assertRaises(Refused, client.call, method, **params).code, code)

    def off(self, client: Client | None = None, chat: str | None = None) -> dict[str, Any]:
        """Disable the history; the answer, which may have to wait for another turn of the keyring."""
        by = client or self.alice
        number = by.ask("chat.history.set", chat=chat or self.chat, enabled=False)
        self.world.settle()
        if (answer := by.answer(number)) is None:
            self.world.settle(2 * LEAST_SECONDS)
            answer = by.answer(number)
        assert answer is not None
        return answer

    def on(self, client: Client | None = None) -> dict[str, Any]:
        return (client or self.alice).call("chat.history.set", chat=self.chat, enabled=True)

    def acknowledge(self, client: Client) -> None:
        """The device says that it holds all that there is, as clients do a moment after an event."""
        client.call("session.ack", cursor=self.world.cursor)

    def gather(self) -> None:
        """What was acknowledged is looked at."""
        self.world.settle(2 * GATHER_SECONDS)

    def look(self, times: int = 1) -> None:
        """A minute passes, or some."""
        for _ in range(times):
            self.world.settle(LOOK_SECONDS)

    def blind(self, chat: str | None = None) -> bytes:
        return self.world.vault.blinder.chat(ChatId(chat or self.chat))

    def rows(self, table: str) -> int:
        """How many rows of the chat a table holds."""
        count = f"SELECT count(*) FROM {table} WHERE chat = ?"
        return int(self.world.database.now(lambda c: c.exec_driver_sql(count, (self.blind(),)).scalar_one()))
