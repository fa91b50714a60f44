"""Receipts across nodes: how far the account at the other end is, in what was written to it.

Each node has an order of its own: what crossed on the way stands the other way round at the other node. So a
marker names the last message of the other one that it covers, since those come in their order.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection

from safeum_home.chats.across.arrivals import Arrivals, others
from safeum_home.chats.across.places import Places
from safeum_home.chats.across.references import References
from safeum_home.chats.contents import Chat, ChatContents, member_behind
from safeum_home.chats.lives import life_of, plain
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.receipts import Receipts
from safeum_home.chats.sealed import open_message
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Database
from safeum_home.ports.federation import Applied
from safeum_home.ports.sealing import BLIND
from safeum_home.protocol.federation.chats import MARKER, Reference, SharedMarker
from safeum_home.protocol.federation.events import Event, new_event, node_of
from safeum_home.protocol.federation.people import content
from safeum_home.storage import chats, events
from safeum_home.storage.rows import EventRow, Marker, MemberRow

Known = Mapping[tuple[bytes, int], EventRow]
"""Rows that were read, by chat and position."""
PAGES = (4, 60, 436)
"""How many messages are looked at, one page after the other, for the last that the other one has written."""


@dataclass(slots=True)
class _Moving:
    """A marker that another node tells of, on its way into the database; `moved` is what became of it."""

    chat: Chat
    places: Places
    sender: AccountId
    account: bytes
    shared: SharedMarker
    moved: Marker | None = None

    def marker(self, delivered: int, read: int) -> Marker:
        """In the writer's thread; raises as `Places.check` does."""
        return Marker(self.chat.blind, self.account, max(delivered, read), read, self.places.both[0])


