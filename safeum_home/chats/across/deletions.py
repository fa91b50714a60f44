"""Deletions across nodes: they overtake what else waits, and so may come before the message itself."""

from typing import Any

import msgspec
from sqlalchemy import Connection

from safeum_home.chats.across.arrivals import Arrivals
from safeum_home.chats.across.changed import check_author, is_gone, tell
from safeum_home.chats.across.places import Places
from safeum_home.chats.across.shown import Shown
from safeum_home.chats.changes.altering import Altered, Altering, Stored
from safeum_home.chats.changes.changing import MessageChanges
from safeum_home.chats.changes.finding import Place
from safeum_home.chats.lives import life_of
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Database
from safeum_home.ports.federation import Applied
from safeum_home.protocol.federation.chats import DELETION, SharedDeletion
from safeum_home.protocol.federation.events import Event, new_event
from safeum_home.protocol.federation.people import content
from safeum_home.protocol.message_types import Deleted
from safeum_home.storage import events


class DeletionKind:
    """`ports.SharedKind`: `chat.deletion`."""

    type = DELETION
    together = True
    """Many may be stored in one transaction."""

    def __init__(
        self,
        database: Database,
        blinder: Blinder,
        shown: Shown,
        arrivals: Arrivals,
        altering: Altering,
        changes: MessageChanges,
    ) -> None:
        self._database = database
        self._blinder = blinder
        self._shown = shown
        self._arrivals = arrivals
        self._altering = altering
        self._changes = changes

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        found = self._shown.message(c, pointer)
        if found is None or not isinstance(found[1].body, Deleted):
            return None
        chat, message = found
        plain: dict[str, Any] = msgspec.to_builtins(SharedDeletion(list(life_of(chat.record))))
        return new_event(DELETION, AccountId(message.sender), found[1].body.at, plain, chat.id, message.id)

    async def apply(self, node: str, event: Event) -> Applied:
        shared, sender = content(event, SharedDeletion), AccountId(event.sender)
        if event.id is None:
            raise Problem(Code.MALFORMED_EVENT)
        chat = await self._arrivals.present(node, event, shared.life)
        sent = self._blinder.foreign(node, event.id)
        places, outcome = Places(self._database, chat), list[Stored]()
        stub = Deleted(sender, self._arrivals.time(event.at))

        def change(c: Connection, place: Place) -> Altered | None:
            check_author(place.message, sender)
            if isinstance(place.message.body, Deleted):
                return None
            return self._changes.deleted(c, place, stub)._replace(told=None)

        def store(c: Connection) -> None:
            outcome.clear()
            known = events.recognised(c, sent)
            if known is None or is_gone(c, chat, known):
                return
            if (stored := self._altering.store(c, chat, sender, known, places.both, change)) is not None:
                outcome.append(stored)

        def publish() -> None:
            for stored in outcome:
                tell(self._altering, chat, stored)

        return self._arrivals.applied(node, chat, shared.life, places, store, publish)
