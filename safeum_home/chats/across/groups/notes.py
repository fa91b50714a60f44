"""What the nodes of a group's members are told of its messages, noted by their hub with the change.

The pointer of a message is its chat's blind index, its position (8 octets, big-endian), and the life of the
node's copy: messages of before its first member came are not for a node, nor is what waits when its last one
has left. Of a reaction the account's index stands behind that; of pins the position is where they changed.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from safeum_home.chats.contents import Chat
from safeum_home.chats.record import ChatRecord
from safeum_home.ports import Blinder
from safeum_home.ports.federation import Noted, Peers
from safeum_home.ports.sealing import BLIND
from safeum_home.protocol.federation.group_posts import MESSAGE, PASSED_ON, PINS, REACTION
from safeum_home.protocol.federation.groups import ERASED, HISTORY
from safeum_home.storage import events, group_nodes, reactions, spool
from safeum_home.storage.rows import FleetingEvent, NewEvent

EVERYWHERE = 2**63 - 1
"""As a position: nothing is behind it."""
MESSAGES = (*sorted(PASSED_ON), PINS)
"""What is told of messages."""


class GroupEvent(NamedTuple):
    """A message to be stored, and the nodes that are to be told of it."""

    event: NewEvent
    nodes: tuple[str, ...]


class GroupFleeting(NamedTuple):
    """A message of a group without history, and the nodes that are to be told of it."""

    event: FleetingEvent
    nodes: tuple[str, ...]


def pointer(chat: bytes, position: int, life: bytes) -> bytes:
    """Of a message, for a copy."""
    return chat + position.to_bytes(8, "big") + life


class Pointed(NamedTuple):
    """What a pointer says."""

    chat: bytes
    position: int
    life: bytes
    account: bytes


def pointed(pointer: bytes) -> Pointed:
    """What is pointed at."""
    at, to = BLIND + 8, 2 * BLIND + 8
    return Pointed(pointer[:BLIND], int.from_bytes(pointer[BLIND:at], "big"), pointer[at:to], pointer[to:])


class GroupNotes:
    """Notes messages. `append` suits `Database.append`."""

    def __init__(self, peers: Peers, blinder: Blinder) -> None:
        self._peers = peers
        self._blinder = blinder

    def lives(self, c: Connection, nodes: Iterable[str], chat: bytes) -> dict[str, bytes]:
        """The lives of copies, by the names of those among some nodes that hold one."""
        known = group_nodes.lives(c, chat)
        found = {node: known.get(self._blinder.node(node)) for node in nodes}
        return {node: life for node, life in found.items() if life is not None}

    def rows(self, lives: Mapping[str, bytes], chat: bytes, position: int) -> list[Noted]:
        """That some nodes are to be told of a message."""
        return [Noted(n, MESSAGE, pointer(chat, position, life)) for n, life in lives.items()]

    def append(self, c: Connection, rows: Sequence[GroupEvent]) -> list[int | None]:
        """As `append_events`; what was stored before is not told again."""
        outcomes = events.append_events(c, [row.event for row in rows])
        self._note(c, rows, outcomes)
        return outcomes

    def append_fleeting(self, c: Connection, rows: Sequence[GroupFleeting]) -> list[int | None]:
        """As `append`, of groups without history."""
        outcomes = spool.append_fleeting(c, [row.event for row in rows])
        self._note(c, [GroupEvent(row.event.event, row.nodes) for row in rows], outcomes)
        return outcomes

    def _note(self, c: Connection, rows: Sequence[GroupEvent], outcomes: Sequence[int | None]) -> None:
        noted: list[Noted] = []
        lives = {event.chat: self.lives(c, nodes, event.chat) for event, nodes in rows}
        for (event, _), earlier in zip(rows, outcomes, strict=True):
            if earlier is None:
                noted += self.rows(lives[event.chat], event.chat, event.position)
        self._peers.note(c, noted)

    def about(
        self, c: Connection, record: ChatRecord, chat: bytes, first: int, node: str, life: bytes
    ) -> list[Noted]:
        """That a node is told what was made of messages of before it came, from a position on."""
        noted = [
            Noted(node, REACTION, pointer(chat, target, life) + account)
            for target, account in reactions.reactors(c, chat, first)
        ]
        if record.pinned:
            place = 0 if record.pins is None else record.pins.place
            noted.append(Noted(node, PINS, pointer(chat, place, life)))
        return noted

    def history(self, c: Connection, nodes: Iterable[str], chat: bytes) -> None:
        """What a group's history is has changed, or who has confirmed that: told before all that waits.

        Also to nodes that hold no copy any more, but did when it was switched off.
        """
        self._peers.note(c, [Noted(n, HISTORY, chat + self._blinder.node(n), True) for n in nodes])

    def forget(self, c: Connection, nodes: Iterable[str], chat: bytes, upto: int = EVERYWHERE) -> None:
        """Messages up to a position were erased, or these nodes hold no copy any more: none of it waits."""
        for node in nodes:
            self._peers.withdraw(c, node, MESSAGES, chat, pointer(chat, upto + 1, b""))

    def receipt(self, c: Connection, nodes: Iterable[str], pointer: bytes) -> None:
        """They get a receipt."""
        self._peers.note(c, [Noted(node, ERASED, pointer, True) for node in nodes])

    def again(self, c: Connection, chat: Chat, node: str, position: int) -> None:
        """A node may have lost a message that it was told of."""
        self._peers.note(c, self.rows(self.lives(c, [node], chat.blind), chat.blind, position))

    def changed(
        self,
        c: Connection,
        chat: Chat,
        type: str,
        position: int,
        account: bytes = b"",
        urgent: bool = False,
    ) -> None:
        """A message has become something else, or what `account` has made of it, or what is pinned.

        It is never noted as a message again: that would be told in another place than it was stored in.
        """
        noted = [
            Noted(node, type, pointer(chat.blind, position, life) + account, urgent)
            for node, life in self.lives(c, chat.nodes, chat.blind).items()
        ]
        self._peers.note(c, noted)