class MarkerKind:
    """`ports.SharedKind`: `chat.marker`."""

    type = MARKER
    together = True
    """Many may be stored in one transaction."""

    def __init__(
        self,
        database: Database,
        blinder: Blinder,
        opener: ChatOpener,
        references: References,
        arrivals: Arrivals,
        receipts: Receipts,
    ) -> None:
        self._database = database
        self._blinder = blinder
        self._opener = opener
        self._references = references
        self._arrivals = arrivals
        self._receipts = receipts

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        try:
            chat = self._opener.direct(c, pointer[:BLIND])
        except Tampered:
            return None
        return self._event(c, chat, chats.member(c, pointer[:BLIND], pointer[BLIND:]), {})

    def building(self, c: Connection, pointers: Sequence[bytes]) -> Callable[[bytes], Event | None]:
        """`ports.Bulky`."""
        places = {(pointer[:BLIND], pointer[BLIND:]) for pointer in pointers}
        opened = self._opener.directs(c, {chat for chat, _ in places})
        members = {row[:2]: row for row in chats.members_among(c, places)}
        # Mostly a marker is where the other one's message is.
        at = {(row.chat, upto) for row in members.values() for upto in (row.delivered, row.read)}
        rows = {row[:2]: row for row in events.events_among(c, list(at))}

        def event(pointer: bytes) -> Event | None:
            member = members.get((pointer[:BLIND], pointer[BLIND:]))
            return self._event(c, opened.get(pointer[:BLIND]), member, rows)

        return event

    def _event(
        self, c: Connection, chat: ChatContents | None, member: MemberRow | None, known: Known
    ) -> Event | None:
        if chat is None or member is None:
            return None
        sender = member_behind(chat.members, self._blinder, member.account)
        read = self._covered(c, chat, sender, member.read, known)
        delivered = read
        if member.delivered != member.read:
            delivered = self._covered(c, chat, sender, member.delivered, known)
        if delivered is None:
            return None  # it holds nothing of what the other one has written
        shared = SharedMarker(delivered, read, list(life_of(chat.record)))
        return new_event(MARKER, sender, self._arrivals.now(), msgspec.to_builtins(shared), chat.id)

    def _covered(
        self, c: Connection, chat: ChatContents, account: AccountId, upto: int, known: Known
    ) -> Reference | None:
        """The last message up to a position that another one than `account` has written.

        Where that is far away it is the last one of all: the other node knows it as well. It may be gone
        here, in a chat without history.
        """
        if upto <= chat.record.erased:
            return None  # it has read nothing yet, mostly
        place, reference = self._at(c, chat, account, known.get((chat.blind, upto)))
        if reference is None:
            place, reference = self._kept(c, chat, account, upto)
        gone = None if chat.record.across is None else self._references.last(c, chat, upto)
        return reference if gone is None or gone[0] < place else gone[1]

    def _at(
        self, c: Connection, chat: ChatContents, account: AccountId, row: EventRow | None
    ) -> tuple[int, Reference | None]:
        """As `_kept`, where it is the very last one; None where it is not."""
        if row is not None and row.position > chat.record.erased:
            for message in undamaged([row], lambda row: open_message(c, chat, row), "messages"):
                if message.sender in others(chat, account):
                    return row.position, self._references.of(message)
        return 0, None

    def _kept(
        self, c: Connection, chat: ChatContents, account: AccountId, upto: int
    ) -> tuple[int, Reference | None]:
        """As `_covered`, of what is here, and where that is."""
        other = next(iter(others(chat, account)))
        before, last = upto + 1, None
        for size in PAGES:
            rows = events.events_before(c, chat.blind, before, size, chat.record.erased)
            opened = undamaged(reversed(rows), lambda row: (row, open_message(c, chat, row)), "messages")
            # What the node has written into it stays here.
            opened = [each for each in opened if each[1].sender in chat.members]
            for row, message in opened:
                if message.sender == other:
                    return row.position, self._references.of(message)
            if last is None and opened:
                last = self._references.of(opened[0][1])
            if len(rows) < size:
                return 0, None
            before = rows[0].position
        return upto, last

    async def apply(self, node: str, event: Event) -> Applied:
        shared, sender = content(event, SharedMarker), AccountId(event.sender)
        chat = await self._arrivals.present(node, event, shared.life)
        places = Places(self._database, chat)
        moving = _Moving(chat, places, sender, self._blinder.account(sender), shared)

        def place(c: Connection, told: Reference | None) -> int:
            if told is None:
                return 0
            if (found := self._references.find(c, chat, told, node)) is None:
                found = self._references.gone(c, chat, told, node)
            if found is None:
                raise Problem(Code.MESSAGE_GONE)
            return found

        def store(c: Connection) -> None:
            if sender not in chat.writers:
                raise Problem(Code.NOT_A_CONTACT)
            [moving.moved] = chats.put_markers(
                c, [moving.marker(place(c, shared.delivered), place(c, shared.read))]
            )

        def publish() -> None:
            if moving.moved is not None:
                self._receipts.tell(moving.moved, chat, sender, others(chat, sender))

        return self._arrivals.applied(node, chat, shared.life, places, store, publish, moving)

    def store_rows(self, c: Connection, rows: Sequence["_Moving"]) -> bool:
        """`ports.Bulky`: markers in messages that are there."""
        told: list[tuple[Chat, Reference]] = []
        for moving in rows:
            chat, shared = moving.chat, moving.shared
            if moving.sender not in chat.writers or plain(shared.life) != life_of(chat.record):
                return False
            told += [(chat, each) for each in (shared.delivered, shared.read) if each is not None]
        found = self._references.among(c, told, node_of(rows[0].sender))
        if len(found) < len({(chat.blind, each) for chat, each in told}):
            return False

        def place(chat: Chat, told: Reference | None) -> int:
            return 0 if told is None else found[chat.blind, told]

        markers = [
            moving.marker(place(moving.chat, moving.shared.delivered), place(moving.chat, moving.shared.read))
            for moving in rows
        ]
        for moving, moved in zip(rows, chats.put_markers(c, markers), strict=True):
            moving.moved = moved
        return True
