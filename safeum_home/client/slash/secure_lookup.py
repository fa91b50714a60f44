"""Which secure chat is meant, and what is within it."""

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.mentions import present
from safeum_home.client.desk.secure_standing import HERE, has_left
from safeum_home.client.slash.slash import Mistake
from safeum_home.client.state.chat_view import ChatView
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.items import Item
from safeum_home.client.unlocked.secure_chats import SecureChats
from safeum_home.client.words.secure_words import LOCKED
from safeum_home.protocol.types import Message


def unlocked(desk: Desk) -> SecureChats:
    """Raises `Mistake` while they are locked."""
    if desk.secure.chats is None:
        raise Mistake(LOCKED)
    return desk.secure.chats


def within(desk: Desk, view: ChatView) -> Conversation:
    """What is within a secure chat; raises `Mistake` where it is not open."""
    unlocked(desk)
    conversation = desk.secure.of(view)
    if conversation is None:
        raise Mistake("This chat is not loaded yet: try again in a moment.")
    return conversation


def item_of(desk: Desk, view: ChatView, message: Message) -> tuple[Conversation, Item, str]:
    """A message within its secure chat, and its hash; raises `Mistake` where it cannot be read."""
    conversation = within(desk, view)
    item = desk.secure.item(message)
    if item is None or item.hash is None:
        raise Mistake("This message cannot be read here: nothing can be done to it.")
    return conversation, item, item.hash


def pair_with(desk: Desk, account: str) -> ChatView | None:
    """The secure chat of two with somebody, where there is one that the other one has not left."""
    for view in desk.state.chats:
        if view.pair and account in others(desk, view) and not has_left(desk, view, account):
            return view
    return None


def others(desk: Desk, view: ChatView) -> list[str]:
    """Who else is in a secure chat: by the word of its members where it is open, and of the node."""
    conversation = desk.secure.of(view)
    here = dict.fromkeys(one.account for one in present(desk, view, *HERE))
    if conversation is not None:
        here |= dict.fromkeys([*sorted(conversation.members), *filter(None, [conversation.peer])])
    return [account for account in here if account != desk.state.account]
