"""Contacts: each side of a relation has a row of its own.

So has the side of an account of another node, while it has asked or accepted as far as is known here: `owner`
is that account then, and nothing is sealed in it.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, func, select

from safeum_home.storage.many import Many
from safeum_home.storage.rows import ContactRow
from safeum_home.storage.schema import chats, contacts, members
from safeum_home.storage.tombstones import all_but_newest

# Places in `safeum_home.accounts.relation.STATES` that queries here depend on.
GONE = 0
ACCEPTED = 3
ELSEWHERE = b""
"""What is sealed in the row of a side that is not an account's of this node."""

_MINE = select(contacts).where(contacts.c.owner == bindparam("owner"))
_CONTACT = _MINE.where(contacts.c.peer == bindparam("peer"))
_OF_OWNER = (
    _MINE.where(contacts.c.peer > bindparam("after"), contacts.c.state != GONE)
    .order_by(contacts.c.peer)
    .limit(bindparam("limit"))
)
_SINCE = (
    _MINE.where(contacts.c.position > bindparam("position"))
    .order_by(contacts.c.position)
    .limit(bindparam("limit"))
)
_NEWEST = select(func.max(contacts.c.position)).where(contacts.c.owner == bindparam("owner"))
_COUNT = select(func.count()).where(contacts.c.owner == bindparam("owner"), contacts.c.state != GONE)
# Where there is a chat still, its end is to be told with the row.
_GONE = (
    (contacts.c.owner == bindparam("owner"))
    & (contacts.c.state == GONE)
    & ~select(chats.c.chat).where(chats.c.chat == contacts.c.chat).exists()
)
_FORGET_GONE = all_but_newest(contacts, _GONE)
_OF_CHAT = select(contacts).where(contacts.c.chat == bindparam("chat")).order_by(contacts.c.owner)
_FACING = select(contacts).where(
    contacts.c.chat.in_(
        select(contacts.c.chat)
        .where(contacts.c.owner == bindparam("account"))
        .union(select(members.c.chat).where(members.c.account == bindparam("account")))
    ),
    contacts.c.owner != bindparam("account"),
)
_ACCEPTING = Many(
    f"SELECT chat, owner FROM contacts WHERE state = {ACCEPTED} AND (chat) IN ({{rows}})",  # noqa: S608
    ("bytea",),
)
_AGREED = Many(
    "WITH asked (mine, theirs) AS ({rows}) SELECT asked.theirs FROM asked JOIN contacts AS own"  # noqa: S608
    " ON own.owner = asked.mine AND own.peer = asked.theirs JOIN contacts AS other"
    " ON other.owner = asked.theirs AND other.peer = asked.mine"
    f" WHERE own.state = {ACCEPTED} AND other.state = {ACCEPTED}",
    ("bytea", "bytea"),
)
_WITH_CHAT = Many("SELECT chat FROM chats WHERE (chat) IN ({rows})", ("bytea",))
_theirs = contacts.alias()
_MUTUAL = (
    select(contacts.c.peer)
    .join(_theirs, (_theirs.c.owner == contacts.c.peer) & (_theirs.c.peer == contacts.c.owner))
    .where(
        contacts.c.owner == bindparam("owner"),
        contacts.c.state == ACCEPTED,
        _theirs.c.state == ACCEPTED,
        _theirs.c.sealed != bindparam("elsewhere"),
    )
)
_MUTUAL_ELSEWHERE = (
    select(contacts)
    .join(_theirs, (_theirs.c.owner == contacts.c.peer) & (_theirs.c.peer == contacts.c.owner))
    .where(
        contacts.c.owner == bindparam("owner"),
        contacts.c.state == ACCEPTED,
        _theirs.c.state == ACCEPTED,
        _theirs.c.sealed == bindparam("elsewhere"),
    )
)
_DELETE = delete(contacts).where(
    contacts.c.owner == bindparam("of_owner"), contacts.c.peer == bindparam("of_peer")
)
_HERE = (
    select(_theirs.c.owner)
    .join(contacts, (contacts.c.peer == _theirs.c.owner) & (contacts.c.owner == _theirs.c.peer))
    .where(
        contacts.c.owner == bindparam("account"),
        contacts.c.state == ACCEPTED,
        _theirs.c.state == ACCEPTED,
    )
)
_PUT = Many(
    "INSERT INTO contacts (owner, peer, chat, state, position, sealed) {rows} ON CONFLICT (owner, peer) DO"
    " UPDATE SET chat = excluded.chat, state = excluded.state, position = excluded.position,"
    " sealed = excluded.sealed",
    ("bytea", "bytea", "bytea", "smallint", "bigint", "bytea"),
)


