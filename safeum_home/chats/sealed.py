"""A message at rest: the very octets that were delivered, sealed for their place."""

import msgspec

from safeum_home.ports import Key
from safeum_home.protocol.types import Message
from safeum_home.storage.rows import EventRow

_decoder = msgspec.json.Decoder(Message)


class Kind(msgspec.Struct, frozen=True):
    """A body, of which all else is passed over."""

    kind: str


class Heading(msgspec.Struct, frozen=True):
    """A message, of which all else is passed over."""

    sender: str
    body: Kind


_headings = msgspec.json.Decoder(Heading)


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


def open_heading(key: Key, row: EventRow) -> Heading:
    """Who wrote the message in a row, and of what kind it is; raises `Tampered`."""
    return _headings.decode(open_encoded(key, row))


def decode(encoded: bytes) -> Message:
    """A message out of its encoded parameters."""
    return _decoder.decode(encoded)
