"""From a committed message to the sessions of those who may see it: encoded and framed once."""

from collections.abc import Callable

from sqlalchemy import Connection

from safeum_home.chats.changes.reacted import with_own
from safeum_home.chats.contents import Chat, ChatContents, ChatKind
from safeum_home.chats.sealed import decode, open_encoded
from safeum_home.ids import AccountId, ChatId, DeviceId
from safeum_home.ports import Bus, Published
from safeum_home.protocol import frames
from safeum_home.storage.rows import EventRow

_METHOD = "chat.message"


class Delivery:
    """Publishes messages on the bus."""

    def __init__(self, bus: Bus, sent: Callable[[ChatId, AccountId], None]) -> None:
        """`sent` is told that an account has written what it typed."""
        self._bus = bus
        self._sent = sent

    def message(
        self, chat: Chat, sender: AccountId, encoded: bytes, position: int, device: DeviceId | None
    ) -> None:
        """Tell all members; the sender's other devices too, but not the device that sent it."""
        frame = frames.text_frame(frames.notification(_METHOD, encoded))
        self._sent(chat.id, sender)
        publish = self._bus.publish
        # In groups nobody is told who holds what: nothing is to be noted for each device then.
        others = Published(frame, position, None if chat.kind is ChatKind.GROUP else chat.id)
        for member in chat.members:
            if member == sender:
                publish(member, Published(frame, position, None, device))
            else:
                publish(member, others)

    def missed(
        self, c: Connection, chat: ChatContents, row: EventRow, account: AccountId, blind: bytes
    ) -> Published:
        """A stored message, as it is now, for a device of `account` (its index is `blind`) that was away."""
        [encoded] = with_own(c, chat, blind, [(row, open_encoded(c, chat, row))])
        frame = frames.text_frame(frames.notification(_METHOD, encoded))
        own = chat.kind is ChatKind.GROUP or decode(encoded).sender == account
        return Published(frame, row.position, None if own else chat.id)
