"""What counts as unread: the node and its clients count alike.

Unread is the news behind what was read, and behind the last message that is one's own.
"""

from msgspec import Struct

from safeum_home.protocol.types import Message, Notice


class Kind(Struct, frozen=True):
    """Of what kind a body is; all else of it is passed over."""

    kind: str


class About(Struct, frozen=True):
    """A message, as far as counting needs it."""

    sender: str
    body: Kind


_NOTICE = Notice.__struct_config__.tag


def _is_notice(message: Message | About) -> bool:
    body = message.body
    return body.kind == _NOTICE if isinstance(body, Kind) else isinstance(body, Notice)


def is_news(message: Message | About, account: str) -> bool:
    """Whether a message is one that `account` is to read: of somebody else, and no notice in a group."""
    return message.sender != account and not _is_notice(message)


def is_own(message: Message | About, account: str) -> bool:
    """Whether `account` wrote it itself: it has read what was there before."""
    return message.sender == account and not _is_notice(message)
