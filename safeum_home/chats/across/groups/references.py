"""Messages of groups as nodes name them: by the author's node, and the id that they have there."""

from sqlalchemy import Connection

from safeum_home.chats.contents import Chat, ChatContents
from safeum_home.chats.sealed import open_message
from safeum_home.errors import Problem, Tampered
from safeum_home.ids import system_account
from safeum_home.ports import Blinder, Cursors
from safeum_home.protocol.federation.chats import Reference
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.types import Message
from safeum_home.storage import events


class GroupReferences:
    """Makes and finds them. Where this node orders the group its accounts' messages have their ids here."""

    def __init__(self, node: str, blinder: Blinder, cursors: Cursors) -> None:
        self.node = node
        self._blinder = blinder
        self._cursors = cursors
        self._system = system_account(node)

    def of(self, chat: ChatContents, message: Message) -> Reference:
        """What other nodes find a message of a group by."""
        node = node_of(message.sender)
        if message.sender == self._system and message.origin is not None and chat.record.group is not None:
            node = chat.record.group.hub  # of which each node writes in its own name what it has noted
        return Reference(node, message.origin or message.id)

    def sent(self, told: Reference) -> bytes:
        """What recognises the message, but for one of this node's own accounts where it orders the group."""
        return self._blinder.foreign(told.node, told.id)

    def once(self, chat: Chat, told: Reference) -> bytes:
        """What recognises an act that is no message, in this life of a copy: in the next it is told anew."""
        life = "" if chat.record.group is None else chat.record.group.life
        return self._blinder.foreign(told.node, f"{life}\n{told.id}")

    def find(self, c: Connection, chat: Chat, told: Reference) -> int | None:
        """The position of a message of a group; None where it is not there (any more)."""
        position = self.known(c, chat, told)
        if position is None or events.event(c, chat.blind, position) is None:
            return None
        return position

    def known(self, c: Connection, chat: Chat, told: Reference) -> int | None:
        """The position under which it was stored once, in whichever chat."""
        if told.node != self.node or chat.hub is not None:
            return events.recognised(c, self.sent(told))
        try:
            return self._cursors.decode(told.id)
        except Problem:
            return None

    def answered(self, c: Connection, contents: ChatContents, reply_to: str | None) -> Reference | None:
        """The message that another one answers, by its id here; None where it is not there any more."""
        if reply_to is None:
            return None
        row = events.event(c, contents.blind, self._cursors.decode(reply_to))
        try:
            return None if row is None else self.of(contents, open_message(c, contents, row))
        except Tampered:
            return None

    def reply_to(self, c: Connection, chat: Chat, told: Reference | None) -> str | None:
        """The other way round: the id here of a message that is answered."""
        found = None if told is None else self.find(c, chat, told)
        return None if found is None else self._cursors.encode(found)
