"""Which login alerts are news: that of the sign-up and that of this very device are not."""

from safeum_home.client.state.chat_view import ChatView
from safeum_home.protocol.types import LoginAlert, Message


def welcomes(view: ChatView, message: Message) -> bool:
    """Whether it is the account's first alert, which its sign-up has written."""
    complete = view.loaded and not view.more
    return complete and isinstance(message.body, LoginAlert) and view.messages[0].id == message.id


def own(device: str, message: Message) -> bool:
    """Whether it speaks of this device."""
    return isinstance(message.body, LoginAlert) and message.body.device == device


def unread(view: ChatView, device: str, account: str) -> int:
    """Unread messages of a chat, without alerts that tell their reader nothing.

    They stay unread for the node, so that the owner's other devices show them.
    """
    if view.kind != "system" or not view.unread:
        return view.unread
    theirs = [message for message in view.messages if message.sender != account]
    known = sum(own(device, message) or welcomes(view, message) for message in theirs[-view.unread :])
    return view.unread - known
