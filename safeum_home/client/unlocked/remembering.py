"""What of the secure chats of an account its vault keeps, and what becomes of what it has kept."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

from msgspec import Struct
from twisted.internet.defer import Deferred, succeed

from safeum_home.client.methods.methods import Methods
from safeum_home.client.secure.chat_memory import ChatMemory
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.vault import ROOM
from safeum_home.client.secure.vault_content import Content, pinned, restore
from safeum_home.client.secure.vault_room import fitted
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.events import VaultRefused
from safeum_home.client.unlocked.kept_drafts import KeptDrafts
from safeum_home.client.unlocked.kept_settings import KeptSettings
from safeum_home.client.unlocked.own_line import OwnLine
from safeum_home.client.unlocked.vault_moving import MovingVault
from safeum_home.client.unlocked.verifying import Verifying
from safeum_home.protocol.message_types import Draft

T = TypeVar("T")
SAVED_WITHIN = 5.0
"""Seconds for which closing waits until the vault is written."""


class Remembering(Verifying):
    """A part of `SecureChats`."""

    chats: dict[str, Conversation]
    tell: Callable[[Struct], None]
    line: OwnLine
    sealed: Callable[[Iterable[str]], None]
    """Told of chats that are secure for ever."""
    left: dict[str, ChatMemory]
    """Of chats that were open and are so no more: they go on from there when they are opened again."""
    drafts: KeptDrafts
    settings: KeptSettings
    _vault: MovingVault

    def _begin_remembering(self, client: Methods) -> None:
        self.line, self.left = OwnLine(self.people), {}
        self.drafts = KeptDrafts(self._now, self.tell, self.changed, self._check_open)
        self.settings = KeptSettings(self._now, self.tell, self.changed, self._check_open)
        self._vault = MovingVault(client, self.clock, self.own, self)

    def _end_remembering(self) -> None:
        self._vault.close()
        self.drafts.wipe()
        self.settings.wipe()

    @abstractmethod
    def memory_of(self, conversation: Conversation) -> ChatMemory:
        """What is kept of a chat, for the keys in force."""

    @abstractmethod
    def awaitable(self, coroutine: Coroutine[Any, Any, T]) -> Awaitable[T]:
        """What a program waits for."""

    def vault_version(self) -> int:
        return self._vault.version

    def vault_newer(self, version: int) -> None:
        self._vault.newer(version)

    def changed(self, urgent: bool = False) -> None:
        """Something is different that the vault keeps; what is `urgent` must not be lost."""
        self._vault.changed(urgent)

    def remembered(self, kept: Content) -> Content:
        """All that is to be kept, as far as there is room for it."""
        memories = {chat: self.memory_of(conversation) for chat, conversation in self.chats.items()}
        content = Content(
            kept.previous,
            {**kept.people, **pinned(self.people)},
            {**kept.drafts, **self.drafts.kept},
            {**kept.settings, **self.settings.kept},
            {**kept.chats, **self.left, **memories},
            self.line.kept,
        )
        return fitted(content, self._now(), ROOM)

    def restore(self, content: Content) -> None:
        """What another program of this account, or this one before, has kept."""
        restore(self.people, content)
        self.line.restore(content.own, self.own)
        self.people.own(self.own.account, self.own.public, self._now())
        for chat, conversation in self.chats.items():
            if (memory := content.chats.get(chat)) is not None:
                conversation.restore(memory)
            conversation.know(self.line.line)
        self.sealed(content.chats)
        self.drafts.restore(content.drafts)
        self.settings.restore(content.settings)

    # --- a vault that is not taken

    def vault_refused(self, refused: VaultRefused) -> None:
        self.tell(refused)

    @property
    def refused_vault(self) -> VaultRefused | None:
        """Why the vault that the node has is not taken, and nothing is written: its user has to be asked."""
        return self._vault.refused

    def accept_vault(self) -> Awaitable[None]:
        """Take a vault that was rolled back, or is another one: its user was asked. What is known here stays.

        Other devices take what comes of it. Raises `Refused` of one that cannot be read, and `ClientError`.
        """
        return self.awaitable(self._vault.accept())

    def replace_vault(self) -> Awaitable[None]:
        """Put what is known here in place of a vault that is refused: its user was asked.

        Raises `ClientError`.
        """
        return self.awaitable(self._vault.replace())

    # --- writing it

    def save(self) -> Awaitable[None]:
        """Have the vault written now, where there is something to write; until it is, or that has failed."""
        return self.awaitable(self._save())

    async def _save(self) -> None:
        await self._vault.flush()

    def saved(self) -> "Deferred[Any]":
        """When the vault is written, where there is something to write, or after five seconds."""
        if not self._vault.has_news:
            return succeed(None)
        return self._vault.flush().addTimeout(SAVED_WITHIN, self.clock).addErrback(lambda _: None)

    def shut(self, online: bool) -> "Deferred[None]":
        """Write the vault, for five seconds at the most, and close; without a connection close at once."""
        saved = self.saved() if online else succeed(None)
        return saved.addCallback(lambda _: self.close())

    @abstractmethod
    def close(self) -> None:
        """Wipe all keys."""

    # --- drafts, as those of other chats are

    def keep_draft(self, chat: str, draft: Draft | None) -> None:
        """Keep a draft as the node keeps those of other chats. Raises `Refused`, as `KeptDrafts.set`."""
        if chat not in self.chats:
            raise Refused(Reason.NOT_A_MEMBER)
        if draft is None:
            self.drafts.drop(chat)
            return
        items = self.chats[chat].items.all
        answered = draft.reply_to and next((each.hash for each in items if each.id == draft.reply_to), None)
        self.drafts.set(chat, draft.text, answered)

    def draft_of(self, chat: str) -> Draft | None:
        """What was begun in a secure chat, as the node tells drafts of other chats."""
        draft = self.drafts.of(chat)
        if draft is None:
            return None
        answered = None
        if draft.reply is not None and chat in self.chats:
            answered = self.chats[chat].items.by_hash(draft.reply)
        return Draft(draft.text, None if answered is None else answered.id)
