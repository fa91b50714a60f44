"""Rosters of groups: everybody who was invited, is a member, or was one."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from safeum_home.storage.many import Many
from safeum_home.storage.rows import RosterRow
from safeum_home.storage.schema import members, roster

_ENTRY = select(roster).where(roster.c.chat == bindparam("chat"), roster.c.account == bindparam("account"))
_ALL = select(roster).where(roster.c.chat == bindparam("chat")).order_by(roster.c.account)
# Those who are members: a row here alone makes nobody one, and nor does one there.
_MEMBERS = (
    select(roster)
    .join(members, (members.c.chat == roster.c.chat) & (members.c.account == roster.c.account))
    .where(roster.c.chat == bindparam("chat"))
    .order_by(roster.c.account)
)
_PUT = Many(
    "INSERT INTO roster (chat, account, position, state, sealed) {rows} ON CONFLICT (chat, account) DO"
    " UPDATE SET position = excluded.position, state = excluded.state, sealed = excluded.sealed",
    ("bytea", "bytea", "bigint", "smallint", "bytea"),
)


def put_entries(c: Connection, rows: Sequence[RosterRow]) -> None:
    """Store entries, in place of what was there of the same accounts."""
    _PUT.change(c, rows)


def entry(c: Connection, chat: bytes, account: bytes) -> RosterRow | None:
    row = c.execute(_ENTRY, {"chat": chat, "account": account}).first()
    return RosterRow(*row) if row else None


def entries(c: Connection, chat: bytes) -> list[RosterRow]:
    """All entries of a group."""
    return [RosterRow(*row) for row in c.execute(_ALL, {"chat": chat})]


def member_entries(c: Connection, chat: bytes) -> list[RosterRow]:
    """The entries of those who are members now."""
    return [RosterRow(*row) for row in c.execute(_MEMBERS, {"chat": chat})]
