"""What the node writes into a group: who came and went, and what else has become of it.

A notice is a message in the group's order, of the node's system contact and signed by it: no account can
make one, and none of its members can be told of what was not.
"""

from collections.abc import Callable

from sqlalchemy import Connection

from safeum_home.chats.contents import Chat
from safeum_home.chats.sealed import seal_message
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Cursors, Key
from safeum_home.protocol import frames
from safeum_home.protocol.types import Message, Notice
from safeum_home.storage import events
from safeum_home.storage.rows import NewEvent


class NoticeWriter:
    """Writes notices inside the transaction that they tell of."""

    def __init__(
        self,
        blinder: Blinder,
        cursors: Cursors,
        system: AccountId,
        now: Callable[[], int],
        signed: Callable[[Message], Message],
    ) -> None:
        """`now` is in milliseconds; `signed` puts the node's signature to a message."""
        self._blinder = blinder
        self._cursors = cursors
        self.system = system
        self._now = now
        self._signed = signed

    def store(self, c: Connection, chat: Chat, key: Key, notice: Notice, position: int) -> bytes:
        """Store a notice; its message, encoded. `key` is the chat's as the transaction sees it."""
        cursor = self._cursors.encode(position)
        message = self._signed(Message(cursor, chat.id, self.system, self._now(), notice))
        encoded = frames.encode_params(message)
        sealed = seal_message(key, chat.blind, position, encoded)
        # It is never sent again: its own id is what recognises it.
        events.append_events(c, [NewEvent(chat.blind, position, sealed, self._blinder.alias(cursor))])
        return encoded
