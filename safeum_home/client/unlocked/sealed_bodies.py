"""How envelopes are carried: as messages of one kind, in groups that take nothing else of value."""

from safeum_home.client.chat_view import ChatView
from safeum_home.client.secure.events import Post, Told
from safeum_home.protocol.message_types import Deleted, Unknown
from safeum_home.protocol.types import Body, Message, Notice

KIND = "secure"
NAME = "Secure chat"
"""What nodes know these groups by; nothing else is said of them in clear."""


def body_of(post: Post) -> Body:
    """What is sent."""
    body = {"kind": KIND, "data": post.data}
    return Unknown({**body, "quiet": True} if post.quiet else body)


def told_of(message: Message) -> Told | None:
    """The envelope in a message; None where there is none."""
    body = message.body
    if not isinstance(body, Unknown) or body.kind != KIND:
        return None
    data = body.get("data")
    text = data if isinstance(data, str) else ""
    return Told(message.sender, message.id, text, body.get("quiet") is True)


def is_in_clear(message: Message) -> bool:
    """Whether somebody has said something that nobody has sealed: it is not of the chat."""
    return told_of(message) is None and not isinstance(message.body, Notice | Deleted)


def is_secure(view: ChatView) -> bool:
    """Whether a chat is a secure one, as far as it can be seen from what is held of it."""
    return view.kind == "group" and any(told_of(message) is not None for message in view.messages)


def joined(message: Message) -> str | None:
    """Who has come into the group, where the node tells that."""
    body = message.body
    return body.who if isinstance(body, Notice) and body.action == "joined" else None
