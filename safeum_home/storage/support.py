"""Conversations with support: which are open, and since which message each waits for an answer."""

from sqlalchemy import Connection, bindparam, delete, select

from safeum_home.storage.many import Many
from safeum_home.storage.rows import SupportRow
from safeum_home.storage.schema import support

_OPEN = (
    select(support)
    .where(support.c.position < bindparam("before"))
    .order_by(support.c.position.desc())
    .limit(bindparam("limit"))
)
_HIGHEST = 2**63 - 1
_ASK = Many(
    "INSERT INTO support (chat, position, waiting) {rows} ON CONFLICT (chat) DO UPDATE SET"
    " position = excluded.position,"
    " waiting = CASE WHEN support.waiting = 0 THEN excluded.waiting ELSE support.waiting END",
    ("bytea", "bigint", "bigint"),
)
_ANSWER = Many(
    "INSERT INTO support (chat, position, waiting) {rows} ON CONFLICT (chat) DO UPDATE SET"
    " position = excluded.position, waiting = excluded.waiting",
    ("bytea", "bigint", "bigint"),
)


def asked(c: Connection, chat: bytes, position: int) -> None:
    """An account has written: the conversation is open, and waits from its first unanswered message on."""
    _ASK.change(c, [(chat, position, position)])


def answered(c: Connection, row: SupportRow) -> None:
    """The staff has written; what `row` says is so from now on."""
    _ANSWER.change(c, [row])


def close(c: Connection, chat: bytes) -> None:
    """Take a conversation off the list."""
    c.execute(delete(support).where(support.c.chat == chat))


def conversations(c: Connection, before: int | None, limit: int) -> list[SupportRow]:
    """The open ones, that of the newest message first; `before` is the position of the page before."""
    asked_for = {"before": _HIGHEST if before is None else before, "limit": limit}
    return [SupportRow(*row) for row in c.execute(_OPEN, asked_for)]
