"""What a chat is, as its members are told it, and what a device that was away has missed of that."""

from typing import Any

from sqlalchemy import Connection

from safeum_home.chats.contents import Chat, ChatKind
from safeum_home.chats.lives import pending
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.record import ChatRecord
from safeum_home.damage import undamaged
from safeum_home.ids import AccountId, Cursor
from safeum_home.ports import Blinder, Cursors, Missed, Published
from safeum_home.protocol import frames
from safeum_home.protocol.events import ChatUpdated
from safeum_home.protocol.types import ChatInfo, ChatType, GroupInfo
from safeum_home.storage import chats
from safeum_home.storage.rows import ChatRow

_TYPES: dict[ChatKind, ChatType] = {
    ChatKind.DIRECT: "direct",
    ChatKind.SYSTEM: "system",
    ChatKind.SUPPORT: "support",
    ChatKind.GROUP: "group",
    ChatKind.SELF: "self",
    ChatKind.VOICEMAIL: "voicemail",
}


class ChatInfos:
    """Makes `ChatInfo` of records, and the event `chat.updated`."""

    def __init__(self, blinder: Blinder, cursors: Cursors, opener: ChatOpener) -> None:
        self._blinder = blinder
        self._cursors = cursors
        self._opener = opener

    def members(self, kind: ChatKind, record: ChatRecord, people: int = 0) -> dict[str, Any]:
        """The members of `ChatInfo`, by name; `people` is how many are in a group."""
        group = record.group
        return {
            "chat": record.id,
            "kind": _TYPES[kind],
            "history": record.history,
            "erased": self._id(record.erased),
            "pending": self._pending(record),
            "pinned": tuple(self._cursors.encode(position) for position in record.pinned),
            "group": None
            if group is None
            else GroupInfo(
                group.hub,
                group.name,
                group.about,
                group.avatar,
                group.earlier,
                people,
                group.secure,
                group.pair,
                group.seed,
            ),
        }

    def _pending(self, record: ChatRecord) -> tuple[str, ...]:
        return () if record.across is None else pending(record, self._opener.node)

    def info(self, chat: Chat) -> ChatInfo:
        return ChatInfo(**self.members(chat.kind, chat.record, len(chat.members)))

    def updated(self, chat: Chat, position: int) -> Published:
        """`chat.updated` of a chat whose record was changed at `position`."""
        return self._event(self.info(chat), position)

    def updated_to(self, record: ChatRecord, people: int, position: int) -> Published:
        """The same of a group of so many members, whose record is this now."""
        return self._event(ChatInfo(**self.members(ChatKind.GROUP, record, people)), position)

    def since(self, c: Connection, account: AccountId, after: int, limit: int) -> Missed:
        """`ports.Source` of what chats are."""
        rows = chats.chats_changed_since(c, self._blinder.account(account), after, limit)

        def tell(found: tuple[int, ChatRow]) -> Published | None:
            place, row = found
            chat = self._opener.contents(c, row, account)
            # It is wiped where it was erased: what was written between that and a later change stays. Who
            # has joined since then never had that past, and joining changed the chat.
            joined = 0 if chat.entry is None else chat.entry.since
            if place != row.changed and (place != chat.record.erased or place < joined):
                return None
            people = chats.count_members(c, chat.blind) if chat.kind is ChatKind.GROUP else 0
            return self._event(ChatInfo(**self.members(chat.kind, chat.record, people)), place)

        told = [event for event in undamaged(rows, tell, "chats") if event is not None]
        return Missed(told, rows[-1][0] if len(rows) == limit else None)

    def _event(self, info: ChatInfo, position: int) -> Published:
        event = ChatUpdated(self._cursors.encode(position), info)
        return Published(frames.text_frame(frames.encode_event(event)), position)

    def _id(self, position: int) -> Cursor | None:
        return self._cursors.encode(position) if position else None
