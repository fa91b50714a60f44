"""What the node writes into a chat: in a group who came and went, in all that their history was switched.

A notice is a message in the chat's order, of the node's system contact and signed by it: no account can
make one, and none of its members can be told of what was not.
"""

from collections.abc import Callable

from sqlalchemy import Connection

from safeum_home.chats.contents import Chat
from safeum_home.chats.sealed import seal_twice, seal_under
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Cursors, Key
from safeum_home.protocol import frames
from safeum_home.protocol.types import Message, Notice
from safeum_home.storage import events, spool
from safeum_home.storage.rows import FleetingEvent, NewEvent

_NOBODY = bytes(16)
"""The device that sent what no device sent."""


class NoticeWriter:
    """Writes notices inside the transaction that they tell of."""

    def __init__(
        self,
        blinder: Blinder,
        cursors: Cursors,
        system: AccountId,
        now: Callable[[], int],
        signed: Callable[[Message], Message],
        waits: Callable[[Chat, int], None],
    ) -> None:
        """`now` is in milliseconds; `signed` puts the node's signature to a message.

        `waits` is told of a notice in a chat without history.
        """
        self._blinder = blinder
        self._cursors = cursors
        self.system = system
        self._now = now
        self._signed = signed
        self._waits = waits

    def store(self, c: Connection, chat: Chat, key: Key, notice: Notice, position: int, kept: bool) -> bytes:
        """Store a notice; its message, encoded. `key` is the chat's as the transaction sees it.

        `kept`: whether the chat has a history.
        """
        cursor = self._cursors.encode(position)
        message = self._signed(Message(cursor, chat.id, self.system, self._now(), notice))
        encoded = frames.encode_params(message)
        # It is never sent again: its own id is what recognises it.
        sent = self._blinder.alias(cursor)
        if kept:
            sealed = seal_under(key, chat.blind, position, encoded)
            events.append_events(c, [NewEvent(chat.blind, position, sealed, sent)])
        else:
            own = seal_twice(chat.fleeting, key, chat.blind, position, encoded)
            event = NewEvent(chat.blind, position, own.sealed, sent)
            hour = self._now() // 3_600_000
            row = FleetingEvent(event, _NOBODY, _NOBODY, hour, own.owner, own.key)
            spool.append_fleeting(c, [row])
        return encoded

    def told(self, chat: Chat, position: int) -> None:
        """A notice was stored, and is being told to the chat's members."""
        if not chat.record.history:
            self._waits(chat, position)
