"""Rows written into a node's database while it is stopped: what would take too long to be sent.

They are made by the same functions that the node makes them with, sealed under keys of its own keyring.
"""

from base64 import b32encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import token_bytes

from sqlalchemy import Connection

from safeum_home.chats.contents import Chat, ChatKind
from safeum_home.chats.groups.roster import Role, RosterRecord, RosterState, seal_entry
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.record import ChatRecord, GroupRecord
from safeum_home.chats.sealed import seal_under
from safeum_home.ids import AccountId, ChatId, direct_chat_id, support_account, system_account
from safeum_home.protocol import frames
from safeum_home.protocol.types import Message, Text
from safeum_home.sealing.memory import Arena, Slot
from safeum_home.sealing.root import parse
from safeum_home.sealing.vault import Vault, open_vault
from safeum_home.storage import chats, events, node, roster
from safeum_home.storage.backend import Backend
from safeum_home.storage.rows import Marker, NewEvent

NODE = "localhost"


class Seeds:
    """Writes chats and messages in one transaction. Positions follow those that the node gave out."""

    def __init__(self, vault: Vault, connection: Connection) -> None:
        self._vault = vault
        self._connection = connection
        self._opener = ChatOpener(
            vault.keyring, vault.fleeting, vault.blinder, system_account(NODE), support_account(NODE), True
        )
        self._position = node.committed(connection)

    def finish(self) -> None:
        """What was written counts as committed by the node."""
        marks = node.marks(self._connection)
        node.advance(self._connection, node.Marks(self._position, marks.groups + 1))

    def group(self, name: str, members: Sequence[AccountId]) -> Chat:
        """A group; the first of its members owns it."""
        record = ChatRecord(_new_chat_id(), group=GroupRecord(NODE, name))
        chat, store = self._opener.make(ChatKind.GROUP, record, members)
        store(self._connection)
        self._position += 1
        rows = []
        for member in members:
            role = Role.OWNER if member == members[0] else Role.MEMBER
            entry = RosterRecord(member, role, members[0], self._position)
            blind = self._vault.blinder.account(member)
            rows.append(seal_entry(chat.key, chat.blind, blind, self._position, RosterState.MEMBER, entry))
        roster.put_entries(self._connection, rows)
        return chat

    def direct(self, first: AccountId, second: AccountId) -> Chat:
        """The chat of two contacts."""
        chat = self._opener.read(self._connection, direct_chat_id(first, second))
        assert chat is not None, "they are no contacts"
        return chat

    def messages(self, chat: Chat, senders: Sequence[AccountId], count: int, text: str, at: int) -> None:
        """`count` messages, of each of the senders in turn, a second apart from `at` (milliseconds) on."""
        rows = []
        for number in range(count):
            self._position += 1
            position = self._position
            cursor = self._vault.cursors.encode(position)
            sender = senders[number % len(senders)]
            message = Message(cursor, chat.id, sender, at + 1000 * number, Text(text))
            sealed = seal_under(chat.key, chat.blind, position, frames.encode_params(message))
            rows.append(NewEvent(chat.blind, position, sealed, self._vault.blinder.alias(cursor)))
        events.append_events(self._connection, rows)

    def read_all(self, chat: Chat, account: AccountId) -> None:
        """`account` has read a chat up to its newest message."""
        [newest] = events.events_before(self._connection, chat.blind, None, 1)
        self._position += 1
        blind = self._vault.blinder.account(account)
        marker = Marker(chat.blind, blind, newest.position, newest.position, self._position)
        chats.put_markers(self._connection, [marker])


@contextmanager
def seeding(backend: Backend, state: Path, words: str) -> Iterator[Seeds]:
    """Write into the database of a node that is stopped, opened with the words of its root secret."""
    vault = open_vault(_root(words), state)
    backend.open()
    connection = backend.writer()
    try:
        with connection.begin():
            seeds = Seeds(vault, connection)
            yield seeds
            seeds.finish()
    finally:
        connection.close()
        backend.close()
        vault.wipe()


def _root(words: str) -> Slot:
    root = parse(Arena(), words)
    assert isinstance(root, Slot), "words, and no share"
    return root


def _new_chat_id() -> ChatId:
    return ChatId("!" + b32encode(token_bytes(16)).decode().rstrip("=").lower())
