"""Commands that say something in clear: never into a secure chat, whatever a node says that the chat is."""

from safeum_home.protocol import commands as c
from safeum_home.protocol.types import Secure


def says_in_clear(params: c.Params) -> str | None:
    """The chat into which something would be said, or of which; None where nothing is."""
    match params:
        case c.ChatSend(body=Secure(), reply_to=None, mentions=(), forward=None):
            return None
        case c.ChatSend() | c.MessageEdit() | c.GroupAvatarSet():
            return params.chat
        case c.MessageReact():
            return None if params.emoji is None else params.chat
        case c.GroupSet():
            return None if params.name is None and params.about is None else params.chat
        case _:
            return None
