"""Messages as they are now, for who can see them: inside a transaction, or on a reading connection."""

from typing import NamedTuple

from sqlalchemy import Connection

from safeum_home.chats.contents import ChatContents
from safeum_home.chats.groups.rights import Action, may
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.registry import ChatRegistry
from safeum_home.chats.sealed import open_message
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder
from safeum_home.protocol.types import Message
from safeum_home.storage import chats, events
from safeum_home.storage.rows import EventRow


class Place(NamedTuple):
    """A message inside a transaction, for an account that can see it. `later` is a position of its own."""

    chat: ChatContents
    row: EventRow
    message: Message
    account: AccountId
    blind: bytes
    """The account's blind index."""
    position: int
    later: int


class MessageFinder:
    """Whether a message is there for somebody, and what may be done with it."""

    def __init__(self, blinder: Blinder, registry: ChatRegistry, opener: ChatOpener) -> None:
        self._blinder = blinder
        self._registry = registry
        self._opener = opener

    def contents(self, c: Connection, chat: bytes, account: AccountId) -> tuple[ChatContents, int]:
        """A chat as it is now, and from which position on a member sees it; raises `not_found`."""
        row, member = chats.chat(c, chat), chats.member(c, chat, self._blinder.account(account))
        if row is None or member is None:
            raise Problem(Code.NOT_FOUND)
        try:
            return self._opener.contents(c, row, account), member.visible
        except Tampered:
            raise Problem(Code.NOT_FOUND) from None

    def find(
        self,
        c: Connection,
        chat: bytes,
        account: AccountId,
        target: int,
        position: int = 0,
        later: int = 0,
        own: bool = False,
    ) -> Place:
        """A message that `account` can see; raises `not_found`, `message_gone` or `message_not_kept`.

        With `own` also one that it has written itself, and does not see since it came back to a group.
        """
        contents, visible = self.contents(c, chat, account)
        hidden = target <= visible
        row = (
            None
            if hidden and not (own and target > contents.record.erased)
            else events.event(c, chat, target)
        )
        if row is None:
            dropped = not hidden and self.was_dropped(c, chat, target)
            raise Problem(Code.MESSAGE_NOT_KEPT if dropped else Code.MESSAGE_GONE)
        try:
            message = open_message(c, contents, row)
        except Tampered:
            raise Problem(Code.MESSAGE_GONE) from None
        if hidden and message.sender != account:
            raise Problem(Code.MESSAGE_GONE)
        return Place(contents, row, message, account, self._blinder.account(account), position, later)

    def was_dropped(self, c: Connection, chat: bytes, target: int) -> bool:
        """Whether a message of a chat without history is gone since all devices held it, not long ago."""
        return events.is_gone_from(c, target, self._blinder.gone(chat, target))

    def check_writer(self, c: Connection, chat: ChatContents, account: AccountId) -> None:
        """Raises what `chat.send` would be refused with."""
        if account not in self._opener.writers(c, chat):
            raise self._registry.refusal(chat.id, account)

    @staticmethod
    def moderates(chat: ChatContents) -> bool:
        """Whether the account that a chat was opened for may pin in a group, and delete what others wrote."""
        return chat.entry is not None and may(chat.entry.role, Action.MODERATE)

    def find_told(
        self, c: Connection, chat: bytes, account: AccountId, target: int, places: tuple[int, int]
    ) -> Place:
        """A message in a copy of a group, whoever sees it; raises `message_gone`."""
        contents, row = self._opener.group(c, chat), events.event(c, chat, target)
        if contents is None or row is None:
            raise Problem(Code.MESSAGE_GONE)
        try:
            message = open_message(c, contents, row)
        except Tampered:
            raise Problem(Code.MESSAGE_GONE) from None
        return Place(contents, row, message, account, self._blinder.account(account), *places)
