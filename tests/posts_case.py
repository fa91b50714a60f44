"""A group whose members are at three nodes, and what they write into it from wherever they are."""

from typing import Any

from tests.groups_across_case import GroupsAcrossCase
from tests.world import Client


class PostsCase(GroupsAcrossCase):
    """Alice's group, with everybody in it."""

    def setUp(self) -> None:
        super().setUp()
        self.chat = self.group(self.amy, self.bob, self.ben, self.carol)

    def begin(self, client: Client, words: str, client_id: str | None = None, **more: Any) -> int:
        """Begin to send; the command."""
        return client.ask("chat.send", **client.message(self.chat, words, client_id), **more)

    def write(self, client: Client, words: str, **more: Any) -> str:
        """Send, and let it come everywhere; the id that it has at the node of `client`."""
        return self.send(client, words, **more)["id"]  # type: ignore[no-any-return]  # it is JSON

    def send(self, client: Client, words: str, client_id: str | None = None, **more: Any) -> dict[str, Any]:
        """The same; the answer."""
        command = self.begin(client, words, client_id, **more)
        self.settle()
        return self.answer(client, command)

    def answer(self, client: Client, command: int) -> dict[str, Any]:
        """What a command is answered; raises `Refused`."""
        answer = client.answer(command)
        assert answer is not None, "there is no answer"
        return answer

    def do(self, client: Client, method: str, message: str, **more: Any) -> dict[str, Any]:
        """A command about a message, until it has come everywhere."""
        command = client.ask(method, chat=self.chat, message=message, **more)
        self.settle()
        return self.answer(client, command)

    def patience(self, client: Client, seconds: float = 3.0) -> None:
        """Let so much time pass at a node."""
        client.world.settle(seconds)

    def page(self, client: Client) -> list[dict[str, Any]]:
        return list(client.call("chat.history", chat=self.chat)["messages"])

    def waiting(self, client: Client) -> list[str]:
        """What a client is shown of what waits."""
        found = client.call("chat.history", chat=self.chat).get("waiting", [])
        return [message["body"]["text"] for message in found]

    def find(self, client: Client, words: str) -> str:
        """The id of a message where `client` is."""
        return next(str(m["id"]) for m in self.page(client) if m["body"].get("text") == words)

    def all_alike(self) -> list[Any]:
        """The group, which is the same for everybody, as far as they were there."""
        shown = [self.full(client) for client in self.everybody]
        least = min(len(each) for each in shown)
        for each in shown[1:]:
            self.assertEqual(each[-least:], shown[0][-least:])
        return shown[0]

    def full(self, client: Client) -> list[Any]:
        """The messages of the group, without what differs from node to node."""
        page = self.page(client)
        places = {message["id"]: place - len(page) for place, message in enumerate(page)}
        return [
            (
                None if m["body"]["kind"] == "notice" else m["sender"],
                m["at"],
                m["body"],
                places.get(m.get("reply_to")),
                m.get("mentions"),
                m.get("forwarded"),
                m.get("edited"),
                sorted((each["emoji"], each["count"]) for each in m.get("reactions", [])),
            )
            for m in page
        ]
