"""What happens at a desk when its secure chats have something to say."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from safeum_home.client.desk.secure_naming import Naming
from safeum_home.client.events import Heard, LinkChanged
from safeum_home.client.secure.refused import Reason
from safeum_home.client.unlocked.events import (
    CompareChanged,
    DraftChanged,
    InClear,
    KeysFollowed,
    KeysMismatch,
    SecureChanged,
    SecureWarning,
    VaultRefused,
)
from safeum_home.client.unlocked.items import Fate, Item
from safeum_home.client.unlocked.sealed_bodies import is_in_clear
from safeum_home.client.words.secure_words import MISMATCH, vault_refused
from safeum_home.protocol.events import ChatChanged, ChatUpdated, MemberChanged
from safeum_home.protocol.types import Message

if TYPE_CHECKING:
    from safeum_home.client.desk.desk import Desk
    from safeum_home.client.state.chat_view import ChatView

_REDRAWN = (Message, ChatChanged, ChatUpdated, MemberChanged, SecureChanged, LinkChanged)


class SecureHearing:
    """`announce` says that something has come in a chat that is not open."""

    def __init__(self, desk: "Desk", announce: Callable[["ChatView", Message], None]) -> None:
        self._desk = desk
        self._announce = announce
        self._naming = Naming(desk)

    def heard(self, event: Heard) -> None:
        """Any event: what it changes in secure chats, and what it has to say of them."""
        desk = self._desk
        if isinstance(event, _REDRAWN):
            desk.secure.forget()
        if isinstance(event, SecureChanged):
            self._changed(event.chat, event.item)
        elif isinstance(event, SecureWarning):
            self._naming.warned(event)
        elif isinstance(event, CompareChanged):
            desk.secure.comparing.changed(event)
        elif isinstance(event, KeysMismatch):
            if not (desk.secure.unlocking or desk.secure.replacing):  # else that is asked about just now
                desk.secure.alarms.sound(None, MISMATCH)
        elif isinstance(event, KeysFollowed):
            if not event.untold:
                desk.tell("All your secure chats are told that your security key is another one.", "verify")
        elif isinstance(event, DraftChanged):
            desk.drafts.noticed(event.chat)
        elif isinstance(event, VaultRefused):
            if not (desk.secure.replacing and event.reason is Reason.UNDECRYPTABLE):
                desk.secure.alarms.sound(None, vault_refused(event.reason))
        elif isinstance(event, Message):
            self._in_clear(event)
        if isinstance(event, Message | MemberChanged):
            self._naming.heard(event.chat)

    def _changed(self, chat: str, item: Item) -> None:
        view = self._desk.state.held(chat)
        new = item.fate is Fate.RECEIVED and not (item.edited or item.deleted or item.reactions)
        if view is None or not new or chat == self._desk.current or item.sender == self._desk.state.account:
            return
        for message in reversed(self._desk.secure.opened(view).messages):
            if message.id == item.id:
                self._announce(view, message)
                return

    def _in_clear(self, message: Message) -> None:
        """While it is locked nobody else looks."""
        view = self._desk.state.held(message.chat)
        if view is not None and view.secure and self._desk.secure.sealed(view) and is_in_clear(message):
            self._naming.warned(SecureWarning(message.chat, InClear(message.sender, message.id)))
