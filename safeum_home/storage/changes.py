"""Messages that became something else after they were sent: their rows hold what they are now."""

from typing import Any

from sqlalchemy import Connection, Select, Subquery, bindparam, exists, select, true, update

from safeum_home.storage.backend import SWEPT
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
# The index goes by positions; of the targets nothing is to be looked up (hence the sum), and no message that
# was not changed is to be looked at: so the changes are found first, and only then their messages.
_seen = (
    (changes.c.position > bindparam("position"))
    & (changes.c.target + 0 > members.c.visible)
    & exists().where(events.c.chat == changes.c.chat, events.c.position == changes.c.target)
)
_COLUMNS = (changes.c.chat, changes.c.target, changes.c.position)
_PAGE = (
    select(*_COLUMNS)
    .join(members, members.c.chat == changes.c.chat)
    .where(members.c.account == bindparam("account"), _seen)
    .order_by(changes.c.position)
    .limit(bindparam("limit"))
    .subquery()
)
# As with events: PostgreSQL is to read a page of each chat, and not all that follows.
_following = (
    select(*_COLUMNS)
    .where(changes.c.chat == members.c.chat, _seen)
    .order_by(changes.c.position)
    .limit(bindparam("limit"))
    .lateral()
)
_PAGE_LATERAL = (
    select(_following)
    .select_from(members.join(_following, true()))
    .where(members.c.account == bindparam("account"))
    .order_by(_following.c.position)
    .limit(bindparam("limit"))
    .subquery()
)


def _since(page: Subquery) -> Select[Any]:
    found = page.join(events, (events.c.chat == page.c.chat) & (events.c.position == page.c.target))
    columns = (page.c.chat, page.c.target, events.c.sealed, page.c.position)
    return select(*columns).select_from(found).order_by(page.c.position)


_SINCE, _SINCE_LATERAL = _since(_PAGE), _since(_PAGE_LATERAL)


def rewrite(c: Connection, row: EventRow, position: int, erased: bool = False) -> None:
    """The message in a row is now this; `position` is where those who see it are told.

    `erased`: what it was is to be left in the log no longer than it must.
    """
    if erased:
        c.info[SWEPT] = True
    c.execute(_REWRITE.values(sealed=row.sealed), {"of_chat": row.chat, "at_position": row.position})
    _NOTE.change(c, [(row.chat, row.position, position)])


def note(c: Connection, chat: bytes, target: int, position: int) -> None:
    """Those who see a message are told at `position` what it is, though it is that already."""
    _NOTE.change(c, [(chat, target, position)])


def not_seeing(c: Connection, chat: bytes, target: int) -> list[bytes]:
    """The members of a chat for whom the message at `target` is not."""
    return list(c.execute(_NOT_SEEING, {"chat": chat, "target": target}).scalars())


def changes_since(c: Connection, account: bytes, position: int, limit: int) -> list[ChangeRow]:
    """Messages that an account can see and that were changed after a position, in the order of that."""
    query = _SINCE_LATERAL if c.dialect.name == "postgresql" else _SINCE
    rows = c.execute(query, {"account": account, "position": position, "limit": limit})
    return [ChangeRow(EventRow(*row[:3]), row[3]) for row in rows]
