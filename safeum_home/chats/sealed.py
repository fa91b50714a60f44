"""A message at rest: the very octets that were delivered, sealed for their place.

They are sealed under the chat's key. While a chat keeps no history a message is sealed under a key of its
own first, which is destroyed with it; voicemail under that of the day on which it was left. What the chat's
key then opens begins with the version of sealed octets (`sealing.keys`), where a message begins with a
brace. Whoever opens rows does it here, and need not know.
"""

from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from safeum_home.chats.contents import Chat, ChatContents, ChatKind
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ports import Key, Keyring, WrappedKey
from safeum_home.protocol.carried import decode_message
from safeum_home.protocol.news import About
from safeum_home.protocol.types import Message
from safeum_home.storage import keys, voicemails
from safeum_home.storage.rows import EventRow

_OWN = b"\x01"


class Fleeting(NamedTuple):
    """A message sealed under a key of its own, and that key, whose row is owned by `owner`."""

    sealed: bytes
    owner: bytes
    key: WrappedKey


_about = msgspec.json.Decoder(About)


def _context(chat: bytes, position: int) -> bytes:
    return b"message" + chat + position.to_bytes(8, "big")


def _own_context(chat: bytes, position: int) -> bytes:
    return b"fleeting" + chat + position.to_bytes(8, "big")


def seal_message(chat: Chat, position: int, encoded: bytes) -> bytes:
    """A message's encoded parameters, bound to the row they go into; to be stored in this very turn.

    Raises `busy` where the chat's key may be another one by now: load the chat and seal in one turn.
    """
    _check(chat)
    return seal_under(chat.key, chat.blind, position, encoded)


def seal_fleeting(chat: Chat, position: int, encoded: bytes) -> Fleeting:
    """As `seal_message`, for a message that is to be erased before its chat is."""
    _check(chat)
    return seal_twice(chat.fleeting, chat.key, chat.blind, position, encoded)


def seal_under(key: Key, chat: bytes, position: int, encoded: bytes) -> bytes:
    """As `seal_message`, inside a transaction and under the key that the chat has there."""
    return key.seal(encoded, _context(chat, position))


def seal_twice(fleeting: Keyring, key: Key, chat: bytes, position: int, encoded: bytes) -> Fleeting:
    """As `seal_fleeting`, inside a transaction and under the key that the chat has there."""
    owner = keys.message_owner(chat, position)
    own, wrapped = fleeting.new_key(owner)
    inner = own.seal(encoded, _own_context(chat, position))
    own.wipe()
    return Fleeting(seal_under(key, chat, position, inner), owner, wrapped)


def seal_for_day(day: Key, key: Key, chat: bytes, position: int, encoded: bytes) -> bytes:
    """As `seal_under`, for a message that nobody opens any more when the key of its day is destroyed."""
    return seal_under(key, chat, position, day.seal(encoded, _own_context(chat, position)))


def open_under(key: Key, row: EventRow) -> bytes:
    """What the chat's key alone opens of a row: a message, or one sealed under its own. Raises `Tampered`."""
    return key.open(row.sealed, _context(row.chat, row.position))


def open_encoded(c: Connection, chat: Chat | ChatContents, row: EventRow) -> bytes:
    """The encoded message in a row, on the connection it was read on; raises `Tampered`."""
    plain = open_under(chat.key, row)
    if plain[:1] != _OWN:
        return plain
    own = _own_key(c, chat, row)
    try:
        return own.open(plain, _own_context(row.chat, row.position))
    finally:
        own.wipe()


def reseal(c: Connection, chat: Chat | ChatContents, row: EventRow, encoded: bytes) -> bytes:
    """What a row holds when its message has become `encoded`: sealed as it was. Raises `Tampered`."""
    plain = open_under(chat.key, row)
    if plain[:1] == _OWN:
        own = _own_key(c, chat, row)
        encoded = own.seal(encoded, _own_context(row.chat, row.position))
        own.wipe()
    return chat.key.seal(encoded, _context(row.chat, row.position))


def seal_beside(
    c: Connection, chat: Chat | ChatContents, position: int, plain: bytes, context: bytes
) -> bytes:
    """What belongs to the message at a position, and is to go with it: sealed as that is.

    `plain` begins with another octet than sealed octets do.
    """
    if (own := _message_key(c, chat, position)) is not None:
        plain = own.seal(plain, context)
        own.wipe()
    return chat.key.seal(plain, context)


def open_beside(
    c: Connection,
    chat: Chat | ChatContents,
    position: int,
    sealed: bytes,
    context: bytes,
    key: Key | None = None,
) -> bytes:
    """What `seal_beside` has sealed; raises `Tampered`. `key` is the chat's, where that had another one."""
    plain = (key or chat.key).open(sealed, context)
    if plain[:1] != _OWN:
        return plain
    if (own := _message_key(c, chat, position)) is None:
        raise Tampered
    try:
        return own.open(plain, context)
    finally:
        own.wipe()


def open_message(c: Connection, chat: Chat | ChatContents, row: EventRow) -> Message:
    """The message in a row, as `open_encoded` does."""
    return decode(open_encoded(c, chat, row))


def open_about(c: Connection, chat: Chat | ChatContents, row: EventRow) -> About:
    """Who wrote the message in a row, and of what kind it is; raises `Tampered`."""
    return about(open_encoded(c, chat, row))


def about(encoded: bytes) -> About:
    """What counting needs of an encoded message, whatever its body is."""
    return _about.decode(encoded)


def decode(encoded: bytes) -> Message:
    """A message out of its encoded parameters."""
    return decode_message(encoded)


def _check(chat: Chat) -> None:
    if chat.stale:
        raise Problem(Code.BUSY, retry_after=1.0)


def _own_key(c: Connection, chat: Chat | ChatContents, row: EventRow) -> Key:
    if (own := _message_key(c, chat, row.position)) is None:
        raise Tampered
    return own


def _message_key(c: Connection, chat: Chat | ChatContents, position: int) -> Key | None:
    """The own key of a message, or in voicemail that of its day; None where it has none."""
    owner = keys.message_owner(chat.blind, position)
    if chat.kind is ChatKind.VOICEMAIL and (day := voicemails.day_of(c, chat.blind, position)) is not None:
        owner = voicemails.day_owner(day)
    wrapped = keys.FLEETING.key(c, owner)
    return None if wrapped is None else chat.fleeting.unwrap(owner, wrapped)
