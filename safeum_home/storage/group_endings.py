"""Groups that were erased with their last member: kept for who was in them or invited, so that devices which
were away learn of it.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, select

from safeum_home.storage.many import Many
from safeum_home.storage.rows import EndingRow
from safeum_home.storage.schema import endings

KEPT = 100
"""For one account."""

_SINCE = (
    select(endings)
    .where(endings.c.account == bindparam("account"), endings.c.position > bindparam("position"))
    .order_by(endings.c.position)
    .limit(bindparam("limit"))
)
_OF = endings.c.account == bindparam("of_account")
_OLDEST_KEPT = (
    select(endings.c.position).where(_OF).order_by(endings.c.position.desc()).limit(1).offset(KEPT)
).scalar_subquery()
_FORGET = delete(endings).where(_OF, endings.c.position <= _OLDEST_KEPT)
_PUT = Many(
    "INSERT INTO endings (account, position, sealed) {rows}",
    ("bytea", "bigint", "bytea"),
)


def put_endings(c: Connection, rows: Sequence[EndingRow]) -> None:
    """Store endings; of each account the last are kept."""
    _PUT.change(c, rows)
    for row in rows:
        c.execute(_FORGET, {"of_account": row.account})


def endings_since(c: Connection, account: bytes, position: int, limit: int) -> list[EndingRow]:
    """What has ended for an account behind `position`, in that order."""
    rows = c.execute(_SINCE, {"account": account, "position": position, "limit": limit})
    return [EndingRow(*row) for row in rows]
