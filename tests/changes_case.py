"""Two friends with a chat, and groups that are made of rows: for tests of what becomes of messages."""

from typing import Any

from sqlalchemy import Connection

from safeum_home.chats.contents import ChatKind
from safeum_home.chats.groups.roster import Role, RosterRecord, RosterState, seal_entry
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.record import ChatRecord, GroupRecord
from safeum_home.ids import AccountId, ChatId, support_account, system_account
from safeum_home.storage.chats import add_members
from safeum_home.storage.roster import put_entries
from safeum_home.storage.rows import MemberRow
from tests.test_chats_messages import MessageCase
from tests.world import NODE, Client, World


def text(words: str) -> dict[str, str]:
    return {"kind": "text", "text": words}


class Group:
    """A group that is made of rows. Whoever joins does not see what was written before."""

    def __init__(self, world: World, owner: Client, *others: Client) -> None:
        self.world = world
        self.id = ChatId("!" + "g" * 26)
        blinder = world.vault.blinder
        opener = ChatOpener(
            world.vault.keyring, world.vault.fleeting, blinder, system_account(NODE), support_account(NODE)
        )
        record = ChatRecord(self.id, group=GroupRecord(NODE, "Group"))
        chat, insert = opener.make(ChatKind.GROUP, record, [])
        self.key, self.blind = chat.key, chat.blind
        world.database.transact(insert)
        self.join(owner, Role.OWNER)
        for other in others:
            self.join(other)

    def join(self, client: Client, role: Role = Role.MEMBER) -> None:
        account = AccountId(client.account)
        blind = self.world.vault.blinder.account(account)
        position = self.world.database.next_position()
        record = RosterRecord(account, role)
        row = seal_entry(self.key, self.blind, blind, position, RosterState.MEMBER, record)

        def store(c: Connection) -> None:
            put_entries(c, [row])
            add_members(c, [MemberRow(self.blind, blind, 0, 0, position, position)])

        registry = self.world.domain.registry
        registry.changing(self.id)
        self.world.database.transact(store)
        registry.changed(self.id)


class ChangeCase(MessageCase):
    """`self.chat` is Alice's and Bob's; `self.sent` is what Alice wrote into it."""

    def setUp(self) -> None:
        super().setUp()
        self.chat = self.world.befriend(self.alice, self.bob)
        self.sent: str = self.alice.write(self.chat, "hi")["id"]
        self.bob.take()

    def about(self, message: str = "", **params: Any) -> dict[str, Any]:
        """The parameters of a command about a message."""
        return {"chat": self.chat, "message": message or self.sent, **params}

    def edit(self, client: Client, words: str, message: str = "") -> None:
        client.call("message.edit", **self.about(message, body=text(words)))

    def react(self, client: Client, emoji: str | None, message: str = "") -> None:
        client.call("message.react", **self.about(message, emoji=emoji))

    def delete(self, client: Client, message: str = "") -> None:
        client.call("message.delete", **self.about(message))

    def changed(self, client: Client) -> list[dict[str, Any]]:
        """What `client` was told of messages that have changed."""
        return [event["params"] for event in client.take("chat.changed")]

    def page(self, client: Client, chat: str = "") -> list[dict[str, Any]]:
        found = client.call("chat.history", chat=chat or self.chat)["messages"]
        return list(found)
