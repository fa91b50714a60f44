"""Claims: numbers that somebody else has proved to hold than the account that has them."""

from sqlalchemy import Connection, bindparam, delete, select

from safeum_home.storage.many import Many
from safeum_home.storage.rows import ClaimRow
from safeum_home.storage.schema import claims

_CLAIM = select(claims).where(claims.c.alias == bindparam("alias"))
_PUT = Many(
    "INSERT INTO claims (alias, account, sealed) {rows}"
    " ON CONFLICT (alias) DO UPDATE SET account = excluded.account, sealed = excluded.sealed",
    ("bytea", "bytea", "bytea"),
)


def claim(c: Connection, alias: bytes) -> ClaimRow | None:
    row = c.execute(_CLAIM, {"alias": alias}).first()
    return ClaimRow(*row) if row else None


def put_claim(c: Connection, row: ClaimRow) -> None:
    """Store a claim, in place of the one there was on this number."""
    _PUT.change(c, [row])


def delete_claim(c: Connection, alias: bytes) -> None:
    c.execute(delete(claims).where(claims.c.alias == alias))
