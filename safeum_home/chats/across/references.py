"""Messages as other nodes name them: by the node of the sender, and the id that they have there."""

from collections.abc import Sequence

from sqlalchemy import Connection

from safeum_home.chats.contents import Chat, ChatContents
from safeum_home.chats.sealed_records import SealedRecords
from safeum_home.errors import Problem
from safeum_home.ports import Blinder, Cursors
from safeum_home.protocol.federation.chats import Reference
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.types import Message
from safeum_home.storage import events, passed

_records = SealedRecords(Reference)


class References:
    """Makes and finds them."""

    def __init__(self, node: str, blinder: Blinder, cursors: Cursors) -> None:
        self._node = node
        self._blinder = blinder
        self._cursors = cursors

    def of(self, message: Message) -> Reference:
        """What the other node finds a message by."""
        return Reference(node_of(message.sender), message.origin or message.id)

    def keep(self, c: Connection, chat: Chat, position: int, reference: Reference) -> None:
        """What a message without history is to be called when it is gone, inside its transaction."""
        sealed = _records.seal(chat.key, reference, _context(chat.blind, position))
        passed.put(c, chat.blind, position, sealed)

    def last(self, c: Connection, chat: ChatContents, upto: int) -> tuple[int, Reference] | None:
        """Where the last one was up to a position that `keep` has kept, and what it is called."""
        found = passed.last(c, chat.blind, upto, chat.record.erased)
        if found is None:
            return None
        position, sealed = found
        return position, _records.open(chat.key, sealed, _context(chat.blind, position))

    def gone(self, c: Connection, chat: Chat | ChatContents, told: Reference, node: str) -> int | None:
        """Where a message was that is gone since everybody here held it; None where that is not known."""
        position = self._position(c, told, node)
        if position is None or position <= chat.record.erased:
            return None
        mark = self._blinder.gone(chat.blind, position)
        return position if events.is_gone_from(c, position, mark) else None

    def find(self, c: Connection, chat: Chat | ChatContents, told: Reference, node: str) -> int | None:
        """The position of a message of a chat that `node` has named; None where it is not there.

        In any thread, on its connection. A third node's messages are in no direct chat.
        """
        position = self._position(c, told, node)
        if position is None or position <= chat.record.erased:
            return None
        if events.event(c, chat.blind, position) is None:
            return None
        return position

    def among(
        self, c: Connection, told: Sequence[tuple[Chat, Reference]], node: str
    ) -> dict[tuple[bytes, Reference], int]:
        """What `find` finds of many that `node` has named, by the blind indexes of their chats."""
        sent = {each: self._blinder.foreign(node, each.id) for _, each in told if each.node == node}
        known = events.recognised_among(c, sent.values())
        places: dict[tuple[bytes, Reference], int] = {}
        for chat, each in told:
            foreign = sent.get(each)
            position = self._own(each) if foreign is None else known.get(foreign)
            if position is not None and position > chat.record.erased:
                places[chat.blind, each] = position
        rows = events.events_among(c, list({(blind, position) for (blind, _), position in places.items()}))
        there = {row[:2] for row in rows}
        return {key: position for key, position in places.items() if (key[0], position) in there}

    def _own(self, told: Reference) -> int | None:
        """Where a message of this node is, or would be."""
        try:
            return self._cursors.decode(told.id) if told.node == self._node else None
        except Problem:
            return None

    def _position(self, c: Connection, told: Reference, node: str) -> int | None:
        if told.node == node:
            return events.recognised(c, self._blinder.foreign(node, told.id))
        return self._own(told)


def _context(chat: bytes, position: int) -> bytes:
    return b"passed" + chat + position.to_bytes(8, "big")
