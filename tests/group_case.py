"""People in each other's contacts, and a group of some of them."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.ids import AccountId, ChatId
from tests.world import Client, Refused, World


class GroupCase(SynchronousTestCase):
    """Alice knows Bob, Carol and Dave; Eve knows nobody."""

    def setUp(self) -> None:
        self.world = World()
        names = ("alice", "bob", "carol", "dave", "eve")
        self.alice, self.bob, self.carol, self.dave, self.eve = map(self.world.register, names)
        for friend in (self.bob, self.carol, self.dave):
            self.world.befriend(self.alice, friend)

    def refused(self, code: str, client: Client, method: str, **params: Any) -> dict[str, Any]:
        error = self.assertRaises(Refused, client.call, method, **params)
        self.assertEqual(error.code, code)
        return {**error.error["data"]}

    def create(self, owner: Client, *invited: Client, name: str = "Walks", **more: Any) -> str:
        """A new group, and who is invited into it."""
        params = {"client_id": f"group-{name}", "name": name, "invite": [one.account for one in invited]}
        made = owner.call("group.create", **{**params, **more})
        self.assertEqual(made["refused"], [])
        chat: str = made["chat"]["chat"]
        return chat

    def group(self, owner: Client, *members: Client, **more: Any) -> str:
        """A new group with these members; nothing is left to be taken."""
        chat = self.create(owner, *members, **more)
        for member in members:
            member.call("group.accept", chat=chat)
        for client in (owner, *members):
            client.take()
        return chat

    def roster(self, client: Client, chat: str) -> dict[str, tuple[str, str]]:
        """Who is in a group: address, role and state."""
        found, after = {}, None
        while True:
            page = client.call("group.members", chat=chat, after=after, limit=2)
            for one in page["members"]:
                found[one["address"].partition("@")[0]] = (one["role"], one["state"])
            after = page["next"]
            if after is None:
                return found

    def chats(self, client: Client) -> dict[str, dict[str, Any]]:
        """The groups in a client's list."""
        listed = client.call("chat.list", limit=50)["chats"]
        return {one["chat"]: one for one in listed if one["kind"] == "group"}

    def notices(self, client: Client) -> list[str]:
        """The actions of the notices that came."""
        events = [event["params"]["body"] for event in client.take("chat.message")]
        return [body["action"] for body in events if body["kind"] == "notice"]

    def rows(self, table: str, chat: str) -> int:
        """How many rows of a table are of a chat."""
        query = f"SELECT count(*) FROM {table} WHERE chat = ?"
        blind = self.blind_chat(chat)
        return int(self.world.database.now(lambda c: c.exec_driver_sql(query, (blind,)).scalar_one()))

    def blind(self, client: Client) -> bytes:
        return self.world.vault.blinder.account(AccountId(client.account))

    def blind_chat(self, chat: str) -> bytes:
        return self.world.vault.blinder.chat(ChatId(chat))
