"""Starting with nothing: what a client shows first, in one answer."""

from typing import Annotated

from msgspec import Meta

from safeum_home.protocol.command import Params, Result, command
from safeum_home.protocol.commands.chats import ChatList
from safeum_home.protocol.commands.contacts import ContactList, ProfileResult
from safeum_home.protocol.types import Chat


class Start(Result, frozen=True):
    """All of one moment. What comes after the answer is newer.

    `chats` and `contacts` go on with `chat.list` and `contact.list` from their `next`; null where there was
    no room for even one: then ask from the beginning.
    """

    own: ProfileResult
    self_chat: Chat
    """The chat with oneself, which exists from its first message on."""
    chats: ChatList | None
    contacts: ContactList | None


@command("sync.start", Start, cost=10, activity=False)
class SyncStart(Params, frozen=True):
    """One's own profile, the newest chats and the first contacts, as many as fit into one answer."""

    chats: Annotated[int, Meta(ge=1, le=50, description="How many at the most.")] = 30
    contacts: Annotated[int, Meta(ge=1, le=50, description="How many at the most.")] = 50
