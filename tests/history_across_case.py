"""Two people at two nodes who switch the history of their chat, and what their devices show of it."""

from typing import Any

from safeum_home.chats import lives
from safeum_home.ids import ChatId
from safeum_home.node.turning import LEAST_SECONDS
from tests.across_case import AcrossCase
from tests.nodes import Nodes
from tests.world import Client, World


class Shown:
    """What a device shows of the chat: by the rules of docs/messages.md alone."""

    def __init__(self, client: Client, chat: str) -> None:
        self.client = client
        self.chat = chat
        self.messages: dict[str, str] = {}
        self.erased: str | None = None
        self.info: dict[str, Any] = {}

    def look(self) -> list[str]:
        """The texts, as they came."""
        for event in self.client.take():
            params = event["params"]
            if event["method"] == "chat.updated" and params["chat"]["chat"] == self.chat:
                if params["chat"]["erased"] != self.erased:
                    self.messages.clear()
                    self.erased = params["chat"]["erased"]
                self.info = params["chat"]
            elif event["method"] == "chat.message" and params["body"]["kind"] == "text":
                self.messages[params["id"]] = params["body"]["text"]
        return list(self.messages.values())


def life(world: World, chat: str) -> lives.HistoryState:
    """In which life a node has the history of a chat, and whether it is kept."""
    opened: list[Any] = []
    world.domain.registry.load(ChatId(chat)).addCallback(opened.append)
    return lives.state_of(opened[0].record)


def settle(nodes: Nodes) -> None:
    """All is told, all keyrings were turned that are to be, and what comes of that is told."""
    for _ in range(3):
        nodes.settle()
        for world in nodes.worlds.values():
            world.settle(2 * LEAST_SECONDS)
    nodes.settle()


class HistoryCase(AcrossCase):
    """Alice and Bob, who have said something."""

    def setUp(self) -> None:
        super().setUp()
        self.write(self.alice, "before")
        self.write(self.bob, "before too")
        self.settle()
        self.alice.take()
        self.bob.take()

    def switch(self, client: Client, enabled: bool = False) -> dict[str, Any]:
        """The answer, which may have to wait for another turn of the keyring."""
        number = client.ask("chat.history.set", chat=self.chat, enabled=enabled)
        if (answer := client.answer(number)) is None:
            client.world.settle(2 * LEAST_SECONDS)
            answer = client.answer(number)
        assert answer is not None
        return answer

    def settle(self) -> None:
        settle(self.nodes)

    def pass_by(self, seconds: float) -> None:
        """Time passes at both nodes."""
        for world in self.nodes.worlds.values():
            world.settle(seconds)

    def chat_of(self, client: Client) -> dict[str, Any]:
        [found] = [each for each in client.call("chat.list")["chats"] if each["chat"] == self.chat]
        return dict(found)

    def said(self, client: Client) -> list[str]:
        return client.history(self.chat)

    def told(self, client: Client) -> list[dict[str, Any]]:
        """What the device was told of the chat, in order."""
        return [dict(event["params"]["chat"]) for event in client.take("chat.updated")]

    def rows_of(self, world: World, table: str = "events") -> int:
        """How many rows of the chat a table has."""
        chat = world.vault.blinder.chat(ChatId(self.chat))
        query = f"SELECT count(*) FROM {table} WHERE chat = ?"
        return int(world.database.now(lambda c: c.exec_driver_sql(query, (chat,)).scalar_one()))
