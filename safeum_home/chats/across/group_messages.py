"""Messages of groups across nodes: the hub has put them into their order, and passes them on in that order.

In a copy a message has a position and an id of that node, as any other, and by `Message.origin`, the id
that it has at its author's node, it is recognised when it is told again. What the hub's system contact has
written of the group each node writes itself, in the name of its own: that alone its clients believe.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import structs
from sqlalchemy import Connection

from safeum_home.chats.across.arrivals import Arrivals, body_of, content
from safeum_home.chats.across.changed import is_gone
from safeum_home.chats.across.group_copies import check_hub
from safeum_home.chats.across.group_notes import pointed
from safeum_home.chats.across.places import Places
from safeum_home.chats.across.references import References
from safeum_home.chats.altering import Altered, Altering, Place, Stored
from safeum_home.chats.changing import MessageChanges
from safeum_home.chats.contents import Chat, ChatContents
from safeum_home.chats.delivery import Delivery
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.registry import ChatRegistry
from safeum_home.chats.sealed import open_message, reseal, seal_under
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId, system_account
from safeum_home.ports import Blinder, Cursors, Database
from safeum_home.ports.federation import Applied
from safeum_home.protocol import frames
from safeum_home.protocol.federation.chats import Reference
from safeum_home.protocol.federation.events import Event, new_event, node_of
from safeum_home.protocol.federation.group_posts import MESSAGE, POST, PassedOn, Written
from safeum_home.protocol.files import File
from safeum_home.protocol.message_types import Deleted
from safeum_home.protocol.types import Body, Message, Notice
from safeum_home.storage import changes, events, group_nodes
from safeum_home.storage.rows import EventRow, NewEvent


class GroupMessageKind:
    """`ports.SharedKind`: `group.message`."""

    type = MESSAGE
    together = True
    """Many may be stored in one transaction."""

    def __init__(
        self,
        node: str,
        database: Database,
        blinder: Blinder,
        cursors: Cursors,
        registry: ChatRegistry,
        opener: ChatOpener,
        references: References,
        arrivals: Arrivals,
        altering: Altering,
        changes: MessageChanges,
        delivery: Delivery,
        signed: Callable[[Message], Message],
    ) -> None:
        """`signed` puts this node's signature to what its system contact writes."""
        self._node = node
        self._database = database
        self._blinder = blinder
        self._cursors = cursors
        self._registry = registry
        self._opener = opener
        self._references = references
        self._arrivals = arrivals
        self._altering = altering
        self._changes = changes
        self._delivery = delivery
        self._signed = signed

    # --- telling

    def build(self, c: Connection, pointer: bytes) -> Event | None:
        """A message as it is; None where it is gone, or the node has no member any more that it is for."""
        blind, position, node = pointed(pointer)
        visible = group_nodes.visible(c, blind, node)
        if visible is None or position <= visible:
            return None
        try:
            chat, rows = self._opener.group(c, blind), events.events_among(c, [(blind, position)])
            if chat is None or not rows:
                return None
            message = open_message(c, chat, rows[0])
        except Tampered:
            return None
        if (event := self._authored(c, chat, message)) is None:
            return None
        told = PassedOn(message.at, event)
        return new_event(MESSAGE, self._system, event["at"], msgspec.to_builtins(told), chat.id)

    @property
    def _system(self) -> AccountId:
        return system_account(self._node)

    def _authored(self, c: Connection, chat: ChatContents, message: Message) -> dict[str, Any] | None:
        """The event of a message's author, who is of this node: the one around it is signed."""
        if node_of(message.sender) != self._node or isinstance(message.body, File):
            return None
        at = message.body.at if isinstance(message.body, Deleted) else message.edited or message.at
        shared = Written(
            message.at,
            msgspec.to_builtins(message.body),
            self._answered(c, chat, message),
            list(message.mentions),
            message.forwarded,
            message.edited,
        )
        plain: dict[str, Any] = msgspec.to_builtins(shared)
        event = new_event(POST, AccountId(message.sender), at, plain, chat.id, message.id)
        built: dict[str, Any] = msgspec.to_builtins(event)
        return built

    def _answered(self, c: Connection, chat: ChatContents, message: Message) -> Reference | None:
        if message.reply_to is None:
            return None
        row = events.event(c, chat.blind, self._cursors.decode(message.reply_to))
        try:
            return None if row is None else self._references.of(open_message(c, chat, row))
        except Tampered:
            return None

    # --- hearing

    async def apply(self, node: str, event: Event) -> Applied:
        told, chat_id = content(event, PassedOn), check_hub(node, event)
        authored = self._author(node, event, told)
        shared = content(authored, Written)
        chat = await self._registry.load(chat_id)
        if chat is None or chat.hub != node:
            raise Problem(Code.NOT_A_CONTACT)
        message = self._message(chat, told, authored, shared)
        sent, places = (
            self._blinder.foreign(authored.node, message.origin or ""),
            Places(self._database, chat),
        )
        outcome: list[bytes | Stored] = []

        def store(c: Connection) -> None:
            outcome.clear()
            known, encoded = self._first(c, chat, places.both[0], message, shared, sent)
            if known is None:
                outcome.append(encoded)
            elif not is_gone(c, chat, known):
                again = self._again(c, chat, known, message, places.both)
                outcome.extend([] if again is None else [again])

        def publish() -> None:
            for each in outcome:
                if isinstance(each, bytes):
                    self._delivery.message(chat, AccountId(message.sender), each, places.both[0], None)
                else:
                    if each.altered.record is not None:
                        self._altering.refresh(chat.id)
                    self._altering.tell(chat, each)

        return Applied(store, publish, lambda: None, places.take)

    def _author(self, node: str, event: Event, told: PassedOn) -> Event:
        """What the author of a message has said; raises `Problem` where the hub alone says that he did."""
        try:
            authored = msgspec.convert(told.event, Event, strict=True)
        except msgspec.ValidationError:
            raise Problem(Code.MALFORMED_EVENT) from None
        if authored.type != POST or authored.chat != event.chat or authored.id is None:
            raise Problem(Code.MALFORMED_EVENT)
        if authored.node != node_of(authored.sender) or authored.node != node:
            raise Problem(Code.WRONG_SENDER_NODE)
        return authored

    def _message(self, chat: Chat, told: PassedOn, authored: Event, shared: Written) -> Message:
        sender, at = AccountId(authored.sender), self._arrivals.time(told.at)
        if sender == system_account(authored.node):
            return Message("", chat.id, self._system, at, _notice(shared.body), origin=authored.id)
        body = _body(shared.body, sender)
        message = Message("", chat.id, sender, at, body, origin=authored.id)
        if isinstance(body, Deleted):  # nothing else is left of it
            return structs.replace(message, body=structs.replace(body, at=self._arrivals.time(body.at)))
        return structs.replace(
            message,
            mentions=tuple(shared.mentions),
            forwarded=shared.forwarded,
            edited=None if shared.edited is None else self._arrivals.time(shared.edited),
        )

    def _first(
        self, c: Connection, chat: Chat, position: int, message: Message, shared: Written, sent: bytes
    ) -> tuple[int | None, bytes]:
        """Store a message, or say at which position it is known; and its encoded parameters."""
        message = structs.replace(message, id=self._cursors.encode(position))
        if shared.reply_to is not None and not isinstance(message.body, Deleted):
            answered = self._references.find(c, chat.blind, shared.reply_to, shared.reply_to.node)
            if answered is not None:
                message = structs.replace(message, reply_to=self._cursors.encode(answered))
        if isinstance(message.body, Notice):
            message = self._signed(message)
        encoded = frames.encode_params(message)
        sealed = seal_under(chat.key, chat.blind, position, encoded)
        [known] = events.append_events(c, [NewEvent(chat.blind, position, sealed, sent)])
        return known, encoded

    def _again(
        self, c: Connection, chat: Chat, known: int, told: Message, places: tuple[int, int]
    ) -> Stored | None:
        """What becomes of a message that was heard of before: never what it was earlier."""
        contents, row = self._opener.group(c, chat.blind), events.event(c, chat.blind, known)
        if contents is None or row is None:
            raise Problem(Code.MESSAGE_GONE)
        message, account = open_message(c, contents, row), AccountId(told.sender)
        if message.sender != told.sender:
            raise Problem(Code.NOT_YOURS)
        if isinstance(message.body, Deleted) or message.signature is not None:
            return None
        if isinstance(told.body, Deleted):
            blind = self._blinder.account(account)
            place = Place(contents, row, message, account, blind, *places)
            altered = self._changes.deleted(c, place, told.body)._replace(told=None)
        elif told.edited is None or told.edited <= (message.edited or 0):
            return None
        else:
            altered = Altered(
                structs.replace(message, body=told.body, mentions=told.mentions, edited=told.edited)
            )
        sealed = reseal(c, contents, row, frames.encode_params(altered.message))
        is_stub = isinstance(altered.message.body, Deleted)
        changes.rewrite(c, EventRow(chat.blind, known, sealed), places[0], is_stub)
        blind_to = changes.not_seeing(c, chat.blind, known)
        return Stored(altered, account, *places, frozenset(blind_to))


def _notice(plain: dict[str, Any]) -> Notice:
    try:
        return msgspec.convert(plain, Notice, strict=True)
    except msgspec.ValidationError:
        raise Problem(Code.MALFORMED_EVENT) from None


def _body(plain: dict[str, Any], sender: AccountId) -> Body:
    """What an account has written; a stub may be one that an admin has left."""
    if plain.get("kind") == "deleted":
        try:
            return msgspec.convert(plain, Deleted, strict=True)
        except msgspec.ValidationError:
            raise Problem(Code.MALFORMED_EVENT) from None
    return body_of(plain, sender)
