"""Who reacted to which message: one reaction of each account to each."""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, delete, select

from safeum_home.storage.many import Many
from safeum_home.storage.rows import ReactionRow
from safeum_home.storage.schema import reactions

_TO = (reactions.c.chat == bindparam("chat")) & (reactions.c.target == bindparam("target"))
_REACTION = select(reactions).where(_TO, reactions.c.account == bindparam("account"))
_PAGE = (
    select(reactions)
    .where(_TO, reactions.c.account > bindparam("after"))
    .order_by(reactions.c.account)
    .limit(bindparam("limit"))
)
_REACTORS = (
    select(reactions.c.target, reactions.c.account)
    .where(reactions.c.chat == bindparam("chat"), reactions.c.target >= bindparam("first"))
    .order_by(reactions.c.target, reactions.c.position)
)
_DROP = delete(reactions).where(_TO, reactions.c.account == bindparam("account"))
_DROP_ALL = delete(reactions).where(_TO)
_PUT = Many(
    "INSERT INTO reactions (chat, target, account, position, sealed) {rows}"
    " ON CONFLICT (chat, target, account) DO UPDATE SET position = excluded.position,"
    " sealed = excluded.sealed",
    ("bytea", "bigint", "bytea", "bigint", "bytea"),
)
_FIND = Many(
    "SELECT chat, target, account, position, sealed FROM reactions WHERE (chat, target, account) IN ({rows})",
    ("bytea", "bigint", "bytea"),
)


def reaction(c: Connection, chat: bytes, target: int, account: bytes) -> ReactionRow | None:
    row = c.execute(_REACTION, {"chat": chat, "target": target, "account": account}).first()
    return ReactionRow(*row) if row else None


def own_reactions(c: Connection, account: bytes, to: Iterable[tuple[bytes, int]]) -> list[ReactionRow]:
    """The reactions of one account to messages, each given by its chat and position."""
    return [ReactionRow(*row) for row in _FIND.fetch(c, [(*message, account) for message in to])]


def reactions_to(
    c: Connection, chat: bytes, target: int, after: bytes | None, limit: int
) -> list[ReactionRow]:
    """A page of the reactions to a message; `after` is the account of the last row of the page before."""
    asked = {"chat": chat, "target": target, "after": after or b"", "limit": limit}
    return [ReactionRow(*row) for row in c.execute(_PAGE, asked)]


def reactors(c: Connection, chat: bytes, first: int) -> list[tuple[int, bytes]]:
    """Who has reacted to messages of a chat from position `first` on: those, each with an account."""
    return [(row.target, row.account) for row in c.execute(_REACTORS, {"chat": chat, "first": first})]


def put_reaction(c: Connection, row: ReactionRow) -> None:
    """Store a reaction, in place of an earlier one of the same account."""
    _PUT.change(c, [row])


def drop_reaction(c: Connection, chat: bytes, target: int, account: bytes) -> None:
    c.execute(_DROP, {"chat": chat, "target": target, "account": account})


def drop_reactions(c: Connection, chat: bytes, target: int) -> None:
    """Drop all reactions to a message."""
    c.execute(_DROP_ALL, {"chat": chat, "target": target})
