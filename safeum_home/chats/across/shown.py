"""Messages of this node's accounts, read to tell other nodes of them."""

from sqlalchemy import Connection

from safeum_home.chats.across.telling import pointed
from safeum_home.chats.contents import ChatContents
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.sealed import open_message
from safeum_home.errors import Tampered
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.types import Message
from safeum_home.storage import events, spool


class Shown:
    """Reads them, on a reading connection and in its thread."""

    def __init__(self, node: str, opener: ChatOpener) -> None:
        self._node = node
        self._opener = opener

    def message(self, c: Connection, pointer: bytes) -> tuple[ChatContents, Message] | None:
        """The message that is pointed at, as it is now, and its chat; None where it is not there any more."""
        blind, position, _ = pointed(pointer)
        try:
            chat, rows = self._opener.direct(c, blind), events.events_among(c, [(blind, position)])
            if chat is None or not rows:
                return None
            message = open_message(c, chat, rows[0])
        except Tampered:
            return None
        return (chat, message) if node_of(message.sender) == self._node else None

    def is_fleeting(self, c: Connection, pointer: bytes) -> bool:
        """Whether the message that is pointed at is not kept."""
        blind, position, _ = pointed(pointer)
        return spool.is_waiting(c, blind, position)
