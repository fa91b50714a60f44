"""A reaction at rest, sealed for its place; and one's own among the reactions to what one is told."""

from collections.abc import Iterable

from msgspec import Struct, json
from sqlalchemy import Connection

from safeum_home.chats.contents import Chat, ChatContents
from safeum_home.chats.sealed import open_beside, seal_beside
from safeum_home.chats.sealed_records import SealedRecords
from safeum_home.damage import undamaged
from safeum_home.ids import AccountId
from safeum_home.storage import reactions
from safeum_home.storage.rows import EventRow, ReactionRow

_MARK = b'"reactions":['
"""Only a message that has some holds this: in a text its quotes would be escaped (RFC 8259 section 7)."""


class ReactionRecord(Struct, frozen=True):
    account: AccountId
    emoji: str


_records = SealedRecords(ReactionRecord)


def _context(chat: bytes, target: int, account: bytes) -> bytes:
    return b"reaction" + chat + target.to_bytes(8, "big") + account


def seal_reaction(
    c: Connection,
    chat: Chat | ChatContents,
    target: int,
    account: bytes,
    position: int,
    record: ReactionRecord,
) -> ReactionRow:
    """The row of a reaction to the message at `target`; `account` is the blind index of the record's."""
    context = _context(chat.blind, target, account)
    sealed = seal_beside(c, chat, target, _records.encode(record), context)
    return ReactionRow(chat.blind, target, account, position, sealed)


def open_reaction(c: Connection, chat: Chat | ChatContents, row: ReactionRow) -> ReactionRecord:
    """Raises `Tampered`."""
    context = _context(row.chat, row.target, row.account)
    return _records.decode(open_beside(c, chat, row.target, row.sealed, context))


def own_reactions(
    c: Connection, chat: Chat | ChatContents, account: bytes, to: Iterable[int]
) -> dict[int, str]:
    """With what an account has reacted to messages of one chat, by their positions; in one query."""
    rows = reactions.own_reactions(c, account, [(chat.blind, target) for target in to])
    return dict(undamaged(rows, lambda row: (row.target, open_reaction(c, chat, row).emoji), "reactions"))


def with_own(
    c: Connection, chat: Chat | ChatContents, account: bytes, messages: list[tuple[EventRow, bytes]]
) -> list[bytes]:
    """Encoded messages of one chat with `mine` filled in for `account`; without reactions, as they are."""
    reacted = [row.position for row, encoded in messages if _MARK in encoded]
    if not reacted:
        return [encoded for _, encoded in messages]
    own = own_reactions(c, chat, account, reacted)
    return [_with(encoded, own.get(row.position)) for row, encoded in messages]


def _with(encoded: bytes, emoji: str | None) -> bytes:
    if emoji is None or _MARK not in encoded:
        return encoded
    return b'%b,"mine":%b}' % (encoded[:-1], json.encode(emoji))
