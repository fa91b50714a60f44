"""What messages without history are called at the node that they came from, also when they are gone.

Receipts are told by that, and may have to wait until that node is there again.
"""

from sqlalchemy import Connection, bindparam, delete, select

from safeum_home.storage.many import Many
from safeum_home.storage.schema import dedupe, passed

KEPT = 32
"""Of each chat the newest ones; only the last few can be named by a receipt that is still to be told."""

_PUT = Many("INSERT INTO passed (chat, position, sealed) {rows}", ("bytea", "bigint", "bytea"))
_OF_CHAT = passed.c.chat == bindparam("of_chat")
_NEWEST = select(passed.c.position).where(_OF_CHAT).order_by(passed.c.position.desc())
_OLDER = delete(passed).where(_OF_CHAT, passed.c.position < bindparam("least"))
_UPTO = (
    select(passed.c.position, passed.c.sealed)
    .where(_OF_CHAT, passed.c.position <= bindparam("upto"), passed.c.position > bindparam("erased"))
    .order_by(passed.c.position.desc())
    .limit(1)
)
_FORGOTTEN = delete(passed).where(
    ~select(dedupe.c.position).where(dedupe.c.position == passed.c.position).exists()
)


def put(c: Connection, chat: bytes, position: int, sealed: bytes) -> None:
    """A message has come."""
    _PUT.change(c, [(chat, position, sealed)])
    newest = c.execute(_NEWEST.offset(KEPT - 1).limit(1), {"of_chat": chat}).scalar_one_or_none()
    if newest is not None:
        c.execute(_OLDER, {"of_chat": chat, "least": newest})


def last(c: Connection, chat: bytes, upto: int, erased: int) -> tuple[int, bytes] | None:
    """The newest one up to a position, and behind what was erased: where it is, and what it is called."""
    row = c.execute(_UPTO, {"of_chat": chat, "upto": upto, "erased": erased}).first()
    return None if row is None else (row.position, row.sealed)


def forget(c: Connection) -> None:
    """Of what is not recognised any more nothing is known."""
    c.execute(_FORGOTTEN)
