"""Chats, their members, and how far each member got."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, bindparam, delete, func, select, update

from safeum_home.ports import WrappedKey
from safeum_home.storage import key_log
from safeum_home.storage.keys import LASTING
from safeum_home.storage.many import Many
from safeum_home.storage.rows import ChatRow, Marker, MemberRow
from safeum_home.storage.schema import chats, events, keys
from safeum_home.storage.schema import members as member_table

COLUMNS = (chats.c.chat, chats.c.kind, chats.c.sealed, keys.c.epoch, keys.c.wrapped, chats.c.changed)
_CHAT = select(*COLUMNS).join(keys, keys.c.owner == chats.c.chat).where(chats.c.chat == bindparam("chat"))
_MEMBER = select(member_table).where(
    member_table.c.chat == bindparam("chat"), member_table.c.account == bindparam("account")
)
_MEMBERS = (
    select(member_table).where(member_table.c.chat == bindparam("chat")).order_by(member_table.c.account)
)

_mine = member_table.alias("mine")
_moved = member_table.c.position > bindparam("position")
# In a group one's own marker alone is told: all of everybody's would drown it.
_MARKERS_SINCE = (
    select(member_table)
    .where(member_table.c.account == bindparam("account"), _moved)
    .union_all(
        select(member_table)
        .join(_mine, _mine.c.chat == member_table.c.chat)
        .join(chats, chats.c.chat == _mine.c.chat)
        .where(
            _mine.c.account == bindparam("account"),
            chats.c.kind != bindparam("group"),
            member_table.c.account != bindparam("account"),
            _moved,
        )
    )
    .order_by("position")
    .limit(bindparam("limit"))
)

_NEWEST_UPTO = (
    select(func.max(events.c.position))
    .where(
        events.c.chat == member_table.c.chat,
        events.c.position > member_table.c.visible,
        events.c.position <= bindparam("position"),
    )
    .scalar_subquery()
)
_UNDELIVERED = select(member_table.c.chat, _NEWEST_UPTO.label("newest")).where(
    member_table.c.account == bindparam("account"), member_table.c.delivered < _NEWEST_UPTO
)

_FIND_MEMBERS = Many(
    "SELECT chat, account, delivered, read, position, visible FROM members WHERE (chat, account) IN ({rows})",
    ("bytea", "bytea"),
)
_AMONG = Many(
    "SELECT chat, kind, sealed, epoch, wrapped, changed FROM chats JOIN keys ON keys.owner = chats.chat"
    " WHERE (chat) IN ({rows})",
    ("bytea",),
)
_COUNT_EACH = Many("SELECT chat, COUNT(*) FROM members WHERE (chat) IN ({rows}) GROUP BY chat", ("bytea",))
_MEMBERS_OF = Many(
    "SELECT chat, account, delivered, read, position, visible FROM members WHERE (chat) IN ({rows})",
    ("bytea",),
)
_PUT_MEMBERS = Many(
    "INSERT INTO members (chat, account, delivered, read, position, visible) {rows}"
    " ON CONFLICT (chat, account) DO UPDATE SET delivered = excluded.delivered, read = excluded.read,"
    " position = excluded.position",
    ("bytea", "bytea", "bigint", "bigint", "bigint", "bigint"),
)
_ADD_MEMBERS = Many(
    "INSERT INTO members (chat, account, delivered, read, position, visible) {rows} ON CONFLICT DO NOTHING",
    ("bytea", "bytea", "bigint", "bigint", "bigint", "bigint"),
)
_PUT_CHAT = Many(
    "INSERT INTO chats (chat, kind, sealed, changed) {rows} ON CONFLICT DO NOTHING",
    ("bytea", "smallint", "bytea", "bigint"),
)
_REMOVE_MEMBER = delete(member_table).where(
    member_table.c.chat == bindparam("of_chat"), member_table.c.account == bindparam("of_account")
)
_OF_MEMBER = (
    select(*COLUMNS)
    .join(keys, keys.c.owner == chats.c.chat)
    .join(member_table, member_table.c.chat == chats.c.chat)
    .where(member_table.c.account == bindparam("account"))
)
_COUNT_MEMBERS = select(func.count()).where(member_table.c.chat == bindparam("chat"))
_UPDATE_CHAT = update(chats).where(chats.c.chat == bindparam("owner"))
# What became of a chat is told where it changed last; that its past was erased, where that was.
_CHANGED_SINCE = (
    select(chats.c.changed.label("place"), *COLUMNS)
    .join(member_table, member_table.c.chat == chats.c.chat)
    .join(keys, keys.c.owner == chats.c.chat)
    .where(member_table.c.account == bindparam("account"), chats.c.changed > bindparam("position"))
    .union_all(
        select(member_table.c.visible.label("place"), *COLUMNS)
        .join(member_table, member_table.c.chat == chats.c.chat)
        .join(keys, keys.c.owner == chats.c.chat)
        .where(
            member_table.c.account == bindparam("account"),
            member_table.c.visible > bindparam("position"),
            member_table.c.visible != chats.c.changed,
        )
    )
    .order_by("place")
    .limit(bindparam("limit"))
)


def chat_row(chat: bytes, kind: int, sealed: bytes, epoch: int, wrapped: bytes, changed: int) -> ChatRow:
    return ChatRow(chat, kind, sealed, WrappedKey(epoch, wrapped), changed)


def insert_chat(c: Connection, row: ChatRow, members: Sequence[bytes]) -> bool:
    """Store a new chat with its key and members; False, and nothing is changed, where it exists."""
    if not _PUT_CHAT.change(c, [(row.chat, row.kind, row.sealed, row.changed)]):
        return False
    LASTING.put_key(c, row.chat, row.key)
    rows = [MemberRow(row.chat, member, 0, 0, 0) for member in members]
    if len(rows) > 1:
        add_members(c, rows)
    else:  # there is nobody who could have seen other keys of it
        _ADD_MEMBERS.change(c, rows)
    return True


def add_members(c: Connection, rows: Sequence[MemberRow]) -> None:
    """Let accounts be members. Who is one already stays as it is."""
    if _ADD_MEMBERS.change(c, rows):
        key_log.owe(c, [row.account for row in rows])


def update_chat(c: Connection, chat: bytes, sealed: bytes, changed: int) -> None:
    """Replace a chat's record; `changed` is the position at which its members are told."""
    c.execute(_UPDATE_CHAT.values(sealed=sealed, changed=changed), {"owner": chat})


