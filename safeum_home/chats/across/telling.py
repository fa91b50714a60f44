"""What other nodes are to be told is noted in the commit of the change itself.

Pointers: of a message its chat's blind index and its position (8 octets, big-endian), of a reaction the
account's index behind that, of a marker the chat's index and the account's. Of pins the chat's index and
where they were changed: so they are told behind the messages that they are of. Of a history, and of the
receipt that it was erased, the chat's index.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from safeum_home.ports.federation import Noted, Peers
from safeum_home.protocol.federation.chats import (
    DELETION,
    ERASED,
    HISTORY,
    MARKER,
    MESSAGE,
    PINS,
    REACTION,
)
from safeum_home.storage import chats, events, owed, spool
from safeum_home.storage.rows import FleetingEvent, Marker, NewEvent

BLIND = 16
"""Octets of a blind index."""


class Told(NamedTuple):
    """Of what kind the object is that has changed with a message; `own`: each account has one of its own."""

    type: str
    own: bool = False
    urgent: bool = False


EDITED = Told(MESSAGE)
DELETED = Told(DELETION, urgent=True)
REACTED = Told(REACTION, own=True)


class ToldEvent(NamedTuple):
    """A message to be stored, and the nodes that are to be told of it."""

    event: NewEvent
    nodes: tuple[str, ...]


class ToldFleeting(NamedTuple):
    """A message of a chat without history, and the nodes that are to be told of it."""

    event: FleetingEvent
    nodes: tuple[str, ...]


class ToldMarker(NamedTuple):
    """A marker to be moved, and the nodes that are to be told of it."""

    marker: Marker
    nodes: tuple[str, ...]


def pointer(chat: bytes, position: int, account: bytes = b"") -> bytes:
    """Of a message, or of what an account has made of it."""
    return chat + position.to_bytes(8, "big") + account


def pointed(pointer: bytes) -> tuple[bytes, int, bytes]:
    """Chat, position and account of `pointer`."""
    place = pointer[BLIND : BLIND + 8]
    return pointer[:BLIND], int.from_bytes(place, "big"), pointer[BLIND + 8 :]


class Telling:
    """Notes it. `append` and `markers` suit `Database.append`."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    def reaches(self, nodes: Iterable[str]) -> bool:
        """Whether this node has to do with all of these."""
        return all(map(self._peers.reaches, nodes))

    def append(self, c: Connection, rows: Sequence[ToldEvent]) -> list[int | None]:
        """As `append_events`; what was stored before is not told again."""
        outcomes = events.append_events(c, [row.event for row in rows])
        self._messages(c, rows, outcomes)
        return outcomes

    def append_fleeting(self, c: Connection, rows: Sequence[ToldFleeting]) -> list[int | None]:
        """As `append`, of chats without history."""
        outcomes = spool.append_fleeting(c, [row.event for row in rows])
        self._messages(c, [ToldEvent(row.event.event, row.nodes) for row in rows], outcomes)
        return outcomes

    def _messages(self, c: Connection, rows: Sequence[ToldEvent], outcomes: Sequence[int | None]) -> None:
        self._peers.note(
            c,
            [
                Noted(node, MESSAGE, pointer(row.event.chat, row.event.position))
                for row, earlier in zip(rows, outcomes, strict=True)
                if earlier is None
                for node in row.nodes
            ],
        )

    def markers(self, c: Connection, rows: Sequence[ToldMarker]) -> list[Marker | None]:
        """As `put_markers`; only what has moved is told."""
        outcomes = chats.put_markers(c, [row.marker for row in rows])
        moved = {
            Noted(node, MARKER, row.marker.chat + row.marker.account): None
            for row, marker in zip(rows, outcomes, strict=True)
            if marker is not None
            for node in row.nodes
        }
        self._peers.note(c, list(moved))
        return outcomes

    def note(
        self, c: Connection, nodes: Iterable[str], told: Told, chat: bytes, position: int, account: bytes
    ) -> None:
        """A message has changed, through `account`."""
        about = pointer(chat, position, account if told.own else b"")
        self._peers.note(c, [Noted(node, told.type, about, told.urgent) for node in nodes])

    def pins(self, c: Connection, nodes: Iterable[str], chat: bytes, position: int) -> None:
        """What is pinned in a chat has changed."""
        self._peers.note(c, [Noted(node, PINS, pointer(chat, position)) for node in nodes])

    def history(self, c: Connection, nodes: Iterable[str], chat: bytes, erased: bool) -> None:
        """The history of a chat was switched; where it was `erased` they are owed a receipt.

        Before all that waits: what is told behind it is of another life.
        """
        rows = [Noted(node, HISTORY, chat, True) for node in nodes]
        if rows:
            self._peers.note(c, rows)
            if erased:
                owed.owe(c, chat)

    def receipt(self, c: Connection, nodes: Iterable[str], chat: bytes) -> None:
        """They get the receipt that they were owed."""
        self._peers.note(c, [Noted(node, ERASED, chat, True) for node in nodes])
        owed.given(c, chat)

    def wake(self, nodes: tuple[str, ...]) -> None:
        """What was noted is committed."""
        self._peers.wake(nodes)
