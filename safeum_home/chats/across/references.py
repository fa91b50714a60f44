"""Messages as other nodes name them: by the node of the sender, and the id that they have there."""

from sqlalchemy import Connection

from safeum_home.chats.contents import Chat, ChatContents
from safeum_home.errors import Problem
from safeum_home.ports import Blinder, Cursors
from safeum_home.protocol.federation.chats import Reference
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.types import Message
from safeum_home.storage import events


class References:
    """Makes and finds them."""

    def __init__(self, node: str, blinder: Blinder, cursors: Cursors) -> None:
        self._node = node
        self._blinder = blinder
        self._cursors = cursors

    def of(self, message: Message) -> Reference:
        """What the other node finds a message by."""
        return Reference(node_of(message.sender), message.origin or message.id)

    def find(self, c: Connection, chat: Chat | ChatContents, told: Reference, node: str) -> int | None:
        """The position of a message of a chat that `node` has named; None where it is not there.

        In any thread, on its connection. A third node's messages are in no direct chat.
        """
        position = None
        if told.node == self._node:
            try:
                position = self._cursors.decode(told.id)
            except Problem:
                return None
        elif told.node == node:
            position = events.recognised(c, self._blinder.foreign(node, told.id))
        if position is None or position <= chat.record.erased:
            return None
        if events.event(c, chat.blind, position) is None:
            return None
        return position
