"""What an account does in a group that another node orders, as that node is told it."""

import msgspec
from sqlalchemy import Connection

from safeum_home.chats.across.groups.references import GroupReferences
from safeum_home.chats.contents import ChatContents
from safeum_home.chats.groups import lives as group_lives
from safeum_home.protocol.events import Reacted
from safeum_home.protocol.federation.chats import Reference
from safeum_home.protocol.federation.group_posts import Act, Pinning, Reacting, Removed, Written
from safeum_home.protocol.message_types import Deleted
from safeum_home.protocol.types import Message


class Acts:
    """Makes them, inside a transaction."""

    def __init__(self, references: GroupReferences) -> None:
        self._references = references

    def written(self, c: Connection, chat: ChatContents, message: Message) -> Written:
        """A message that is new, or has been edited: all of it, as it is now."""
        return Written(
            message.at,
            msgspec.to_builtins(message.body),
            self._references.answered(c, chat, message.reply_to),
            list(message.mentions),
            message.forwarded,
            message.edited,
            None if message.edited is None else self._references.of(chat, message),
            group_lives.life_of(chat.record),
        )

    def changed(self, c: Connection, chat: ChatContents, now: Message, reacted: Reacted | None) -> Act:
        """What has become of a message: a reaction, a deletion, or an edit."""
        if reacted is not None:
            return Reacting(self._references.of(chat, now), reacted.emoji, group_lives.life_of(chat.record))
        if isinstance(now.body, Deleted):
            return Removed(self._references.of(chat, now), group_lives.life_of(chat.record))
        return self.written(c, chat, now)

    def withdrawn(self, post: str) -> Act:
        """A message that its author has deleted before it had a place."""
        return Removed(Reference(self._references.node, post))

    def pinned(self, chat: ChatContents, message: Message, pinned: bool) -> Act:
        """A message that is to be pinned, or no longer."""
        return Pinning(self._references.of(chat, message), pinned, group_lives.life_of(chat.record))
