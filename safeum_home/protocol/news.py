"""What counts as unread: the node and its clients count alike."""

from safeum_home.protocol.types import Message, Notice

NOTICE = "notice"
"""The kind of body that is not for reading."""


def is_news(message: Message, account: str) -> bool:
    """Whether a message is one that `account` is to read: of somebody else, and no notice in a group."""
    return message.sender != account and not isinstance(message.body, Notice)
