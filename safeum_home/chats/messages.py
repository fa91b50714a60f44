"""Sending: consent, sealing, one commit, the acknowledgement, and only then delivery."""

from collections.abc import Callable

from sqlalchemy import Connection
from twisted.internet.defer import Deferred

from safeum_home.chats.contents import Chat, ChatKind
from safeum_home.chats.delivery import Delivery
from safeum_home.chats.fleeting import FleetingMessages
from safeum_home.chats.registry import ChatRegistry
from safeum_home.chats.sealed import seal_message
from safeum_home.chats.sent_before import SentBefore
from safeum_home.chats.support import SupportInbox
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId, DeviceId
from safeum_home.ports import Blinder, Caller, Committed, Cursors, Database, Missed
from safeum_home.protocol import frames
from safeum_home.protocol.commands import ChatSend, Sent
from safeum_home.protocol.types import Body, Message, Text
from safeum_home.storage import events
from safeum_home.storage.rows import NewEvent


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

    def send(self, caller: Caller, params: ChatSend) -> "Deferred[Committed[Sent]]":
        if type(params.body) is not Text:
            raise Problem(Code.INVALID_PARAMS, "the node alone writes this kind")
        chat = self._registry.get(ChatId(params.chat))
        if chat is None:
            loading = self._registry.load(ChatId(params.chat), caller.account)
            return loading.addCallback(self._send, caller, params)
        return self._send(chat, caller, params)

    def _send(self, chat: Chat | None, caller: Caller, params: ChatSend) -> "Deferred[Committed[Sent]]":
        sender, device = caller.account, caller.device
        if chat is None or sender not in chat.members:
            raise self._registry.refusal(ChatId(params.chat), sender)
        if sender not in chat.writers:
            return self._sent_before.or_refused(chat, device, params.client_id)
        message, encoded, position = self._compose(chat, sender, params.body)
        sent = self._blinder.client_id(device, params.client_id)
        if not chat.record.history:
            stored = self._fleeting.append(chat, sender, device, position, encoded, sent)
        else:
            row = NewEvent(chat.blind, position, seal_message(chat, position, encoded), sent)
            if chat.kind is ChatKind.SUPPORT:
                stored = self._support.append(sender, row)
            else:
                stored = self._database.append(events.append_events, row)
        return stored.addCallback(self._stored, chat, message, encoded, position, device)

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
            return self._sent_before.at(chat, earlier)

        def publish() -> None:
            self._delivery.message(chat, AccountId(message.sender), encoded, position, device)

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

    def _compose(self, chat: Chat, sender: AccountId, body: Body) -> tuple[Message, bytes, int]:
        position = self._database.next_position()
        message = self._message(chat, sender, body, position)
        return message, frames.encode_params(message), position

    def _message(self, chat: Chat, sender: AccountId, body: Body, position: int) -> Message:
        return Message(self._cursors.encode(position), chat.id, sender, self._now(), body)

    def since(self, c: Connection, account: AccountId, after: int, limit: int) -> Missed:
        """`ports.Source` of messages."""
        rows = events.events_since(c, self._blinder.account(account), after, limit)
        opened = self._registry.opener(c, account, (row.chat for row in rows))
        told = undamaged(
            rows, lambda row: self._delivery.missed(c, opened(row.chat), row, account), "messages"
        )
        return Missed(told, rows[-1].position if len(rows) == limit else None)
