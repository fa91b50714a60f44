"""Messages that were changed while a device was away: each once, as it is now."""

from msgspec import structs
from sqlalchemy import Connection

from safeum_home.chats.changes.reacted import own_reactions
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.sealed import open_message
from safeum_home.damage import undamaged
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Cursors, Missed, Published
from safeum_home.protocol import frames
from safeum_home.protocol.events import ChatChanged, Reacted
from safeum_home.storage import changes
from safeum_home.storage.rows import ChangeRow


class MissedChanges:
    """`since` is a `ports.Source`."""

    def __init__(self, blinder: Blinder, cursors: Cursors, opener: ChatOpener) -> None:
        self._blinder = blinder
        self._cursors = cursors
        self._opener = opener

    def since(self, c: Connection, account: AccountId, after: int, limit: int) -> Missed:
        """`ports.Source` of messages that were changed."""
        blind = self._blinder.account(account)
        rows = changes.changes_since(c, blind, after, limit)
        opened = self._opener.opener(c, account, (row.event.chat for row in rows))

        def tell(row: ChangeRow) -> Published | None:
            chat = opened(row.event.chat)
            if chat.entry is not None and row.position < chat.entry.since:
                return None  # it was so when the account came
            message, reacted = open_message(c, chat, row.event), None
            if message.reactions:
                mine = own_reactions(c, chat, blind, [row.event.position])
                emoji = mine.get(row.event.position)
                message, reacted = structs.replace(message, mine=emoji), Reacted(account, emoji)
            event = ChatChanged(self._cursors.encode(row.position), message, None, reacted)
            return Published(frames.text_frame(frames.encode_event(event)), row.position)

        told = [event for event in undamaged(rows, tell, "messages") if event is not None]
        return Missed(told, rows[-1].position if len(rows) == limit else None)
