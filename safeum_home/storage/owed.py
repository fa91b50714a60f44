"""Chats of which other nodes are owed a receipt: their past was erased, and the keyring not turned since."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, select

from safeum_home.storage.many import Many
from safeum_home.storage.schema import owed

_OWE = Many("INSERT INTO owed (chat) {rows} ON CONFLICT DO NOTHING", ("bytea",))
_SOME = (
    select(owed.c.chat)
    .where(owed.c.chat > bindparam("after"))
    .order_by(owed.c.chat)
    .limit(bindparam("limit"))
)
_IS_OWED = select(owed.c.chat).where(owed.c.chat == bindparam("of"))
_GIVEN = delete(owed).where(owed.c.chat == bindparam("given"))


def owe(c: Connection, chat: bytes) -> None:
    """A receipt is owed."""
    _OWE.change(c, [(chat,)])


def some(c: Connection, after: bytes, limit: int) -> Sequence[bytes]:
    """Chats behind `after` of which one is owed, in their order."""
    return list(c.execute(_SOME, {"after": after, "limit": limit}).scalars())


def is_owed(c: Connection, chat: bytes) -> bool:
    """Whether one is owed."""
    return c.execute(_IS_OWED, {"of": chat}).first() is not None


def given(c: Connection, chat: bytes) -> None:
    """It is owed no more."""
    c.execute(_GIVEN, {"given": chat})
