"""What a group's node passes on: events of the authors' nodes, as they are, beside what they have made here.

They are kept under the group's key, and where the message has one of its own under that as well. Of what
this node's own accounts did the event is made when it is told.
"""

from typing import Any

import msgspec
from sqlalchemy import Connection

from safeum_home.chats.contents import Chat, ChatContents
from safeum_home.chats.sealed import open_beside, seal_beside
from safeum_home.protocol.federation.canonical import encode
from safeum_home.protocol.federation.events import Event
from safeum_home.storage import passed_on
from safeum_home.storage.passed_on import ITSELF


def _context(chat: bytes, position: int, account: bytes) -> bytes:
    return b"passed on" + chat + position.to_bytes(8, "big") + account


def keep(
    c: Connection, chat: Chat | ChatContents, position: int, event: Event, account: bytes = ITSELF
) -> None:
    """Keep the event that made a message what it is, or what an account has made of it."""
    octets = encode(msgspec.to_builtins(event))
    context = _context(chat.blind, position, account)
    if chat.record.history and position > chat.record.kept:
        sealed = chat.key.seal(octets, context)
    else:
        sealed = seal_beside(c, chat, position, octets, context)
    passed_on.put_event(c, chat.blind, position, account, sealed)


def kept(
    c: Connection, chat: Chat | ChatContents, position: int, account: bytes = ITSELF
) -> dict[str, Any] | None:
    """The event, to be passed on; None where this node's own account did it. Raises `Tampered`."""
    sealed = passed_on.event_of(c, chat.blind, position, account)
    if sealed is None:
        return None
    plain: dict[str, Any] = msgspec.json.decode(
        open_beside(c, chat, position, sealed, _context(chat.blind, position, account))
    )
    return plain