def remove_member(c: Connection, chat: bytes, account: bytes) -> None:
    """Let an account be a member no more."""
    c.execute(_REMOVE_MEMBER, {"of_chat": chat, "of_account": account})


def count_members(c: Connection, chat: bytes) -> int:
    return int(c.execute(_COUNT_MEMBERS, {"chat": chat}).scalar_one())


def count_members_of(c: Connection, chats: Sequence[bytes]) -> dict[bytes, int]:
    """How many members each of some chats has."""
    return dict(_COUNT_EACH.fetch(c, [(chat,) for chat in chats]))


def chats_changed_since(
    c: Connection, account: bytes, position: int, limit: int
) -> list[tuple[int, ChatRow]]:
    """Chats of an account behind `position`, in the order of their places.

    Each is there where its record changed last, and where what the account sees of it begins.
    """
    rows = c.execute(_CHANGED_SINCE, {"account": account, "position": position, "limit": limit})
    return [(place, chat_row(*row)) for place, *row in rows]


def chat(c: Connection, chat: bytes) -> ChatRow | None:
    row = c.execute(_CHAT, {"chat": chat}).first()
    return chat_row(*row) if row else None


def chats_of_member(c: Connection, account: bytes) -> list[ChatRow]:
    """All chats that an account is in."""
    return [chat_row(*row) for row in c.execute(_OF_MEMBER, {"account": account})]


def chats_among(c: Connection, among: Collection[bytes]) -> list[ChatRow]:
    """Those of some chats that are there."""
    return [chat_row(*row) for row in _AMONG.fetch(c, [(chat,) for chat in among])]


def members(c: Connection, chat: bytes) -> list[MemberRow]:
    return [MemberRow(*row) for row in c.execute(_MEMBERS, {"chat": chat})]


def member(c: Connection, chat: bytes, account: bytes) -> MemberRow | None:
    row = c.execute(_MEMBER, {"chat": chat, "account": account}).first()
    return MemberRow(*row) if row else None


def members_among(c: Connection, among: Collection[tuple[bytes, bytes]]) -> list[MemberRow]:
    """Those that are members, of some chats and accounts."""
    return [MemberRow(*row) for row in _FIND_MEMBERS.fetch(c, list(among))]


def members_of(c: Connection, chats: Sequence[bytes]) -> list[MemberRow]:
    """The members of some chats."""
    return [MemberRow(*row) for row in _MEMBERS_OF.fetch(c, [(chat,) for chat in chats])]


def put_markers(c: Connection, rows: Sequence[Marker]) -> list[Marker | None]:
    """Move members on, never back. For each row the marker as it then stands, None where nothing moved.

    A row that moves nothing leaves the member's position as it was, and so does one of what the member does
    not see: it was erased meanwhile. Who is no member stays none: the chat
    may have been erased in this very group, before the rows got their turn. Suits `Database.append`.
    """
    known = {found[:2]: found for found in _FIND_MEMBERS.fetch(c, list({row[:2] for row in rows}))}
    changed: set[tuple[bytes, bytes]] = set()
    outcomes: list[Marker | None] = []
    for row in rows:
        member = row[:2]
        if member not in known:
            outcomes.append(None)
            continue
        _, _, delivered, read, _, visible = known[member]
        moved = row.delivered > max(delivered, visible) or row.read > max(read, visible)
        if moved:
            known[member] = (
                *member,
                max(row.delivered, delivered),
                max(row.read, read),
                row.position,
                visible,
            )
            changed.add(member)
        outcomes.append(Marker(*known[member][:5]) if moved else None)
    _PUT_MEMBERS.change(c, [known[member] for member in changed])
    return outcomes


def markers_since(c: Connection, account: bytes, position: int, limit: int, group: int) -> list[MemberRow]:
    """Members, of all chats the account is in, that moved after `position`, in that order.

    Of chats of the kind `group` only the account itself.
    """
    asked = {"account": account, "position": position, "limit": limit, "group": group}
    rows = c.execute(_MARKERS_SINCE, asked)
    return [MemberRow(*row) for row in rows]


def undelivered(c: Connection, account: bytes, position: int) -> list[tuple[bytes, int]]:
    """Chats in which an account's delivered marker is behind `position`, with their newest event up to it."""
    rows = c.execute(_UNDELIVERED, {"account": account, "position": position})
    return [(row.chat, row.newest) for row in rows]
