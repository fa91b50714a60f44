"""A group whose members are at three nodes."""

from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.ids import ChatId
from tests.nodes import Nodes
from tests.world import Client, Refused, World

A, B, C = "a.example", "b.example", "c.example"


class GroupsAcrossCase(SynchronousTestCase):
    """Alice and Amy are at the hub, Bob and Ben at another node, Carol at a third; all know Alice."""

    chat = ""

    limits: ClassVar[dict[str, Any]] = {}
    """Of the nodes, in place of generous ones."""

    def setUp(self) -> None:
        self.nodes = Nodes(A, B, C, **self.limits)
        self.nodes.untold = True
        self.alice, self.amy = map(self.nodes[A].register, ("alice", "amy"))
        self.bob, self.ben = map(self.nodes[B].register, ("bob", "ben"))
        self.carol = self.nodes[C].register("carol")
        self.nodes[A].befriend(self.alice, self.amy)
        for friend in (self.bob, self.ben, self.carol):
            self.befriend(self.alice, friend)
        self.everybody = (self.alice, self.amy, self.bob, self.ben, self.carol)
        self.expected: list[str] = []
        """The codes that events are refused with."""
        for client in self.everybody:
            client.take()

    def tearDown(self) -> None:
        codes = [p.code.code for peer in self.nodes.peers.values() for _, p in peer.refused]
        self.assertEqual(codes, self.expected)

    def befriend(self, first: Client, second: Client) -> None:
        """People of two nodes come to be in each other's list."""
        first.call("contact.request", account=second.account, address=second.address)
        self.settle()
        second.call("contact.accept", account=first.account)
        self.settle()

    def back(self, client: Client) -> Client:
        """The same device on the node as it is now: that was started anew."""
        again = Client(self.nodes[client.account.partition(":")[2]])
        again.account, again.token, again.address = client.account, client.token, client.address
        return again.opened(again.call("session.resume", token=client.token, since=client.cursor))

    def settle(self) -> None:
        self.nodes.settle()

    def refused(self, code: str, client: Client, method: str, **params: Any) -> None:
        self.assertEqual(self.assertRaises(Refused, client.call, method, **params).code, code)

    def come(self, client: Client, method: str, **params: Any) -> dict[str, Any]:
        """A command that is answered when its hub has told what comes of it; the answer."""
        number = client.ask(method, **params)
        self.settle()
        answer = client.answer(number)
        assert answer is not None, f"{method} was not answered"
        return answer

    def hold(self, node: str) -> None:
        """The hub does not get through to a node, which asks it as before."""
        self.nodes.peers[A].held.add(node)

    def release(self) -> None:
        """It does again."""
        self.nodes.peers[A].held.clear()
        self.settle()

    def create(self, *invited: Client, name: str = "Walks", **more: Any) -> str:
        """A group of Alice's, and who is invited into it."""
        params = {"client_id": f"group-{name}", "name": name, "invite": [one.account for one in invited]}
        made = self.alice.call("group.create", **{**params, **more})
        self.assertEqual(made["refused"], [])
        self.settle()
        return str(made["chat"]["chat"])

    def group(self, *members: Client, **more: Any) -> str:
        """The same with all of them in it; nothing is left to be taken."""
        chat = self.create(*members, **more)
        for member in members:
            self.come(member, "group.accept", chat=chat)
        for client in self.everybody:
            client.take()
        return chat

    def roster(self, client: Client, chat: str) -> dict[str, tuple[str, str]]:
        """Who is in a group: address, role and state."""
        page = client.call("group.members", chat=chat, limit=50)
        return {one["address"]: (one["role"], one["state"]) for one in page["members"]}

    def info(self, client: Client, chat: str) -> dict[str, Any]:
        """The group in a client's list; raises LookupError."""
        for each in client.call("chat.list", limit=50)["chats"]:
            if each["chat"] == chat:
                return dict(each)
        raise LookupError(chat)

    def shown(self, client: Client, chat: str) -> list[Any]:
        """The group's messages, without what differs from node to node."""
        page = client.call("chat.history", chat=chat, limit=200)["messages"]
        return self.plain(page)

    @staticmethod
    def plain(messages: list[dict[str, Any]]) -> list[Any]:
        """Messages, without what differs from node to node."""
        return [
            (None if m["body"]["kind"] == "notice" else m["sender"], m["at"], m["body"]) for m in messages
        ]

    def words(self, client: Client, chat: str) -> list[str]:
        """The same, shorter: texts, and the actions of notices."""
        page = client.call("chat.history", chat=chat, limit=200)["messages"]
        return [m["body"].get("text") or m["body"].get("action") or m["body"]["kind"] for m in page]

    def rows(self, world: World, table: str) -> int:
        return world.database.count(table)

    def of_chat(self, node: str, table: str, chat: str = "") -> int:
        """How many rows a table of a node has of a group, or of `chat`."""
        column = {"keys": "owner", "erasing": "owner"}.get(table, "chat")
        world = self.nodes[node]
        blind = world.vault.blinder.chat(ChatId(chat or self.chat))
        query = f"SELECT count(*) FROM {table} WHERE {column} = ?"
        return int(world.database.now(lambda c: c.exec_driver_sql(query, (blind,)).scalar_one()))

    def events(self, node: str) -> int:
        return self.of_chat(node, "events")