def contact(c: Connection, owner: bytes, peer: bytes) -> ContactRow | None:
    row = c.execute(_CONTACT, {"owner": owner, "peer": peer}).first()
    return ContactRow(*row) if row else None


def put_contact(c: Connection, row: ContactRow) -> None:
    """Store one side of a relation, in place of what it was."""
    _PUT.change(c, [row])


def put_contacts(c: Connection, rows: Sequence[ContactRow]) -> None:
    """The same for many, no two of them of the same side."""
    _PUT.change(c, rows)


def contacts_of(c: Connection, owner: bytes, after: bytes | None, limit: int) -> list[ContactRow]:
    """Contacts that are not gone, ordered by peer; `after` is the peer of the last row of the page before."""
    rows = c.execute(_OF_OWNER, {"owner": owner, "after": after or b"", "limit": limit})
    return [ContactRow(*row) for row in rows]


def contacts_since(c: Connection, owner: bytes, position: int, limit: int) -> list[ContactRow]:
    """Contacts that changed after `position`, in that order, those that are gone among them."""
    rows = c.execute(_SINCE, {"owner": owner, "position": position, "limit": limit})
    return [ContactRow(*row) for row in rows]


def contacts_of_chat(c: Connection, chat: bytes) -> list[ContactRow]:
    """The sides of the relation behind a direct chat."""
    return [ContactRow(*row) for row in c.execute(_OF_CHAT, {"chat": chat})]


def accepting(c: Connection, chats: Sequence[bytes]) -> set[tuple[bytes, bytes]]:
    """Of the relations behind some direct chats: the sides (chat, owner) that have accepted the other one."""
    return {(chat, owner) for chat, owner in _ACCEPTING.fetch(c, [(chat,) for chat in chats])}


def in_contact_with(c: Connection, account: bytes, among: Sequence[bytes]) -> set[bytes]:
    """Those of some accounts who have accepted one, and it them; of whichever node."""
    return {theirs for (theirs,) in _AGREED.fetch(c, [(account, other) for other in among])}


def with_chat(c: Connection, of: Sequence[bytes]) -> set[bytes]:
    """Of the direct chats of some relations: those that there are."""
    return {chat for (chat,) in _WITH_CHAT.fetch(c, [(chat,) for chat in of])}


def facing(c: Connection, account: bytes) -> list[ContactRow]:
    """The other sides of an account's relations, as far as it has a row or a chat of its own there."""
    return [ContactRow(*row) for row in c.execute(_FACING, {"account": account})]


def mutual(c: Connection, owner: bytes) -> bytes:
    """The accounts of this node that `owner` has accepted, and they it: one index behind the other."""
    return b"".join(c.execute(_MUTUAL, {"owner": owner, "elsewhere": ELSEWHERE}).scalars())


def mutual_elsewhere(c: Connection, owner: bytes) -> list[ContactRow]:
    """The sides of `owner` towards accounts of other nodes that it has accepted, and they it."""
    rows = c.execute(_MUTUAL_ELSEWHERE, {"owner": owner, "elsewhere": ELSEWHERE})
    return [ContactRow(*row) for row in rows]


def mutual_here(c: Connection, foreign: bytes) -> list[bytes]:
    """The accounts of this node that an account of another one has accepted, and that have accepted it."""
    return list(c.execute(_HERE, {"account": foreign}).scalars())


def newest(c: Connection, owner: bytes) -> int:
    """Where anything last changed in the list of an account; 0 where it is empty."""
    position: int | None = c.execute(_NEWEST, {"owner": owner}).scalar_one()
    return position or 0


def has_contacts(c: Connection, owner: bytes) -> bool:
    """Whether there is a row of this side in any relation."""
    return c.execute(_MINE.limit(1), {"owner": owner}).first() is not None


def delete_contact(c: Connection, owner: bytes, peer: bytes) -> None:
    """Delete one side of a relation."""
    c.execute(_DELETE, {"of_owner": owner, "of_peer": peer})


def count(c: Connection, owner: bytes) -> int:
    """How many contacts an account has that are not gone."""
    return int(c.execute(_COUNT, {"owner": owner}).scalar_one())


def forget_gone(c: Connection, owner: bytes, keep: int) -> None:
    """Delete contacts that are gone, with whom there is no chat, all but the last `keep` of them."""
    c.execute(_FORGET_GONE, {"owner": owner, "keep": keep})
