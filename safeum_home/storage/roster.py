"""Rosters of groups: everybody who was invited, is a member, or was one."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, func, or_, select

from safeum_home.storage.many import Many
from safeum_home.storage.rows import RosterRow
from safeum_home.storage.schema import accounts, chats, erasing, members, roster
from safeum_home.storage.tombstones import all_but_newest

# Places in `safeum_home.chats.groups.roster.RosterState` that queries here depend on.
INVITED = 1
MEMBER = 2
LEFT = 3
REMOVED = 4

_ENTRY = select(roster).where(roster.c.chat == bindparam("chat"), roster.c.account == bindparam("account"))
_ALL = select(roster).where(roster.c.chat == bindparam("chat")).order_by(roster.c.account)
# Those who are members: a row here alone makes nobody one, and nor does one there.
_MEMBERS = (
    select(roster)
    .join(members, (members.c.chat == roster.c.chat) & (members.c.account == roster.c.account))
    .where(roster.c.chat == bindparam("chat"))
    .order_by(roster.c.account)
)
_IS_MEMBER = (members.c.chat == roster.c.chat) & (members.c.account == roster.c.account)
_LISTED = (
    select(roster)
    .outerjoin(members, _IS_MEMBER)
    .where(
        roster.c.chat == bindparam("chat"),
        roster.c.account > bindparam("after"),
        or_(roster.c.state == INVITED, (roster.c.state == MEMBER) & members.c.account.is_not(None)),
    )
    .order_by(roster.c.account)
    .limit(bindparam("limit"))
)
_READERS = (
    select(roster)
    .join(members, _IS_MEMBER)
    .where(
        roster.c.chat == bindparam("chat"),
        roster.c.account > bindparam("after"),
        members.c.read >= bindparam("position"),
        members.c.visible < bindparam("position"),
    )
    .order_by(roster.c.account)
    .limit(bindparam("limit"))
)
_OWN = select(roster).where(roster.c.account == bindparam("account"))
_OWN_SINCE = (
    _OWN.where(roster.c.position > bindparam("position"), roster.c.state <= MEMBER)
    .order_by(roster.c.position)
    .limit(bindparam("limit"))
)
_INVITED_ANEW = (
    select(chats.c.changed, roster)
    .join(chats, chats.c.chat == roster.c.chat)
    .where(
        roster.c.account == bindparam("account"),
        roster.c.state == INVITED,
        roster.c.position <= bindparam("position"),
        chats.c.changed > bindparam("position"),
    )
    .order_by(chats.c.changed)
    .limit(bindparam("limit"))
)
_mine = members.alias("mine")
_OTHERS_SINCE = (
    select(roster)
    .join(_mine, _mine.c.chat == roster.c.chat)
    .where(
        _mine.c.account == bindparam("account"),
        roster.c.account != bindparam("account"),
        roster.c.position > bindparam("position"),
    )
    .order_by(roster.c.position)
    .limit(bindparam("limit"))
)
_INVITATIONS = (
    _OWN.where(roster.c.state == INVITED).order_by(roster.c.position.desc()).limit(bindparam("limit"))
)
_INVITED = select(roster).where(roster.c.chat == bindparam("chat"), roster.c.state == INVITED)
_COUNT_OWN = select(func.count()).where(
    roster.c.account == bindparam("account"), roster.c.state == bindparam("state")
)
_COUNT_INVITED = select(func.count()).where(roster.c.chat == bindparam("chat"), roster.c.state == INVITED)
_LEFT = (roster.c.chat == bindparam("chat")) & (roster.c.state == LEFT)
_FORGET_LEFT = all_but_newest(roster, _LEFT)
_OF_CLOSED = (
    select(roster)
    .join(erasing, erasing.c.owner == roster.c.account)
    .where(roster.c.state <= MEMBER)
    .order_by(roster.c.account, roster.c.chat)
    .limit(1)
)
_REMOVED = (roster.c.chat == bindparam("chat")) & (roster.c.state == REMOVED)
_FORGET_REMOVED = all_but_newest(roster, _REMOVED)
_OWN_MEMBERS = (
    select(roster)
    .join(members, _IS_MEMBER)
    .join(accounts, accounts.c.account == roster.c.account)
    .where(roster.c.chat == bindparam("chat"), roster.c.state == MEMBER)
)
_OWN_INVITED = (
    select(roster)
    .join(accounts, accounts.c.account == roster.c.account)
    .where(roster.c.chat == bindparam("chat"), roster.c.state == INVITED)
)
_DELETE = delete(roster).where(
    roster.c.chat == bindparam("of_chat"), roster.c.account == bindparam("of_account")
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


def some_member_entries(c: Connection, chat: bytes, limit: int) -> list[RosterRow]:
    """The same, of `limit` members at the most."""
    return [RosterRow(*row) for row in c.execute(_MEMBERS.limit(limit), {"chat": chat})]


def listed(c: Connection, chat: bytes, after: bytes | None, limit: int) -> list[RosterRow]:
    """The entries of members and of those who are invited, behind `after`, in the order of their rows."""
    rows = c.execute(_LISTED, {"chat": chat, "after": after or b"", "limit": limit})
    return [RosterRow(*row) for row in rows]


def readers(c: Connection, chat: bytes, position: int, after: bytes | None, limit: int) -> list[RosterRow]:
    """The entries of members who have read up to a position, and see what is there, as `listed`."""
    asked = {"chat": chat, "position": position, "after": after or b"", "limit": limit}
    return [RosterRow(*row) for row in c.execute(_READERS, asked)]


def own_since(c: Connection, account: bytes, position: int, limit: int) -> list[RosterRow]:
    """An account's own entries, as a member or invited, that changed after `position`, in that order.

    What is over for it is among `group_endings`, also where it has come back.
    """
    rows = c.execute(_OWN_SINCE, {"account": account, "position": position, "limit": limit})
    return [RosterRow(*row) for row in rows]


def invited_before(c: Connection, account: bytes, position: int, limit: int) -> list[tuple[int, RosterRow]]:
    """Invitations of up to `position` into groups that changed after it: where that was, in that order."""
    rows = c.execute(_INVITED_ANEW, {"account": account, "position": position, "limit": limit})
    return [(changed, RosterRow(*row)) for changed, *row in rows]


def others_since(c: Connection, account: bytes, position: int, limit: int) -> list[RosterRow]:
    """The same of others, in the groups that the account is in."""
    rows = c.execute(_OTHERS_SINCE, {"account": account, "position": position, "limit": limit})
    return [RosterRow(*row) for row in rows]


def invitations(c: Connection, account: bytes, limit: int) -> list[RosterRow]:
    """The newest invitations of an account that wait for its answer."""
    rows = c.execute(_INVITATIONS, {"account": account, "limit": limit})
    return [RosterRow(*row) for row in rows]


def invited(c: Connection, chat: bytes) -> list[RosterRow]:
    """The entries of those who are invited into a group."""
    return [RosterRow(*row) for row in c.execute(_INVITED, {"chat": chat})]


def count_own(c: Connection, account: bytes, state: int) -> int:
    """How many groups an account is in, or is invited into."""
    return int(c.execute(_COUNT_OWN, {"account": account, "state": state}).scalar_one())


def count_invited(c: Connection, chat: bytes) -> int:
    """How many invitations into a group wait for an answer."""
    return int(c.execute(_COUNT_INVITED, {"chat": chat}).scalar_one())


def forget_left(c: Connection, chat: bytes, keep: int) -> None:
    """Delete entries of those who are gone, all but the last `keep` of them."""
    c.execute(_FORGET_LEFT, {"chat": chat, "keep": keep})


def forget_removed(c: Connection, chat: bytes, keep: int) -> None:
    """The same of those who were removed."""
    c.execute(_FORGET_REMOVED, {"chat": chat, "keep": keep})


def of_this_node(c: Connection, chat: bytes, invited: bool = False) -> list[RosterRow]:
    """The entries of members that have their account here; of those who are `invited` instead."""
    return [RosterRow(*row) for row in c.execute(_OWN_INVITED if invited else _OWN_MEMBERS, {"chat": chat})]


def delete_entry(c: Connection, chat: bytes, account: bytes) -> None:
    c.execute(_DELETE, {"of_chat": chat, "of_account": account})


def of_closed(c: Connection) -> RosterRow | None:
    """An entry, as a member or invited, of an account that was closed; None where there is none left."""
    row = c.execute(_OF_CLOSED).first()
    return RosterRow(*row) if row else None
