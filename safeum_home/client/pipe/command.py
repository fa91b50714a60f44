"""What a command of `safeum pipe` for secure chats is: one that the client does, as no node could."""

from safeum_home.client.errors import local
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.items import Item
from safeum_home.client.unlocked.secure_chats import SecureChats
from safeum_home.errors import Code
from safeum_home.protocol.commands import Params, Result


class SecureCommand(Params, frozen=True):
    """One that is done with the secure chats of the account."""

    async def run(self, secure: SecureChats) -> Result:
        """Raises `ClientError`, `Refused`, OSError."""
        raise NotImplementedError("abstract")


class ChatCommand(SecureCommand, frozen=True):
    """One that is done within a secure chat."""

    chat: str

    async def run(self, secure: SecureChats) -> Result:
        return await self.within(await secure.enter(self.chat), secure)

    async def within(self, conversation: Conversation, secure: SecureChats) -> Result:
        """Raises as `run`."""
        raise NotImplementedError("abstract")


def item_of(conversation: Conversation, hash: str) -> Item:
    """A message of a secure chat, as far as they are loaded. Raises `not_found`."""
    item = conversation.items.by_hash(hash)
    if item is None:
        raise local(Code.NOT_FOUND, "no message that is loaded has this hash")
    return item
