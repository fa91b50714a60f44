"""From a committed message to the sessions of those who may see it: encoded and framed once."""

from collections.abc import Callable

from sqlalchemy import Connection

from safeum_home.chats.changes.reacted import with_own
from safeum_home.chats.contents import OF_NODE, Chat, ChatContents, ChatKind
from safeum_home.chats.sealed import about, decode, open_encoded
from safeum_home.chats.secure import is_secure
from safeum_home.ids import AccountId, ChatId, DeviceId
from safeum_home.ports import Bus, Published, Waking
from safeum_home.ports.push import Wake
from safeum_home.protocol import frames
from safeum_home.protocol.news import is_quiet
from safeum_home.storage.rows import EventRow

_METHOD = "chat.message"


class Delivery:
    """Publishes messages on the bus."""

    def __init__(self, bus: Bus, sent: Callable[[ChatId, AccountId], None], system: AccountId) -> None:
        """`sent` is told that an account has written what it typed; `system` is the node's own contact."""
        self._bus = bus
        self._sent = sent
        self._system = system

    def message(
        self, chat: Chat, sender: AccountId, encoded: bytes, position: int, device: DeviceId | None
    ) -> None:
        """Tell all members; the sender's other devices too, but not the device that sent it."""
        frame = frames.text_frame(frames.notification(_METHOD, encoded))
        self._sent(chat.id, sender)
        publish = self._bus.publish
        # In groups nobody is told who holds what: nothing is to be noted for each device then.
        told = None if chat.kind is ChatKind.GROUP else chat.id
        others = Published(frame, position, told, None, self._wake(chat, sender, encoded))
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
        sender = AccountId(decode(encoded).sender)
        if sender == account:
            return Published(frame, row.position)
        told = None if chat.kind is ChatKind.GROUP else chat.id
        return Published(frame, row.position, told, None, self._wake(chat, sender, encoded))

    def _wake(self, chat: Chat | ChatContents, sender: AccountId, encoded: bytes) -> Waking | None:
        """What people write wakes, and alerts; that somebody joined a group, say, does not."""
        if sender == self._system and chat.kind not in OF_NODE:
            return None
        if is_secure(chat.record) and is_quiet(about(encoded)):
            return None
        return Waking(Wake.MESSAGE, chat.id, encoded)
