"""What is done to messages of secure chats, which their clients do among themselves."""

from safeum_home.client.desk.desk import Desk
from safeum_home.client.desk.mentions import mentioned
from safeum_home.client.secure.payloads import Text
from safeum_home.client.secure.refused import Refused
from safeum_home.client.slash.secure_lookup import item_of
from safeum_home.client.slash.slash import Mistake
from safeum_home.client.state.chat_view import ChatView
from safeum_home.client.words.secure_words import not_said
from safeum_home.client.words.text import safe
from safeum_home.protocol.types import Message

FORWARD = (
    "What is said in a secure chat stays there, and nothing is copied into one: your node would do that,"
    " and it cannot read it. Write it anew where it is wanted."
)
NO_NAME = (
    "A secure chat has no name, no picture and says nothing of itself: its node could read that. It goes by"
    " who is in it."
)
NO_LINK = "Nobody comes into a secure chat by a link: members answer for each other. /invite NAME"


def edit(desk: Desk, view: ChatView, message: Message, text: str) -> None:
    """Another text."""
    conversation, item, hash = item_of(desk, view, message)
    if not isinstance(item.payload, Text):
        raise Mistake(
            "In a secure chat a text can be changed, and nothing else: /delete it, and send it anew."
        )
    try:
        conversation.edit(hash, text, mentioned(desk, view, text))
    except Refused as refused:
        raise Mistake(not_said(refused.reason)) from None


def delete(desk: Desk, view: ChatView, message: Message) -> None:
    """One's own, for all."""
    conversation, _, hash = item_of(desk, view, message)
    try:
        conversation.delete(hash)
    except Refused as refused:
        raise Mistake(not_said(refused.reason)) from None


def react(desk: Desk, view: ChatView, message: Message, emoji: str) -> None:
    """One reaction; none takes it back."""
    conversation, _, hash = item_of(desk, view, message)
    try:
        conversation.react(hash, emoji or None)
    except Refused:
        raise Mistake("One emoji: /react N 👍") from None


def reactions(desk: Desk, view: ChatView, message: Message) -> list[str]:
    """Who has reacted, in lines."""
    _, item, _ = item_of(desk, view, message)
    return [f"{safe(emoji)}  {desk.names.name(account)}" for account, emoji in item.reactions.items()]
