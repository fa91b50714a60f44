"""What it takes that another node changes a message here, and tells of it."""

from sqlalchemy import Connection

from safeum_home.chats.changes.altering import Altering, Stored
from safeum_home.chats.contents import Chat
from safeum_home.errors import Code, Problem
from safeum_home.protocol.types import Message
from safeum_home.storage import events


def check_author(message: Message, sender: str) -> None:
    """Who else is at the node of an author cannot change what that has written."""
    if message.sender != sender:
        raise Problem(Code.NOT_YOURS)


def is_gone(c: Connection, chat: Chat, position: int) -> bool:
    """Whether a message was erased here not long ago."""
    if position <= chat.record.erased:
        return True
    return events.event(c, chat.blind, position) is None and events.is_gone(c, position)


def tell(altering: Altering, chat: Chat, stored: Stored) -> None:
    """Tell of a change that came from another node, once it is committed."""
    if stored.altered.record is not None:
        altering.refresh(chat.id)
    altering.tell(chat, stored)
