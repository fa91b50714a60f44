"""Hashes of accounts' public keys, one behind the other, and who is to be told of them."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, LargeBinary, Row, bindparam, delete, literal_column, select, update

from safeum_home.ports import WrappedKey
from safeum_home.storage.many import Many
from safeum_home.storage.schema import accounts, key_log, keys, members

OWED = -1
"""In place of where the newest entry was told: it is to be told again."""
WALKED = 1_000
"""So many changes of anybody's keys are gone through for those that somebody is to hear of."""


class KeyLogRow(NamedTuple):
    """`number` counts the entries of an account from 0, `position` is where it was told, 0, or `OWED`."""

    account: bytes
    number: int
    position: int
    sealed: bytes


class FoundKeys(NamedTuple):
    """A row, and the account's own key where it is of this node."""

    row: KeyLogRow
    key: WrappedKey | None


_ROWS = (
    select(key_log, keys.c.epoch, keys.c.wrapped)
    .outerjoin(accounts, accounts.c.account == key_log.c.account)
    .outerjoin(keys, keys.c.owner == accounts.c.account)
)
_OF = key_log.c.account == bindparam("account")
_NEWEST = _ROWS.where(_OF).order_by(key_log.c.number.desc()).limit(1)
_ENTRY = _ROWS.where(_OF, key_log.c.number == bindparam("number"))
_PAGE = (
    _ROWS.where(_OF, key_log.c.number < bindparam("before"))
    .order_by(key_log.c.number.desc())
    .limit(bindparam("limit"))
)
_mine, _theirs = members.alias("mine"), members.alias("theirs")
_SHARED = _mine.join(_theirs, _theirs.c.chat == _mine.c.chat)
_SHARES = (
    select(_mine.c.chat)
    .select_from(_SHARED)
    .where(_mine.c.account == key_log.c.account, _theirs.c.account == bindparam("account"))
    .exists()
)
_SINCE = (
    _ROWS.where(
        key_log.c.position > bindparam("position"),
        (key_log.c.account == bindparam("account")) | _SHARES,
    )
    .order_by(key_log.c.position)
    .limit(bindparam("limit"))
)
_INTERLOCUTORS = (
    select(_theirs.c.account).select_from(_SHARED).where(_mine.c.account == bindparam("account")).distinct()
)
_IS_FAR = (
    select(key_log.c.position)
    .where(key_log.c.position > bindparam("position"))
    .order_by(key_log.c.position)
    .offset(WALKED - 1)
    .limit(1)
)
# Not the column itself: so no database goes through all that is behind the position for it.
_place = key_log.c.position + literal_column("0")
_SINCE_FAR = (
    _ROWS.where(
        _place > bindparam("position"),
        key_log.c.account.in_(_INTERLOCUTORS.union(select(bindparam("account", type_=LargeBinary)))),
    )
    .order_by(_place)
    .limit(bindparam("limit"))
)
_ANY_CHAT = select(members.c.chat).where(members.c.account == bindparam("account")).limit(1)
_FORGET = delete(key_log).where(
    key_log.c.account == bindparam("of_account"), key_log.c.number <= bindparam("upto")
)
_PUT = Many(
    "INSERT INTO key_log (account, number, position, sealed) {rows} ON CONFLICT (account, number)"
    " DO UPDATE SET position = excluded.position, sealed = excluded.sealed",
    ("bytea", "bigint", "bigint", "bytea"),
)
_OWE = Many(
    f"UPDATE key_log SET position = {OWED} WHERE position > 0 AND (account) IN ({{rows}}) AND number ="  # noqa: S608
    " (SELECT MAX(newer.number) FROM key_log AS newer WHERE newer.account = key_log.account)",
    ("bytea",),
)
_LET_BE = (
    update(key_log)
    .where(key_log.c.account == bindparam("of_account"), key_log.c.number == bindparam("of_number"))
    .values(position=0)
)
_OWED = _ROWS.where(key_log.c.position == OWED).limit(bindparam("limit"))
# One's own chats are gone through in any case: nothing tells in time whether there is the other account.
_WITH = Many(
    "WITH asked (mine, theirs) AS ({rows}) SELECT asked.theirs FROM asked WHERE EXISTS (SELECT 1 FROM"
    " members AS a CROSS JOIN members AS b WHERE a.account = asked.mine AND b.chat = a.chat"
    " AND b.account = asked.theirs)",
    ("bytea", "bytea"),
)


def put_keys(c: Connection, row: KeyLogRow) -> None:
    """Store an entry; where that was there already, it is told now."""
    _PUT.change(c, [row])


def owe(c: Connection, among: Sequence[bytes]) -> None:
    """Some accounts have come into a chat: what was told of their keys in force is to be told again."""
    _OWE.change(c, [(account,) for account in among])


def owed(c: Connection, limit: int) -> list[FoundKeys]:
    """Entries that are to be told again."""
    return _found(c.execute(_OWED, {"limit": limit}))


def let_be(c: Connection, account: bytes, number: int) -> None:
    """An entry is not to be told again after all."""
    c.execute(_LET_BE, {"of_account": account, "of_number": number})


def forget_keys(c: Connection, account: bytes, upto: int) -> None:
    """Delete the entries up to a number."""
    c.execute(_FORGET, {"of_account": account, "upto": upto})


def newest_keys(c: Connection, account: bytes) -> FoundKeys | None:
    """The entry in force; None where there is none."""
    return _first(c.execute(_NEWEST, {"account": account}).first())


def keys_entry(c: Connection, account: bytes, number: int) -> FoundKeys | None:
    return _first(c.execute(_ENTRY, {"account": account, "number": number}).first())


def keys_before(c: Connection, account: bytes, before: int, limit: int) -> list[FoundKeys]:
    """Entries with lower numbers, the newest first."""
    return _found(c.execute(_PAGE, {"account": account, "before": before, "limit": limit}))


def keys_since(c: Connection, account: bytes, position: int, limit: int) -> list[FoundKeys]:
    """Changes of an account's keys, and of those with whom it is in a chat, behind a position, in order.

    Where much has changed since, that takes as long as it has people in its chats, and no longer.
    """
    asked = {"account": account, "position": position, "limit": limit}
    is_far = c.execute(_IS_FAR, {"position": position}).first() is not None
    return _found(c.execute(_SINCE_FAR if is_far else _SINCE, asked))


def interlocutors(c: Connection, account: bytes) -> set[bytes]:
    """Who is in a chat with an account; itself too, where it is in any."""
    return set(c.execute(_INTERLOCUTORS, {"account": account}).scalars())


def in_chat_with(c: Connection, account: bytes, among: Sequence[bytes]) -> set[bytes]:
    """Those of some accounts who are in a chat with one."""
    return {theirs for (theirs,) in _WITH.fetch(c, [(account, other) for other in among])}


def is_in_any_chat(c: Connection, foreign: bytes) -> bool:
    """Whether anybody here is in a chat with an account of another node."""
    return c.execute(_ANY_CHAT, {"account": foreign}).first() is not None


def _found(rows: Iterable[Row[Any]]) -> list[FoundKeys]:
    return [
        FoundKeys(
            KeyLogRow(row.account, row.number, row.position, row.sealed),
            None if row.epoch is None else WrappedKey(row.epoch, row.wrapped),
        )
        for row in rows
    ]


def _first(row: Row[Any] | None) -> FoundKeys | None:
    return None if row is None else _found([row])[0]
