"""A message at rest: the very octets that were delivered, sealed for their place."""

import msgspec

from safeum_home.ports import Key
from safeum_home.protocol.carried import decode_message
from safeum_home.protocol.news import About
from safeum_home.protocol.types import Message
from safeum_home.storage.rows import EventRow

_about = msgspec.json.Decoder(About)


def _context(chat: bytes, position: int) -> bytes:
    return b"message" + chat + position.to_bytes(8, "big")


def seal_message(key: Key, chat: bytes, position: int, encoded: bytes) -> bytes:
    """A message's encoded parameters, bound to the row they go into."""
    return key.seal(encoded, _context(chat, position))


def open_encoded(key: Key, row: EventRow) -> bytes:
    """The encoded message in a row; raises `Tampered`."""
    return key.open(row.sealed, _context(row.chat, row.position))


def open_message(key: Key, row: EventRow) -> Message:
    """The message in a row; raises `Tampered`."""
    return decode(open_encoded(key, row))


def open_about(key: Key, row: EventRow) -> About:
    """Who wrote the message in a row, and of what kind it is; raises `Tampered`."""
    return _about.decode(open_encoded(key, row))


def decode(encoded: bytes) -> Message:
    """A message out of its encoded parameters."""
    return decode_message(encoded)
