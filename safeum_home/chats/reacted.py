"""A reaction at rest, sealed for its place; and one's own among the reactions to what one is told."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct, json, msgpack
from sqlalchemy import Connection

from safeum_home.damage import undamaged
from safeum_home.errors import Tampered
from safeum_home.ids import AccountId
from safeum_home.ports import Key
from safeum_home.storage import reactions
from safeum_home.storage.rows import EventRow, ReactionRow

_MARK = b'"reactions":['
"""Only a message that has some holds this: in a text its quotes would be escaped (RFC 8259 section 7)."""


class ReactionRecord(Struct, frozen=True):
    account: AccountId
    emoji: str


_encoder = msgpack.Encoder()
_decoder: "msgpack.Decoder[Any]" = msgpack.Decoder(ReactionRecord)


def _context(chat: bytes, target: int, account: bytes) -> bytes:
    return b"reaction" + chat + target.to_bytes(8, "big") + account


def seal_reaction(
    key: Key, chat: bytes, target: int, account: bytes, position: int, record: ReactionRecord
) -> ReactionRow:
    """The row of a reaction to the message at `target`; `account` is the blind index of the record's."""
    sealed = key.seal(_encoder.encode(record), _context(chat, target, account))
    return ReactionRow(chat, target, account, position, sealed)


def open_reaction(key: Key, row: ReactionRow) -> ReactionRecord:
    """Raises `Tampered`."""
    try:
        record: ReactionRecord = _decoder.decode(
            key.open(row.sealed, _context(row.chat, row.target, row.account))
        )
    except ValueError:
        raise Tampered from None
    return record


def own_reactions(c: Connection, key: Key, chat: bytes, account: bytes, to: Iterable[int]) -> dict[int, str]:
    """With what an account has reacted to messages of one chat, by their positions; in one query."""
    rows = reactions.own_reactions(c, account, [(chat, target) for target in to])
    return dict(undamaged(rows, lambda row: (row.target, open_reaction(key, row).emoji), "reactions"))


def with_own(c: Connection, key: Key, account: bytes, messages: list[tuple[EventRow, bytes]]) -> list[bytes]:
    """Encoded messages of one chat with `mine` filled in for `account`; without reactions, as they are."""
    reacted = [row.position for row, encoded in messages if _MARK in encoded]
    if not reacted:
        return [encoded for _, encoded in messages]
    own = own_reactions(c, key, messages[0][0].chat, account, reacted)
    return [_with(encoded, own.get(row.position)) for row, encoded in messages]


def _with(encoded: bytes, emoji: str | None) -> bytes:
    if emoji is None or _MARK not in encoded:
        return encoded
    return b'%b,"mine":%b}' % (encoded[:-1], json.encode(emoji))
