"""What other nodes are to be told is noted in the commit of the change itself.

Pointers: of a message its chat's blind index and its position (8 octets, big-endian), of a reaction the
account's index behind that, of a marker the chat's index and the account's. Of pins the chat's index and
where they were changed: so they are told behind the messages that they are of. Of a history, and of the
receipt that it was erased, the chat's index.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection
from twisted.python.failure import Failure

from safeum_home.chats.across.groups.notes import GroupNotes
from safeum_home.chats.contents import Chat, ChatKind
from safeum_home.errors import Code, Problem
from safeum_home.ports import Blinder
from safeum_home.ports.federation import Noted, Peers
from safeum_home.ports.sealing import BLIND
from safeum_home.protocol.federation import group_posts
from safeum_home.protocol.federation.chats import (
    DELETION,
    ERASED,
    HISTORY,
    MARKER,
    MESSAGE,
    PINS,
    REACTION,
)
from safeum_home.protocol.federation.groups import READ
from safeum_home.storage import chats, events, owed, spool
from safeum_home.storage.rows import FleetingEvent, Marker, NewEvent

OF_MESSAGES = (MESSAGE, DELETION, REACTION, PINS)
"""What is told of messages of direct chats."""


class Told(NamedTuple):
    """Of what kind the object is that has changed with a message, and in a group that is told by its node.

    `own`: each account has one of its own.
    """

    type: str
    in_group: str
    own: bool = False
    urgent: bool = False


EDITED = Told(MESSAGE, group_posts.CHANGE)
DELETED = Told(DELETION, group_posts.CHANGE, urgent=True)
REACTED = Told(REACTION, group_posts.REACTION, own=True)


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
    """Notes it. `append` and `markers` suit `Database.append`. `groups` is for groups of this node."""

    def __init__(self, peers: Peers, blinder: Blinder) -> None:
        self._peers = peers
        self.groups = GroupNotes(peers, blinder)

    def reaches(self, nodes: Iterable[str]) -> bool:
        """Whether this node has to do with all of these."""
        return all(map(self._peers.reaches, nodes))

    def append(self, c: Connection, rows: Sequence[ToldEvent]) -> list[Any]:
        """As `append_events`; what was stored before is not told again.

        Where too many wait for a node, what is written to it is refused with `peer_behind`, and the rest of
        these rows stays together.
        """

        def store(places: Sequence[int]) -> list[int | None]:
            return events.append_events(c, [rows[place].event for place in places])

        return self._within_room(c, rows, store)

    def append_fleeting(self, c: Connection, rows: Sequence[ToldFleeting]) -> list[Any]:
        """As `append`, of chats without history."""

        def store(places: Sequence[int]) -> list[int | None]:
            return spool.append_fleeting(c, [rows[place].event for place in places])

        return self._within_room(c, [ToldEvent(row.event.event, row.nodes) for row in rows], store)

    def _within_room(
        self, c: Connection, rows: Sequence[ToldEvent], store: Callable[[Sequence[int]], list[int | None]]
    ) -> list[Any]:
        """Store those, by their places among `rows`, for which there is room, and note them."""
        behind = self._behind(c, rows)
        fitting = [place for place in range(len(rows)) if place not in behind]
        outcomes = store(fitting)
        self._messages(c, [rows[place] for place in fitting], outcomes)
        if not behind:
            return outcomes
        taken = iter(outcomes)
        return [
            _earlier_or_refused(c, row) if place in behind else next(taken) for place, row in enumerate(rows)
        ]

    def append_one(self, c: Connection, row: ToldEvent | ToldFleeting) -> int | None:
        """The same for a message alone; raises `peer_behind`."""
        if isinstance(row, ToldFleeting):
            [outcome] = self.append_fleeting(c, [row])
        else:
            [outcome] = self.append(c, [row])
        if isinstance(outcome, Failure):
            outcome.raiseException()
        return outcome  # type: ignore[no-any-return]

    def _behind(self, c: Connection, rows: Sequence[ToldEvent]) -> set[int]:
        """The places of those for which there is no room; counted once for all of them."""
        room = {node: self._peers.room(c, node) for node in {node for row in rows for node in row.nodes}}
        if all(left >= len(rows) for left in room.values()):
            return set()
        behind = set()
        for place, row in enumerate(rows):
            if all(room[node] > 0 for node in row.nodes):
                room.update({node: room[node] - 1 for node in row.nodes})
            else:
                behind.add(place)
        return behind

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

    def read(self, c: Connection, rows: Sequence[ToldMarker]) -> list[Marker | None]:
        """As `put_markers`, in groups that other nodes order: those are told how far it was read."""
        outcomes = chats.put_markers(c, [row.marker for row in rows])
        moved = {
            Noted(node, READ, row.marker.chat + row.marker.account): None
            for row, marker in zip(rows, outcomes, strict=True)
            if marker is not None and row.marker.read
            for node in row.nodes
        }
        self._peers.note(c, list(moved))
        return outcomes

    def note(self, c: Connection, chat: Chat, told: Told, position: int, account: bytes) -> None:
        """A message has changed, through `account`."""
        own = account if told.own else b""
        if chat.kind is ChatKind.GROUP:
            self.groups.changed(c, chat, told.in_group, position, own, told.urgent)
            return
        about = pointer(chat.blind, position, own)
        self._peers.note(c, [Noted(node, told.type, about, told.urgent) for node in chat.nodes])

    def pins(self, c: Connection, chat: Chat, position: int) -> None:
        """What is pinned in a chat has changed."""
        if chat.kind is ChatKind.GROUP:
            self.groups.changed(c, chat, group_posts.PINS, position)
            return
        self._peers.note(c, [Noted(node, PINS, pointer(chat.blind, position)) for node in chat.nodes])

    def history(self, c: Connection, nodes: Iterable[str], chat: bytes, erased: bool) -> None:
        """The history of a chat was switched; where it was `erased` they are owed a receipt.

        Before all that waits: what is told behind it is of another life.
        """
        rows = [Noted(node, HISTORY, chat, True) for node in nodes]
        if rows:
            self._peers.note(c, rows)
            if erased:
                owed.owe(c, chat)

    def forget(self, c: Connection, nodes: Iterable[str], chat: bytes, upto: int) -> None:
        """Messages of a direct chat up to a position were erased: none of it waits."""
        for node in nodes:
            self._peers.withdraw(c, node, OF_MESSAGES, chat, pointer(chat, upto + 1))

    def receipt(self, c: Connection, nodes: Iterable[str], chat: bytes) -> None:
        """They get the receipt that they were owed."""
        self._peers.note(c, [Noted(node, ERASED, chat, True) for node in nodes])
        owed.given(c, chat)

    def wake(self, nodes: tuple[str, ...]) -> None:
        """What was noted is committed."""
        self._peers.wake(nodes)


def _earlier_or_refused(c: Connection, row: ToldEvent) -> "int | Failure":
    """What was stored before is answered as it was."""
    earlier = events.recognised(c, row.event.sent)
    return Failure(Problem(Code.PEER_BEHIND)) if earlier is None else earlier
