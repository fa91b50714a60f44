"""What the model calls people, chats and messages, and by which ids they go on the node."""

from safeum_home.client.state.chat_view import ChatView
from safeum_home.ids import AccountId, direct_chat_id, system_account
from safeum_home.protocol.message_types import Deleted
from safeum_home.protocol.types import Message, Notice, Text
from tests.chats_groups_truth import notice
from tests.chats_net import Device
from tests.chats_rooms import NODE, Key, Shown
from tests.chats_truth import Truth
from tests.world import NODE as NODE_NAME

EDITED = " / "
"""Stands between what a message said at first and what it says now."""


def copy_key(original: str, chat: Key) -> str:
    """What the model calls the copy of a message in a chat: there is one of each."""
    return f"copy of {original.partition(EDITED)[0]} in {' '.join(chat)}"


class Names:
    """`groups` and `keys` are the ids of groups, and what messages are called, by their ids."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self.accounts: dict[str, AccountId] = {}
        self.groups: dict[str, str] = {}
        self.keys: dict[str, str] = {}

    def chat_id(self, key: Key) -> str:
        kind, *people = key
        if kind == "group":
            return self.groups[people[0]]
        if kind == "system":
            return str(direct_chat_id(self.accounts[people[0]], system_account(NODE_NAME)))
        return str(direct_chat_id(self.accounts[people[0]], self.accounts[people[-1]]))

    def key_of(self, person: str, chat: str) -> Key:
        """The model's name of a chat of somebody's."""
        keys: list[Key] = [("system", person), *(("group", name) for name in self.groups)]
        keys += [self._truth.room(person, other) for other in self.accounts]
        return next(key for key in keys if self.chat_id(key) == chat)

    def name_of(self, account: str) -> str:
        return next((name for name, one in self.accounts.items() if one == account), NODE)

    def key_of_message(self, device: Device, message: Message) -> str:
        """What the model calls a message: what it said at first. Of a stub that is known from before."""
        if message.id not in self.keys:
            self.keys[message.id] = self._first_key(device, message)
        return self.keys[message.id]

    def id_of(self, key: str) -> str | None:
        """The message that the model calls so, where it was ever looked at; not of a notice."""
        if key.startswith("notice "):
            return None  # there may be two that say the same
        return next((message for message, one in self.keys.items() if one == key), None)

    def _first_key(self, device: Device, message: Message) -> str:
        body = message.body
        if isinstance(body, Text):
            if message.forwarded is not None:
                return copy_key(body.text, self.key_of(device.owner, message.chat))
            return body.text.partition(EDITED)[0]
        if isinstance(body, Notice):
            who, by = (None if one is None else self.name_of(one) for one in (body.who, body.by))
            return notice(body.action, who, by, body.text)
        return f"login {getattr(body, 'device', '')}"

    def shown(self, device: Device, view: ChatView) -> list[Shown]:
        """What a device shows of a chat."""
        return [self._shown(device, message) for message in view.messages]

    def _shown(self, device: Device, message: Message) -> Shown:
        body, key, copied = message.body, self.key_of_message(device, message), None
        if message.forwarded is not None:
            author = message.forwarded.author
            copied = "" if author is None else self.name_of(author)
        return Shown(
            key,
            self.name_of(message.sender),
            body.text if isinstance(body, Text) else None if isinstance(body, Deleted) else key,
            message.edited is not None,
            {each.emoji: each.count for each in message.reactions},
            message.mine,
            None if message.reply_to is None else self.keys[message.reply_to],
            frozenset(map(self.name_of, message.mentions)),
            copied,
        )
