"""Events of other nodes that a group's own node passes on as they are, beside what they have made here."""

from sqlalchemy import Connection, bindparam, delete, select

from safeum_home.storage.many import Many
from safeum_home.storage.schema import passed_on

ITSELF = bytes(16)
"""In place of an account: what the message itself is."""
_OF = (passed_on.c.chat == bindparam("of_chat")) & (passed_on.c.position == bindparam("at"))
_FIND = select(passed_on.c.sealed).where(_OF, passed_on.c.account == bindparam("of_account"))

_DROP = delete(passed_on).where(_OF)
_DROP_ONE = _DROP.where(passed_on.c.account == bindparam("of_account"))
_PUT = Many(
    "INSERT INTO passed_on (chat, position, account, sealed) {rows}"
    " ON CONFLICT (chat, position, account) DO UPDATE SET sealed = excluded.sealed",
    ("bytea", "bigint", "bytea", "bytea"),
)


def put_event(c: Connection, chat: bytes, position: int, account: bytes, sealed: bytes) -> None:
    """Keep an event of a message, or of the reaction of `account` to it, in place of an earlier one."""
    _PUT.change(c, [(chat, position, account, sealed)])


def event_of(c: Connection, chat: bytes, position: int, account: bytes = ITSELF) -> bytes | None:
    """The event, sealed; None where that is of this node."""
    sealed: bytes | None = c.execute(
        _FIND, {"of_chat": chat, "at": position, "of_account": account}
    ).scalar_one_or_none()
    return sealed


def drop_event(c: Connection, chat: bytes, position: int, account: bytes = ITSELF) -> None:
    """What there is now was made at this node."""
    c.execute(_DROP_ONE, {"of_chat": chat, "at": position, "of_account": account})


def drop_events(c: Connection, chat: bytes, position: int) -> None:
    """Nothing of it is left: neither of the message nor of reactions."""
    c.execute(_DROP, {"of_chat": chat, "at": position})
