"""The chats of an account, in the order of its list."""

from sqlalchemy import Connection, bindparam, case, func, select

from safeum_home.storage.chats import COLUMNS, chat_row
from safeum_home.storage.rows import EventRow, ListedChat, MemberRow
from safeum_home.storage.schema import chats, events, keys, members

_HIGHEST = 2**63 - 1

# Where a chat is in the list of an account: at its newest message that the account sees or, where there is
# none in a group or in a chat that was erased, where that came about. The newest is one descent of the
# events' B-tree for each chat; all else is read of the chats of the page alone.
_NEWEST = (
    select(func.max(events.c.position))
    .where(events.c.chat == members.c.chat, events.c.position > members.c.visible)
    .scalar_subquery()
)
_SINCE = case(
    ((chats.c.kind != bindparam("group")) & (members.c.visible == 0), 0),
    (chats.c.changed > members.c.visible, chats.c.changed),
    else_=members.c.visible,
)
_PLACED = (
    select(members.c.chat, func.coalesce(_NEWEST, _SINCE).label("place"))
    .join(chats, chats.c.chat == members.c.chat)
    .where(members.c.account == bindparam("account"))
    .cte("placed")
    .prefix_with("MATERIALIZED")  # or SQLite looks for the newest again wherever the place is mentioned
)
_PAGE = (
    select(_PLACED)
    .where(_PLACED.c.place < bindparam("before"), _PLACED.c.place > 0)
    .order_by(_PLACED.c.place.desc())
    .limit(bindparam("limit"))
    .subquery()
)
_CHATS_OF = (
    select(*members.c, *COLUMNS[1:], _PAGE.c.place, events.c.sealed.label("message"))
    .select_from(_PAGE)
    .join(
        members,
        (members.c.chat == _PAGE.c.chat) & (members.c.account == bindparam("account")),
    )
    .join(chats, chats.c.chat == _PAGE.c.chat)
    .join(keys, keys.c.owner == _PAGE.c.chat)
    .outerjoin(
        events,
        (events.c.chat == _PAGE.c.chat)
        & (events.c.position == _PAGE.c.place)
        & (events.c.position > members.c.visible),
    )
    .order_by(_PAGE.c.place.desc())
)
_MINE = len(members.c)


def chats_of(c: Connection, account: bytes, before: int | None, limit: int, group: int) -> list[ListedChat]:
    """The account's chats that hold an event, the chat of the newest first.

    Chats of the kind `group`, and those whose past was erased, are there without one too. `before` is the
    place of the last chat of the page before.
    """
    asked = {
        "account": account,
        "before": _HIGHEST if before is None else before,
        "limit": limit,
        "group": group,
    }
    found = []
    for row in c.execute(_CHATS_OF, asked):
        *others, place, message = row
        mine, of_chat = MemberRow(*others[:_MINE]), others[_MINE:]
        newest = None if message is None else EventRow(mine.chat, place, message)
        found.append(ListedChat(chat_row(mine.chat, *of_chat), mine, newest, place))
    return found
