"""Sending: consent, sealing, one commit, the acknowledgement, and only then delivery."""

from collections.abc import Callable
from typing import Any

from msgspec import structs
from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.chats.across.groups.notes import GroupEvent, GroupFleeting
from safeum_home.chats.across.posts.posts import Posts
from safeum_home.chats.across.telling import Telling, ToldEvent, ToldFleeting
from safeum_home.chats.composing import Composed, Composing, check_form
from safeum_home.chats.contents import Chat, ChatKind
from safeum_home.chats.delivery import Delivery
from safeum_home.chats.fan_out import FanOut
from safeum_home.chats.fleeting import FleetingMessages
from safeum_home.chats.registry import ChatRegistry
from safeum_home.chats.sealed import seal_message
from safeum_home.chats.secure import check_said
from safeum_home.chats.sent_before import SentBefore
from safeum_home.chats.support import SupportInbox
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId, DeviceId
from safeum_home.ports import Blinder, Caller, Committed, Cursors, Database, Missed, Published
from safeum_home.protocol import frames
from safeum_home.protocol.commands import ChatSend, Sent
from safeum_home.protocol.types import Body, Message, Text
from safeum_home.storage import events, spool
from safeum_home.storage.rows import EventRow, FleetingEvent, NewEvent


class Messages:
    """The command `chat.send`, and what a device that was away has missed of it."""

    def __init__(
        self,
        database: Database,
        blinder: Blinder,
        cursors: Cursors,
        registry: ChatRegistry,
        delivery: Delivery,
        now: Callable[[], int],
        signed: Callable[[Message], Message],
        support: SupportInbox,
        fleeting: FleetingMessages,
        composing: Composing,
        fan_out: FanOut,
        telling: Telling,
        posts: Posts,
    ) -> None:
        """`signed` puts the node's signature to what its own contacts write.

        `fleeting` keeps what is written into chats without history.
        """
        self._database = database
        self._blinder = blinder
        self._cursors = cursors
        self._registry = registry
        self._delivery = delivery
        self._now = now
        self._signed = signed
        self._support = support
        self._fleeting = fleeting
        self._sent_before = SentBefore(database, blinder, cursors, now)
        self._composing = composing
        self._fan_out = fan_out
        self._telling = telling
        self._posts = posts

    def send(self, caller: Caller, params: ChatSend) -> "Deferred[Committed[Sent]]":
        if type(params.body) is not Text or params.reply_to is not None or params.mentions or params.forward:
            return Deferred.fromCoroutine(self._send_more(caller, params))
        chat = self._registry.get(ChatId(params.chat))
        if chat is None:
            loading = self._registry.load(ChatId(params.chat), caller.account)
            return loading.addCallback(self._send, caller, params)
        return self._send(chat, caller, params)

    async def _send_more(self, caller: Caller, params: ChatSend) -> Committed[Sent]:
        """The same for what is more than a text, or a copy; what was sent before is answered as it was."""
        check_form(params)
        chat = await self._registry.load(ChatId(params.chat), caller.account)
        if chat is None or caller.account not in chat.writers:
            return await self._send(chat, caller, params)
        try:
            composed = await self._composing.find(caller.account, chat, params)
        except Problem as problem:
            if chat.hub is not None:
                before = await self._posts.before(chat, caller, params.client_id)
                if before is not None:
                    return before
            return await self._sent_before.or_refused(chat, caller, params.client_id, problem)
        # It may have changed meanwhile: what is sealed is sealed under the key that it has now.
        chat = await self._registry.load(ChatId(params.chat), caller.account)
        try:
            return await self._send(chat, caller, params, composed)
        finally:
            if composed.attachment is not None:
                composed.attachment.wipe()

    def _send(
        self, chat: Chat | None, caller: Caller, params: ChatSend, composed: Composed | None = None
    ) -> "Deferred[Committed[Sent]]":
        sender, device = caller.account, caller.device
        if chat is None or sender not in chat.writers:  # a set: groups have many members
            refusal = self._registry.refusal(ChatId(params.chat), sender)
            if chat is None:
                raise refusal
            return self._sent_before.or_refused(chat, caller, params.client_id, refusal)
        bare = params.reply_to is None and not params.mentions and params.forward is None
        check_said(chat.record, params.body, bare)
        if chat.hub is not None:
            return Deferred.fromCoroutine(self._post(chat, caller, params, composed))
        message, encoded, position = self._compose(chat, sender, params.body, composed)
        if chat.kind is ChatKind.GROUP:
            self._fan_out.take(sender, len(chat.members), len(encoded))
        sent = self._blinder.client_id(device, params.client_id)
        if chat.nodes and chat.kind is ChatKind.DIRECT and not self._telling.reaches(chat.nodes):
            refused = Problem(Code.FEDERATION_REFUSED)
            return self._sent_before.or_refused(chat, caller, params.client_id, refused)
        if not chat.record.history:
            # Who has a message copied does not know what it holds: that device waits for it, too.
            has_it = None if message.forwarded is not None else device
            fleeting = self._fleeting.sealed(chat, sender, has_it, position, encoded, sent)
            stored = self._put_fleeting(chat, fleeting, composed)
        else:
            row = NewEvent(chat.blind, position, seal_message(chat, position, encoded), sent)
            if chat.kind is ChatKind.SUPPORT:
                stored = self._support.append(sender, row, None if composed is None else composed.check)
            elif chat.nodes and chat.kind is ChatKind.GROUP:
                stored = self._put_in_group(chat, GroupEvent(row, chat.nodes), composed)
            elif chat.nodes:
                stored = self._put_told(chat, ToldEvent(row, chat.nodes), composed)
            elif composed is not None:
                stored = self._database.transact(composed.storing(chat, row))
            else:
                stored = self._database.append(events.append_events, row)
        return stored.addCallback(self._stored, chat, message, encoded, position, device)

    def _put_fleeting(
        self, chat: Chat, fleeting: FleetingEvent, composed: Composed | None
    ) -> "Deferred[Any]":
        if chat.nodes and chat.kind is ChatKind.GROUP:
            return self._put_fleeting_in_group(chat, GroupFleeting(fleeting, chat.nodes), composed)
        told = ToldFleeting(fleeting, chat.nodes)
        if composed is None:
            if told.nodes:
                return self._database.append(self._telling.append_fleeting, told)
            return self._database.append(spool.append_fleeting, fleeting)

        def append(c: Connection) -> int | None:
            return self._telling.append_one(c, told)

        return self._database.transact(composed.storing(chat, fleeting.event, append))

    def _put_fleeting_in_group(
        self, chat: Chat, told: GroupFleeting, composed: Composed | None
    ) -> "Deferred[Any]":
        groups = self._telling.groups
        if composed is None:
            return self._database.append(groups.append_fleeting, told)

        def append(c: Connection) -> int | None:
            return groups.append_fleeting(c, [told])[0]

        return self._database.transact(composed.storing(chat, told.event.event, append))

    def _put_in_group(self, chat: Chat, told: GroupEvent, composed: Composed | None) -> "Deferred[Any]":
        groups = self._telling.groups
        if composed is None:
            return self._database.append(groups.append, told)

        def append(c: Connection) -> int | None:
            return groups.append(c, [told])[0]

        return self._database.transact(composed.storing(chat, told.event, append))

    def _put_told(self, chat: Chat, told: ToldEvent, composed: Composed | None) -> "Deferred[Any]":
        if composed is None:
            return self._database.append(self._telling.append, told)

        def append(c: Connection) -> int | None:
            return self._telling.append_one(c, told)

        return self._database.transact(composed.storing(chat, told.event, append))

    def _stored(
        self,
        earlier: int | None,
        chat: Chat,
        message: Message,
        encoded: bytes,
        position: int,
        device: DeviceId,
    ) -> "Committed[Sent] | Deferred[Committed[Sent]]":
        if earlier is not None:
            return self._sent_before.at(chat, AccountId(message.sender), earlier)

        def publish() -> None:
            # Who has a message copied does not know what it holds: that device is told too.
            skip = device if message.forwarded is None else None
            self._delivery.message(chat, AccountId(message.sender), encoded, position, skip)
            if chat.nodes:
                self._telling.wake(chat.nodes)

        return Committed(Sent(message.id, message.at), publish)

    def compose_system(
        self, chat: Chat, sender: AccountId, body: Body
    ) -> tuple[Callable[[Connection], None], Callable[[], None]]:
        """A message of the node itself, signed, to be stored inside another's transaction: store, publish."""
        position = self._database.next_position()
        message = self._signed(self._message(chat, sender, body, position))
        encoded = frames.encode_params(message)
        sealed = seal_message(chat, position, encoded)
        # What the node writes is never sent again: its own id is what recognises it.
        row = NewEvent(chat.blind, position, sealed, self._blinder.alias(message.id))

        def store(c: Connection) -> None:
            events.append_events(c, [row])

        def publish() -> None:
            self._delivery.message(chat, sender, encoded, position, None)

        return store, publish

    async def _post(
        self, chat: Chat, caller: Caller, params: ChatSend, composed: Composed | None
    ) -> Committed[Sent]:
        """The node that orders the group puts it into its place."""
        message = self._composed(self._message(chat, caller.account, params.body, 0), composed)  # type: ignore[arg-type]  # see `composed`
        self._fan_out.take(caller.account, len(chat.members), len(frames.encode_params(message)))
        check, file = (None, None) if composed is None else (composed.check, composed.attachment)
        outcome = await self._posts.send(chat, caller, params.client_id, message, check, file)
        return (
            await self._sent_before.at(chat, caller.account, outcome) if isinstance(outcome, int) else outcome
        )

    def _compose(
        self, chat: Chat, sender: AccountId, body: Body | None, composed: Composed | None
    ) -> tuple[Message, bytes, int]:
        position = self._database.next_position()
        message = self._composed(self._message(chat, sender, body, position), composed)  # type: ignore[arg-type]  # see `composed`
        return message, frames.encode_params(message), position

    @staticmethod
    def _composed(message: Message, composed: Composed | None) -> Message:
        if composed is None:
            return message
        more = composed._asdict()
        del more["check"], more["attachment"]
        return structs.replace(message, **more)

    def _message(self, chat: Chat, sender: AccountId, body: Body, position: int) -> Message:
        return Message(self._cursors.encode(position), chat.id, sender, self._now(), body)

    def since(self, c: Connection, account: AccountId, after: int, limit: int) -> Missed:
        """`ports.Source` of messages."""
        rows = events.events_since(c, self._blinder.account(account), after, limit)
        opened = self._registry.opener(c, account, (row.chat for row in rows))
        blind = self._blinder.account(account)

        def tell(row: EventRow) -> Published | None:
            chat = opened(row.chat)
            if chat.entry is not None and row.position < chat.entry.since:
                return None  # it was there when the account came: that is asked for
            return self._delivery.missed(c, chat, row, account, blind)

        told = [event for event in undamaged(rows, tell, "messages") if event is not None]
        return Missed(told, rows[-1].position if len(rows) == limit else None)
