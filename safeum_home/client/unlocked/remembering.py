"""What of the secure chats of an account its vault keeps, and what becomes of what it has kept."""

from collections.abc import Callable

from msgspec import Struct

from safeum_home.client.secure.chat_memory import ChatMemory
from safeum_home.client.secure.refused import Reason
from safeum_home.client.secure.vault_content import Content, Pinned, pinned, restore
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.events import VaultRefused
from safeum_home.client.unlocked.vault_keeper import VaultKeeper
from safeum_home.client.unlocked.verifying import Verifying


class Remembering(Verifying):
    """A part of `SecureChats`."""

    chats: dict[str, Conversation]
    tell: Callable[[Struct], None]
    _vault: VaultKeeper

    def vault_version(self) -> int:
        return self._vault.version

    def vault_newer(self, version: int) -> None:
        self._vault.newer(version)

    def changed(self) -> None:
        """Something is different that the vault keeps."""
        self._vault.changed()

    def pinned(self) -> dict[str, Pinned]:
        return pinned(self.people)

    def memories(self) -> dict[str, ChatMemory]:
        return {chat: conversation.memory() for chat, conversation in self.chats.items()}

    def restore(self, content: Content) -> None:
        """What another program of this account, or this one before, has kept."""
        restore(self.people, content)
        self.people.own(self.own.account, self.own.public, self._now())
        for chat, conversation in self.chats.items():
            if (memory := content.chats.get(chat)) is not None:
                conversation.restore(memory)

    def vault_refused(self, reason: Reason) -> None:
        self.tell(VaultRefused(reason))
