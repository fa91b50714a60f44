"""Messages across nodes: each node has its own copy, in an order of its own.

A message of another node has a position and an id here as any other. By `Message.origin`, the id that it has
at the node of its sender, it is recognised when it is told again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import structs
from sqlalchemy import Connection

from safeum_home.chats.across.arrivals import Arrivals, body_of, others
from safeum_home.chats.across.changed import check_author, is_gone, tell
from safeum_home.chats.across.files import ForeignFiles, Told
from safeum_home.chats.across.places import Places
from safeum_home.chats.across.references import References
from safeum_home.chats.across.shown import Shown
from safeum_home.chats.changes.altering import Altered, Altering, Change, Stored
from safeum_home.chats.changes.changing import MessageChanges, check_mentions, edited_body
from safeum_home.chats.changes.finding import Place
from safeum_home.chats.contents import Chat, ChatContents
from safeum_home.chats.delivery import Delivery
from safeum_home.chats.fleeting import FleetingMessages
from safeum_home.chats.lives import life_of, plain
from safeum_home.chats.sealed import open_message, seal_under
from safeum_home.chats.secure import check_said
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Cursors, Database
from safeum_home.ports.federation import Applied
from safeum_home.protocol import frames
from safeum_home.protocol.federation.chats import MESSAGE, SharedMessage
from safeum_home.protocol.federation.events import Event, new_event, node_of
from safeum_home.protocol.federation.people import content
from safeum_home.protocol.files import File
from safeum_home.protocol.message_types import Deleted
from safeum_home.protocol.types import Message
from safeum_home.storage import events, spool
from safeum_home.storage.rows import NewEvent


@dataclass(slots=True)
class _Arriving:
    """A message that another node tells of, on its way into the database; `sent` recognises it."""

    chat: Chat
    places: Places
    sender: AccountId
    message: Message
    shared: SharedMessage
    sent: bytes
    file: File | None
    """As its sender's node calls it."""
    stored: bytes | Stored | None = None
    """It is new, and these are its encoded parameters; or what has changed with one that is known."""

    @property
    def is_fleeting(self) -> bool:
        """Whether it is not to be kept: here, or where it was written."""
        return self.shared.fleeting or not self.chat.record.history


