"""Pins across nodes: all that is pinned in a chat is told at once, and the later state counts at both."""

from typing import Any

import msgspec
from sqlalchemy import Connection

from safeum_home.chats.across.arrivals import Arrivals
from safeum_home.chats.across.places import Places
from safeum_home.chats.across.references import References
from safeum_home.chats.across.telling import pointed
from safeum_home.chats.changes.altering import Altering
from safeum_home.chats.changes.pins import Pins
from safeum_home.chats.contents import ChatContents
from safeum_home.chats.lives import life_of
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.record import PinsRecord
from safeum_home.chats.sealed import open_message
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId
from safeum_home.ports import Database
from safeum_home.ports.federation import Applied
from safeum_home.protocol.federation.chats import PINS, SharedPins
from safeum_home.protocol.federation.events import AHEAD, Event, new_event
from safeum_home.protocol.federation.people import content
from safeum_home.storage import events


class PinsKind:
    """`ports.SharedKind`: `chat.pins`."""

    type = PINS

    def __init__(
        self,
        database: Database,
        opener: ChatOpener,
        references: References,
        arrivals: Arrivals,
        altering: Altering,
        pins: Pins,
    ) -> None:
        self._database = database
        self._opener = opener
        self._references = references
        self._arrivals = arrivals
        self._altering = altering
        self._pins = pins

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        blind, place, _ = pointed(pointer)
        try:
            chat = self._opener.direct(c, blind)
        except Tampered:
            return None
        # A later change is told in its own place; what the other one has changed its own node knows.
        if chat is None or chat.record.pins is None or chat.record.pins.place != place:
            return None
        rows = [events.event(c, chat.blind, position) for position in chat.record.pinned]
        found = undamaged(
            [row for row in rows if row is not None], lambda row: open_message(c, chat, row), "messages"
        )
        shared = SharedPins([self._references.of(message) for message in found], list(life_of(chat.record)))
        plain: dict[str, Any] = msgspec.to_builtins(shared)
        return new_event(PINS, chat.record.pins.by, chat.record.pins.at, plain, chat.id)

    async def apply(self, node: str, event: Event) -> Applied:
        shared, sender = content(event, SharedPins), AccountId(event.sender)
        chat = await self._arrivals.present(node, event, shared.life)
        if sender not in chat.writers:
            raise Problem(Code.NOT_A_CONTACT)
        if event.at > self._arrivals.now() + AHEAD:
            raise Problem(Code.MALFORMED_EVENT, "this is of the future")
        places, changed = Places(self._database, chat), list[ChatContents]()

        def store(c: Connection) -> None:
            changed.clear()
            position = places.both[0]
            contents, _ = self._altering.finder.contents(c, chat.blind, sender)
            named = [self._references.find(c, chat, told, node) for told in shared.pinned]
            targets = [target for target in named if target is not None]
            now = self._pins.told(c, contents, targets, PinsRecord(event.at, sender), position)
            if now is not None:
                changed.append(now)

        def publish() -> None:
            for now in changed:
                self._altering.refresh(chat.id)
                self._altering.tell_record(chat, now, now.changed)

        return self._arrivals.applied(node, chat, shared.life, places, store, publish)
