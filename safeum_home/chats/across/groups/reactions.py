"""Reactions and pins in groups across nodes, as their hub tells of them."""

from collections.abc import Callable

from sqlalchemy import Connection

from safeum_home.chats.across.changed import tell
from safeum_home.chats.across.groups.authors import LATE, Authors
from safeum_home.chats.across.groups.copies import check_hub
from safeum_home.chats.across.groups.lives_heard import GroupLives
from safeum_home.chats.across.groups.references import GroupReferences
from safeum_home.chats.across.groups.shown import GroupShown
from safeum_home.chats.across.places import Places
from safeum_home.chats.across.posts.records import HOUR
from safeum_home.chats.changes.altering import Altered, Altering, Stored
from safeum_home.chats.changes.changing import MessageChanges
from safeum_home.chats.changes.emoji import one_emoji
from safeum_home.chats.changes.finding import Place
from safeum_home.chats.changes.pins import Pins
from safeum_home.chats.contents import ChatContents
from safeum_home.chats.opening import ChatOpener
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.ports import Database
from safeum_home.ports.federation import Applied
from safeum_home.protocol.federation.chats import Reference
from safeum_home.protocol.federation.events import Event
from safeum_home.protocol.federation.group_posts import PINS, REACTION, GroupPins, PassedOn, Reacting
from safeum_home.protocol.federation.people import content
from safeum_home.protocol.message_types import Deleted
from safeum_home.storage import events


class GroupReactionKind:
    """`ports.SharedKind`: `group.reaction`. What an account takes back is a reaction with nothing."""

    type = REACTION
    together = True
    """Many may be stored in one transaction."""
    late = LATE

    def __init__(
        self,
        database: Database,
        lives: GroupLives,
        shown: GroupShown,
        references: GroupReferences,
        authors: Authors,
        altering: Altering,
        changes: MessageChanges,
        now: Callable[[], int],
    ) -> None:
        """`now` is in milliseconds."""
        self._now = now
        self._database = database
        self._lives = lives
        self._shown = shown
        self._references = references
        self._authors = authors
        self._altering = altering
        self._changes = changes

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        return self._shown.reaction(c, self.type, pointer)

    async def apply(self, node: str, event: Event) -> Applied:
        told = content(event, PassedOn)
        check_hub(node, event)
        authored = await self._authors.authored(node, event.chat, told.event)
        act, sender = authored.act, AccountId(authored.event.sender)
        if not isinstance(act, Reacting):
            raise Problem(Code.MALFORMED_EVENT)
        emoji = None if act.emoji is None else one_emoji(act.emoji)
        chat = await self._lives.copy_of(node, event, told.life)
        # What the hub says of its own accounts is its word alone, whichever it is.
        is_signed, act_id = authored.event.node != node, authored.event.id or ""
        once = self._references.once(chat, Reference(authored.event.node, act_id))
        places, outcome = Places(self._database, chat), list[Stored]()

        def change(c: Connection, place: Place) -> Altered | None:
            return (
                None if isinstance(place.message.body, Deleted) else self._changes.reaction(c, place, emoji)
            )

        def store(c: Connection) -> None:
            outcome.clear()
            both = places.both
            if self._lives.is_past(chat, told.life):
                return
            target = self._references.find(c, chat, act.message)
            if target is None:
                raise Problem(Code.MESSAGE_GONE)
            if is_signed and not events.recognise(c, once, self._now() // HOUR):
                return  # it may have been taken back since
            if (stored := self._altering.store_told(c, chat, sender, target, both, change)) is not None:
                outcome.append(stored)

        def publish() -> None:
            for stored in outcome:
                tell(self._altering, chat, stored)

        return Applied(store, publish, lambda: None, places.take)


class GroupPinsKind:
    """`ports.SharedKind`: `group.pins`: all that is pinned, in the order of the hub."""

    type = PINS

    def __init__(
        self,
        database: Database,
        lives: GroupLives,
        opener: ChatOpener,
        shown: GroupShown,
        references: GroupReferences,
        altering: Altering,
        pins: Pins,
        limit: RateLimit,
    ) -> None:
        """`limit` is how much each node may have told of its groups."""
        self._database = database
        self._lives = lives
        self._opener = opener
        self._shown = shown
        self._references = references
        self._altering = altering
        self._pins = pins
        self._limit = limit

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        return self._shown.pins(c, self.type, pointer)

    async def apply(self, node: str, event: Event) -> Applied:
        shared = content(event, GroupPins)
        self._limit.take(node)
        chat = await self._lives.copy_of(node, event, shared.life)
        places, changed = Places(self._database, chat), list[ChatContents]()

        def store(c: Connection) -> None:
            changed.clear()
            position, contents = places.both[0], self._opener.group(c, chat.blind)
            if self._lives.is_past(chat, shared.life):
                return
            if contents is None:
                raise Problem(Code.NOT_A_CONTACT)
            named = [self._references.find(c, chat, told) for told in shared.pinned]
            targets = [target for target in named if target is not None]
            if (now := self._pins.told_in_group(c, contents, targets, position)) is not None:
                changed.append(now)

        def publish() -> None:
            for now in changed:
                self._altering.refresh(chat.id)
                self._altering.tell_record(chat, now, now.changed)

        return Applied(store, publish, lambda: None, places.take)