class MessageKind:
    """`ports.SharedKind`: `chat.message`."""

    type = MESSAGE
    together = True
    """Many may be stored in one transaction."""

    def __init__(
        self,
        database: Database,
        blinder: Blinder,
        cursors: Cursors,
        shown: Shown,
        references: References,
        arrivals: Arrivals,
        altering: Altering,
        changes: MessageChanges,
        delivery: Delivery,
        fleeting: FleetingMessages,
        files: ForeignFiles,
    ) -> None:
        self._database = database
        self._blinder = blinder
        self._cursors = cursors
        self._shown = shown
        self._references = references
        self._arrivals = arrivals
        self._altering = altering
        self._changes = changes
        self._delivery = delivery
        self._fleeting = fleeting
        self._files = files

    # --- telling

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        return self._event(c, self._shown.message(c, pointer))

    def building(self, c: Connection, pointers: Sequence[bytes]) -> Callable[[bytes], Event | None]:
        """`ports.Bulky`."""
        shown = self._shown.among(c, pointers)
        return lambda pointer: self._event(c, shown(pointer))

    def _event(self, c: Connection, found: tuple[ChatContents, Message] | None) -> Event | None:
        if found is None:
            return None
        chat, message = found
        body, at = message.body, message.edited or message.at
        if isinstance(body, Deleted):
            at = body.at
        shared = SharedMessage(
            message.at,
            msgspec.to_builtins(body),
            self._answered(c, chat, message),
            list(message.mentions),
            message.forwarded,
            message.edited,
            list(life_of(chat.record)),
            chat.record.across is not None and self._is_fleeting(c, chat, message),
        )
        plain: dict[str, Any] = msgspec.to_builtins(shared)
        return new_event(MESSAGE, AccountId(message.sender), at, plain, chat.id, message.id)

    def _is_fleeting(self, c: Connection, chat: ChatContents, message: Message) -> bool:
        return spool.is_waiting(c, chat.blind, self._cursors.decode(message.id))

    def _answered(self, c: Connection, chat: ChatContents, message: Message) -> Any:
        if message.reply_to is None:
            return None
        row = events.event(c, chat.blind, self._cursors.decode(message.reply_to))
        try:
            return None if row is None else self._references.of(open_message(c, chat, row))
        except Tampered:
            return None

    # --- hearing

    async def apply(self, node: str, event: Event) -> Applied:
        shared, sender = content(event, SharedMessage), AccountId(event.sender)
        if event.id is None:
            raise Problem(Code.MALFORMED_EVENT)
        body = told = body_of(shared.body, sender)
        chat = await self._arrivals.present(node, event, shared.life)
        check_said(chat.record, told, True)
        if isinstance(told, File):
            body = self._files.body(chat, sender, told)
        _check(shared, chat)
        sent = self._blinder.foreign(node, event.id)
        places = Places(self._database, chat)
        message = Message("", chat.id, sender, self._arrivals.time(shared.sent), body, origin=event.id)
        if isinstance(body, Deleted):  # nothing else is left of it
            shared = SharedMessage(shared.sent, shared.body, life=shared.life, fleeting=shared.fleeting)
            message = structs.replace(message, body=Deleted(sender, self._arrivals.time(body.at)))
        else:
            message = structs.replace(
                message,
                mentions=tuple(shared.mentions),
                forwarded=shared.forwarded,
                edited=None if shared.edited is None else self._arrivals.time(shared.edited),
            )
        file = told if isinstance(told, File) else None
        arriving = _Arriving(chat, places, sender, message, shared, sent, file)

        def store(c: Connection) -> None:
            arriving.stored = None
            both = places.both
            if sender in chat.writers:
                row, encoded = self._row(c, arriving)
                known = self._append(c, arriving, row, encoded)
                if known is None:
                    self._attach(c, arriving)
                    arriving.stored = encoded
                    return
            elif (known := events.recognised(c, sent)) is None:
                raise Problem(Code.NOT_A_CONTACT)
            if not is_gone(c, chat, known):
                change = self._again(chat, message)
                arriving.stored = self._altering.store(c, chat, sender, known, both, change)

        def publish() -> None:
            stored = arriving.stored
            if isinstance(stored, bytes):
                if arriving.is_fleeting:
                    self._fleeting.waits(chat, places.both[0])
                self._delivery.message(chat, sender, stored, places.both[0], None)
            elif stored is not None:
                tell(self._altering, chat, stored)

        return self._arrivals.applied(node, chat, shared.life, places, store, publish, arriving)

    def store_rows(self, c: Connection, rows: Sequence["_Arriving"]) -> bool:
        """`ports.Bulky`: messages that nobody has heard of before."""
        made: list[NewEvent] = []

        def append() -> bool:
            outcomes = events.append_events(c, made)
            made.clear()
            return not any(outcomes)  # where one was known, that is its position, and no position is 0

        for arriving in rows:
            chat = arriving.chat
            if arriving.sender not in chat.writers or arriving.is_fleeting:
                return False
            if plain(arriving.shared.life) != life_of(chat.record):
                return False
            # What is answered may be among these.
            if arriving.shared.reply_to is not None and not append():
                return False
            row, arriving.stored = self._row(c, arriving)
            made.append(row)
            if arriving.file is not None:
                if not append():
                    return False
                self._attach(c, arriving)
        return append()

    def _row(self, c: Connection, arriving: "_Arriving") -> tuple[NewEvent, bytes]:
        """A message as it is to be stored, and its encoded parameters."""
        chat, position, shared = arriving.chat, arriving.places.both[0], arriving.shared
        message = structs.replace(arriving.message, id=self._cursors.encode(position))
        if shared.reply_to is not None:
            node = node_of(message.sender)
            answered = self._references.find(c, chat, shared.reply_to, node)
            if answered is not None:
                message = structs.replace(message, reply_to=self._cursors.encode(answered))
        encoded = frames.encode_params(message)
        sealed = seal_under(chat.key, chat.blind, position, encoded)
        return NewEvent(chat.blind, position, sealed, arriving.sent), encoded

    def _append(self, c: Connection, arriving: "_Arriving", row: NewEvent, encoded: bytes) -> int | None:
        """Store a message; the position under which it is known already, or None."""
        if not arriving.is_fleeting:
            [known] = events.append_events(c, [row])
            return known
        chat, position, message = arriving.chat, row.position, arriving.message
        [known] = spool.append_fleeting(
            c, [self._fleeting.heard(chat, arriving.sender, position, encoded, row.sent, message.at)]
        )
        if known is None:
            self._references.keep(c, chat, position, self._references.of(message))
        return known

    def _attach(self, c: Connection, arriving: "_Arriving") -> None:
        """A message that was just stored has a file, if it has one."""
        if arriving.file is not None:
            chat, sender = arriving.chat, arriving.sender
            [reader] = others(chat, sender)
            told = Told(sender, arriving.message.origin or "", reader)
            kept = not arriving.is_fleeting
            self._files.attach(c, chat, arriving.places.both[0], told, arriving.file, kept)

    def _again(self, chat: Chat, told: Message) -> Change:
        """What becomes of a message that was heard of before: never what it was earlier."""

        def change(c: Connection, place: Place) -> Altered | None:
            message = place.message
            check_author(message, told.sender)
            if isinstance(message.body, Deleted):
                return None
            if isinstance(told.body, Deleted):
                return self._changes.deleted(c, place, told.body)._replace(told=None)
            if told.edited is None or told.edited <= (message.edited or 0):
                return None
            if told.sender not in chat.writers:
                raise Problem(Code.NOT_A_CONTACT)
            body = edited_body(message, told.body)
            return Altered(structs.replace(message, body=body, mentions=told.mentions, edited=told.edited))

        return change


def _check(shared: SharedMessage, chat: Chat) -> None:
    """Raises what `chat.send` would be refused with."""
    check_mentions(shared.mentions, chat.members)
    author = None if shared.forwarded is None else shared.forwarded.author
    if author is not None and author not in chat.members:
        raise Problem(Code.NOT_A_MEMBER)
