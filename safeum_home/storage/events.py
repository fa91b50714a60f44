"""Events of chats: messages in the node's order, stored once however often they are sent."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, bindparam, case, func, select, true

from safeum_home.storage.many import Many
from safeum_home.storage.rows import EventRow, NewEvent
from safeum_home.storage.schema import dedupe, events, members

_OF_CHAT = select(events).where(events.c.chat == bindparam("chat"))
_EVENT = _OF_CHAT.where(events.c.position == bindparam("position"))
_BEFORE = (
    _OF_CHAT.where(events.c.position < bindparam("before"), events.c.position > bindparam("visible"))
    .order_by(events.c.position.desc())
    .limit(bindparam("limit"))
)
_AFTER = (
    _OF_CHAT.where(events.c.position > bindparam("position"))
    .order_by(events.c.position)
    .limit(bindparam("limit"))
)
# One bound, the higher of two: of two bounds on a column SQLite would look for the first, and go through all
# that follows to find what is behind the second.
_after = case((members.c.visible > bindparam("position"), members.c.visible), else_=bindparam("position"))
_SINCE = (
    select(events)
    .join(members, members.c.chat == events.c.chat)
    .where(members.c.account == bindparam("account"), events.c.position > _after)
    .order_by(events.c.position)
    .limit(bindparam("limit"))
)
# PostgreSQL would read all that follows, of every chat, before it sorts: let it read a page of each.
# (SQLite leaves a chat as soon as the page is full without it, and knows no LATERAL.)
_following = (
    select(events)
    .where(events.c.chat == members.c.chat, events.c.position > _after)
    .order_by(events.c.position)
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
_HIGHEST = 2**63 - 1

_RECOGNISE = Many(
    "INSERT INTO dedupe (sent, position) {rows} ON CONFLICT DO NOTHING",
    ("bytea", "bigint"),
)
_RECOGNISE_GONE = Many(
    "INSERT INTO dedupe (sent, position, gone) {rows} ON CONFLICT DO NOTHING",
    ("bytea", "bigint", "bigint"),
)
_EARLIER = Many(
    "SELECT sent, position FROM dedupe WHERE (sent) IN ({rows})",
    ("bytea",),
)
_FOLLOWING = select(func.min(events.c.position)).where(
    events.c.chat == bindparam("chat"), events.c.position > bindparam("position")
)
_GONE = select(dedupe.c.sent).where(dedupe.c.position == bindparam("position"), dedupe.c.gone.is_not(None))
_GONE_FROM = _GONE.where(dedupe.c.mark == bindparam("mark"))
_AMONG = Many(
    "SELECT chat, position, sealed FROM events WHERE (chat, position) IN ({rows})", ("bytea", "bigint")
)
_APPEND = Many("INSERT INTO events (chat, position, sealed) {rows}", ("bytea", "bigint", "bytea"))


def append_events(c: Connection, rows: Sequence[NewEvent]) -> list[int | None]:
    """Store events; for each None, or the position under which it was stored when it was sent earlier.

    Suits `Database.append`. An event is recognised by `sent`.
    """
    first: dict[bytes, NewEvent] = {}
    for row in rows:
        first.setdefault(row.sent, row)
    fresh = list(first.values())
    recognised = _RECOGNISE.change(c, [(sent, row.position) for sent, row in first.items()])
    if recognised == len(rows):
        _APPEND.change(c, [row[:3] for row in fresh])
        return [None] * recognised

    stored: dict[bytes, int] = dict(_EARLIER.fetch(c, [(sent,) for sent in first]))
    _APPEND.change(c, [row[:3] for row in fresh if stored[row.sent] == row.position])
    return [None if stored[row.sent] == row.position else stored[row.sent] for row in rows]


def recognise(c: Connection, sent: bytes, hour: int) -> bool:
    """What is no message is recognised from now on, as what is gone is; False where it was already."""
    return _RECOGNISE_GONE.change(c, [(sent, 0, hour)]) == 1


def recognised(c: Connection, sent: bytes) -> int | None:
    """The position of what was stored as `sent`, whichever chat it went to."""
    found = _EARLIER.fetch(c, [(sent,)])
    return int(found[0][1]) if found else None


def recognised_among(c: Connection, sent: Collection[bytes]) -> dict[bytes, int]:
    """`recognised` for each of these that is known."""
    return dict(_EARLIER.fetch(c, [(each,) for each in sent]))


def following(c: Connection, chat: bytes, position: int) -> int | None:
    """The position of the first event of a chat behind another one."""
    found: int | None = c.execute(_FOLLOWING, {"chat": chat, "position": position}).scalar_one()
    return found


def is_gone(c: Connection, position: int) -> bool:
    """Whether a message was there, and was erased or dropped not long ago."""
    return c.execute(_GONE, {"position": position}).first() is not None


def is_gone_from(c: Connection, position: int, mark: bytes) -> bool:
    """Whether it was dropped, since all devices held it, and was one of the chat that `mark` is of."""
    return c.execute(_GONE_FROM, {"position": position, "mark": mark}).first() is not None


def event(c: Connection, chat: bytes, position: int) -> EventRow | None:
    row = c.execute(_EVENT, {"chat": chat, "position": position}).first()
    return EventRow(*row) if row else None


def events_among(c: Connection, among: Sequence[tuple[bytes, int]]) -> list[EventRow]:
    """Those that are there of events given by their chats and positions, in no order."""
    return [EventRow(*row) for row in _AMONG.fetch(c, among)]


def events_before(
    c: Connection, chat: bytes, before: int | None, limit: int, visible: int = 0
) -> list[EventRow]:
    """The newest `limit` events of a chat before a position (None: of all), the oldest of them first.

    Those up to `visible` are left out.
    """
    asked = {
        "chat": chat,
        "before": _HIGHEST if before is None else before,
        "limit": limit,
        "visible": visible,
    }
    return [EventRow(*row) for row in reversed(c.execute(_BEFORE, asked).all())]


def events_after(c: Connection, chat: bytes, position: int, limit: int) -> list[EventRow]:
    """Events of a chat after a position, in their order."""
    rows = c.execute(_AFTER, {"chat": chat, "position": position, "limit": limit})
    return [EventRow(*row) for row in rows]


def events_since(c: Connection, account: bytes, position: int, limit: int) -> list[EventRow]:
    """Events of all chats of an account after a position, in their order."""
    query = _SINCE_LATERAL if c.dialect.name == "postgresql" else _SINCE
    rows = c.execute(query, {"account": account, "position": position, "limit": limit})
    return [EventRow(*row) for row in rows]
