"""What counts as unread: the node and its clients count alike.

Unread is the news behind what was read, and behind the last message that is one's own.
"""

from msgspec import Struct

from safeum_home.protocol.types import Message, Notice, Secure


class Kind(Struct, frozen=True):
    """Of what kind a body is; all else of it is passed over, but whether it is quiet."""

    kind: str
    quiet: object = False
    """A body of a kind that is not known may say anything here."""


class About(Struct, frozen=True):
    """A message, as far as counting needs it."""

    sender: str
    body: Kind


_NOTICE = Notice.__struct_config__.tag
_SECURE = Secure.__struct_config__.tag


def is_quiet(message: Message | About) -> bool:
    """Whether it is nothing to read: a notice in a group, or what a secure chat's clients tell each other."""
    body = message.body
    if isinstance(body, Kind):
        return body.kind == _NOTICE or (body.kind == _SECURE and body.quiet is True)
    return isinstance(body, Notice) or (isinstance(body, Secure) and body.quiet)


def is_news(message: Message | About, account: str) -> bool:
    """Whether a message is one that `account` is to read: of somebody else, and not quiet."""
    return message.sender != account and not is_quiet(message)


def is_own(message: Message | About, account: str) -> bool:
    """Whether `account` wrote it itself: it has read what was there before. Clients write what is quiet."""
    return message.sender == account and not is_quiet(message)
