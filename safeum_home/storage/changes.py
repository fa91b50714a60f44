"""Messages that became something else after they were sent: their rows hold what they are now."""

from sqlalchemy import Connection, bindparam, select, true, update

from safeum_home.storage.many import Many
from safeum_home.storage.rows import ChangeRow, EventRow
from safeum_home.storage.schema import changes, events, members

_REWRITE = update(events).where(
    events.c.chat == bindparam("of_chat"), events.c.position == bindparam("at_position")
)
_NOTE = Many(
    "INSERT INTO changes (chat, target, position) {rows}"
    " ON CONFLICT (chat, target) DO UPDATE SET position = excluded.position",
    ("bytea", "bigint", "bigint"),
)
_NOT_SEEING = select(members.c.account).where(
    members.c.chat == bindparam("chat"), members.c.visible >= bindparam("target")
)
_changed = changes.join(events, (events.c.chat == changes.c.chat) & (events.c.position == changes.c.target))
_COLUMNS = (changes.c.chat, changes.c.target, events.c.sealed, changes.c.position)
_SINCE = (
    select(*_COLUMNS)
    .select_from(_changed.join(members, members.c.chat == changes.c.chat))
    .where(
        members.c.account == bindparam("account"),
        changes.c.position > bindparam("position"),
        changes.c.target > members.c.visible,
    )
    .order_by(changes.c.position)
    .limit(bindparam("limit"))
)
# As with events: PostgreSQL is to read a page of each chat, and not all that follows.
_following = (
    select(*_COLUMNS)
    .select_from(_changed)
    .where(
        changes.c.chat == members.c.chat,
        changes.c.position > bindparam("position"),
        changes.c.target > members.c.visible,
    )
    .order_by(changes.c.position)
    .limit(bindparam("limit"))
    .lateral()
)
_SINCE_LATERAL = (
    select(_following)
    .select_from(members.join(_following, true()))
    .where(members.c.account == bindparam("account"))
    .order_by(_following.c.position)
    .limit(bindparam("limit"))
)


def rewrite(c: Connection, row: EventRow, position: int) -> None:
    """The message in a row is now this; `position` is where those who see it are told."""
    c.execute(_REWRITE.values(sealed=row.sealed), {"of_chat": row.chat, "at_position": row.position})
    _NOTE.change(c, [(row.chat, row.position, position)])


def not_seeing(c: Connection, chat: bytes, target: int) -> list[bytes]:
    """The members of a chat for whom the message at `target` is not."""
    return list(c.execute(_NOT_SEEING, {"chat": chat, "target": target}).scalars())


def changes_since(c: Connection, account: bytes, position: int, limit: int) -> list[ChangeRow]:
    """Messages that an account can see and that were changed after a position, in the order of that."""
    query = _SINCE_LATERAL if c.dialect.name == "postgresql" else _SINCE
    rows = c.execute(query, {"account": account, "position": position, "limit": limit})
    return [ChangeRow(EventRow(*row[:3]), row[3]) for row in rows]
