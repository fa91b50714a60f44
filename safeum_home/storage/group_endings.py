"""Groups and invitations that are over for an account: kept, so that its devices which were away learn of it,
though the account has come back since then, or the group is gone.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, Delete, bindparam, delete, select

from safeum_home.storage.many import Many
from safeum_home.storage.rows import EndingRow
from safeum_home.storage.schema import endings

KEPT = 1_000
"""For one account. Of each group the last time is kept, so that nobody drives out the others by it."""

_SINCE = (
    select(endings)
    .where(endings.c.account == bindparam("account"), endings.c.position > bindparam("position"))
    .order_by(endings.c.position)
    .limit(bindparam("limit"))
)
_OF = endings.c.account == bindparam("of_account")


def forget(kept: int) -> Delete:
    """What deletes all endings of `of_account` but the last `kept`."""
    last = select(endings.c.position).where(_OF).order_by(endings.c.position.desc())
    oldest = last.limit(1).offset(kept).scalar_subquery()
    return delete(endings).where(_OF, endings.c.position <= oldest)


_FORGET = forget(KEPT)
_PUT = Many(
    "INSERT INTO endings (account, ending, position, sealed) {rows} ON CONFLICT (account, ending) DO"
    " UPDATE SET position = excluded.position, sealed = excluded.sealed",
    ("bytea", "bytea", "bigint", "bytea"),
)


def put_endings(c: Connection, rows: Sequence[EndingRow]) -> None:
    """Store endings, in place of earlier ones of the same groups; of each account the last are kept."""
    _PUT.change(c, rows)
    for row in rows:
        c.execute(_FORGET, {"of_account": row.account})


def endings_since(c: Connection, account: bytes, position: int, limit: int) -> list[EndingRow]:
    """What has ended for an account behind `position`, in that order."""
    rows = c.execute(_SINCE, {"account": account, "position": position, "limit": limit})
    return [EndingRow(*row) for row in rows]
