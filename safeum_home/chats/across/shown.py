"""Messages of this node's accounts, read to tell other nodes of them."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from safeum_home.chats.across.telling import pointed
from safeum_home.chats.contents import ChatContents
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.sealed import open_message
from safeum_home.errors import Tampered
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.types import Message
from safeum_home.storage import events


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

    def among(
        self, c: Connection, pointers: Sequence[bytes]
    ) -> Callable[[bytes], tuple[ChatContents, Message] | None]:
        """`message` for each of these, with their chats and rows read together."""
        places = [(blind, position) for blind, position, _ in map(pointed, pointers)]
        chats = self._opener.directs(c, {blind for blind, _ in places})
        rows = {row[:2]: row for row in events.events_among(c, places)}

        def message(pointer: bytes) -> tuple[ChatContents, Message] | None:
            blind, position, _ = pointed(pointer)
            chat, row = chats.get(blind), rows.get((blind, position))
            if chat is None or row is None:
                return None
            try:
                message = open_message(c, chat, row)
            except Tampered:
                return None
            return (chat, message) if node_of(message.sender) == self._node else None

        return message
