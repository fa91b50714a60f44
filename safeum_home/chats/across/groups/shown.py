"""What a group's node tells of messages and reactions: as they are now, by events of who made them so."""

from typing import Any

import msgspec
from msgspec import structs
from sqlalchemy import Connection

from safeum_home.chats.across.groups.notes import Pointed, pointed
from safeum_home.chats.across.groups.passing_on import kept
from safeum_home.chats.across.groups.references import GroupReferences
from safeum_home.chats.across.posts.acts import Acts
from safeum_home.chats.changes.reacted import open_reaction
from safeum_home.chats.contents import ChatContents
from safeum_home.chats.groups import lives as group_lives
from safeum_home.chats.groups.roster import open_entry
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.sealed import open_message
from safeum_home.errors import Tampered
from safeum_home.ids import AccountId, system_account
from safeum_home.protocol.events import Reacted
from safeum_home.protocol.federation.events import Event, new_event, node_of
from safeum_home.protocol.federation.group_posts import POST, Act, GroupPins, Left, PassedOn
from safeum_home.protocol.message_types import Deleted
from safeum_home.protocol.types import Message
from safeum_home.storage import events, group_nodes, reactions, roster, spool


class GroupShown:
    """Reads it, on a reading connection and in its thread."""

    def __init__(self, node: str, opener: ChatOpener, references: GroupReferences, acts: Acts) -> None:
        self._node = node
        self._opener = opener
        self._references = references
        self._acts = acts
        self._system = system_account(node)

    def message(self, c: Connection, type: str, pointer: bytes) -> Event | None:
        """A message; None where it is gone, or the node has no member any more that it is for."""
        place = pointed(pointer)
        try:
            if (found := self._find(c, place)) is None:
                return None
            chat, message = found
            event = kept(c, chat, place.position) or self._own(c, chat, message)
        except Tampered:
            return None
        if event is None:
            return None
        body, at, left = message.body, message.at, None
        if isinstance(body, Deleted):
            at, left = body.at, Left(self._references.of(chat, message), message.sender, message.at)
        fleeting = self._is_fleeting(c, chat, place.position)
        life = group_lives.life_of(chat.record)
        return self._told(type, chat, PassedOn(at, event, left, life, fleeting))

    def reaction(self, c: Connection, type: str, pointer: bytes) -> Event | None:
        """What an account has made of a message."""
        place = pointed(pointer)
        try:
            if (found := self._find(c, place)) is None or isinstance(found[1].body, Deleted):
                return None
            chat, message = found
            event = kept(c, chat, place.position, place.account)
            if event is None:
                event = self._own_reaction(c, chat, message, place)
        except Tampered:
            return None
        if event is None:
            return None
        return self._told(type, chat, PassedOn(event["at"], event, life=group_lives.life_of(chat.record)))

    def pins(self, c: Connection, type: str, pointer: bytes) -> Event | None:
        """What is pinned; None where that has changed again, and is told in the place of that."""
        place = pointed(pointer)
        if group_nodes.visible(c, place.chat, place.life) is None:
            return None
        try:
            chat = self._opener.group(c, place.chat)
            last = None if chat is None else chat.record.pins
            if chat is None or (0 if last is None else last.place) != place.position:
                return None
            rows = [events.event(c, chat.blind, position) for position in chat.record.pinned]
            found = [open_message(c, chat, row) for row in rows if row is not None]
        except Tampered:
            return None
        named = [self._references.of(chat, message) for message in found]
        pins = GroupPins(named, group_lives.life_of(chat.record))
        plain: dict[str, Any] = msgspec.to_builtins(pins)
        return new_event(type, self._system, 0 if last is None else last.at, plain, chat.id)

    def _find(self, c: Connection, place: Pointed) -> tuple[ChatContents, Message] | None:
        visible = group_nodes.visible(c, place.chat, place.life)
        if visible is None or place.position <= visible:
            return None
        chat, rows = (
            self._opener.group(c, place.chat),
            events.events_among(c, [(place.chat, place.position)]),
        )
        return None if chat is None or not rows else (chat, open_message(c, chat, rows[0]))

    def _is_fleeting(self, c: Connection, chat: ChatContents, position: int) -> bool:
        """Whether a message is not kept; it is not looked for where all are."""
        record = chat.record
        if record.history and position > record.kept:
            return False
        return spool.is_waiting(c, chat.blind, position)

    def _told(self, type: str, chat: ChatContents, told: PassedOn) -> Event:
        plain: dict[str, Any] = msgspec.to_builtins(told)
        return new_event(type, self._system, told.at, plain, chat.id)

    # --- what accounts of this node did has no event until it is told

    def _own(self, c: Connection, chat: ChatContents, message: Message) -> dict[str, Any] | None:
        by = message.body.by if isinstance(message.body, Deleted) else message.sender
        if node_of(by) != self._node:
            return None
        at = message.body.at if isinstance(message.body, Deleted) else message.edited or message.at
        act = self._acts.changed(c, chat, message, None)
        return self._authored(chat, act, by, at, message.id)

    def _own_reaction(
        self, c: Connection, chat: ChatContents, message: Message, place: Pointed
    ) -> dict[str, Any] | None:
        row = reactions.reaction(c, place.chat, place.position, place.account)
        if row is not None:
            reacted = Reacted(*structs.astuple(open_reaction(c, chat, row)))
        elif (entry := roster.entry(c, place.chat, place.account)) is not None:
            reacted = Reacted(open_entry(chat.key, entry).account, None)
        else:
            return None
        if node_of(reacted.account) != self._node:
            return None
        act = self._acts.changed(c, chat, message, reacted)
        return self._authored(chat, act, reacted.account, message.at, message.id)

    def _authored(self, chat: ChatContents, act: Act, by: str, at: int, id: str) -> dict[str, Any]:
        event = new_event(POST, AccountId(by), at, msgspec.to_builtins(act), chat.id, id)
        plain: dict[str, Any] = msgspec.to_builtins(event)
        return plain
