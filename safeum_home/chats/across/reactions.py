"""Reactions across nodes: what an account has made of a message of either node."""

import msgspec
from sqlalchemy import Connection

from safeum_home.chats.across.arrivals import Arrivals
from safeum_home.chats.across.changed import tell
from safeum_home.chats.across.places import Places
from safeum_home.chats.across.references import References
from safeum_home.chats.across.telling import pointed
from safeum_home.chats.changes.altering import Altered, Altering, Stored
from safeum_home.chats.changes.changing import MessageChanges
from safeum_home.chats.changes.emoji import one_emoji
from safeum_home.chats.changes.finding import Place
from safeum_home.chats.changes.reacted import open_reaction
from safeum_home.chats.contents import member_behind
from safeum_home.chats.lives import life_of
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.sealed import open_message
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Database
from safeum_home.ports.federation import Applied
from safeum_home.protocol.federation.chats import REACTION, SharedReaction
from safeum_home.protocol.federation.events import Event, new_event
from safeum_home.protocol.federation.people import content
from safeum_home.protocol.message_types import Deleted
from safeum_home.storage import events, reactions


class ReactionKind:
    """`ports.SharedKind`: `chat.reaction`. What an account takes back is a reaction with nothing."""

    type = REACTION
    together = True
    """Many may be stored in one transaction."""

    def __init__(
        self,
        database: Database,
        blinder: Blinder,
        opener: ChatOpener,
        references: References,
        arrivals: Arrivals,
        altering: Altering,
        changes: MessageChanges,
    ) -> None:
        self._database = database
        self._blinder = blinder
        self._opener = opener
        self._references = references
        self._arrivals = arrivals
        self._altering = altering
        self._changes = changes

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        blind, position, account = pointed(pointer)
        try:
            chat, row = self._opener.direct(c, blind), events.event(c, blind, position)
            if chat is None or row is None:
                return None
            message = open_message(c, chat, row)
            own = reactions.reaction(c, blind, position, account)
            emoji = None if own is None else open_reaction(c, chat, own).emoji
        except Tampered:
            return None
        if isinstance(message.body, Deleted):
            return None
        sender = member_behind(chat.members, self._blinder, account)
        shared = SharedReaction(self._references.of(message), emoji, list(life_of(chat.record)))
        return new_event(REACTION, sender, self._arrivals.now(), msgspec.to_builtins(shared), chat.id)

    async def apply(self, node: str, event: Event) -> Applied:
        shared, sender = content(event, SharedReaction), AccountId(event.sender)
        emoji = None if shared.emoji is None else one_emoji(shared.emoji)
        chat = await self._arrivals.present(node, event, shared.life)
        places, outcome = Places(self._database, chat), list[Stored]()

        def change(c: Connection, place: Place) -> Altered | None:
            if isinstance(place.message.body, Deleted):
                return None
            altered = self._changes.reacted(c, place, emoji)
            return None if altered is None else altered._replace(told=None)

        def store(c: Connection) -> None:
            outcome.clear()
            target = self._references.find(c, chat, shared.message, node)
            if target is None and self._references.gone(c, chat, shared.message, node) is not None:
                return  # nobody here waits for it any more
            if target is None:
                raise Problem(Code.MESSAGE_GONE)
            if (stored := self._altering.store(c, chat, sender, target, places.both, change)) is not None:
                outcome.append(stored)

        def publish() -> None:
            for stored in outcome:
                tell(self._altering, chat, stored)

        return self._arrivals.applied(node, chat, shared.life, places, store, publish)
