"""Pictures of accounts: one for each at the most."""

from sqlalchemy import Connection, bindparam, delete, select

from safeum_home.storage.many import Many
from safeum_home.storage.schema import avatars

_AVATAR = select(avatars.c.sealed).where(avatars.c.account == bindparam("account"))
_DELETE = delete(avatars).where(avatars.c.account == bindparam("account"))
_PUT = Many(
    "INSERT INTO avatars (account, sealed) {rows}"
    " ON CONFLICT (account) DO UPDATE SET sealed = excluded.sealed",
    ("bytea", "bytea"),
)


def put_avatar(c: Connection, account: bytes, sealed: bytes) -> None:
    """Store a picture, in place of the one there was."""
    _PUT.change(c, [(account, sealed)])


def avatar(c: Connection, account: bytes) -> bytes | None:
    """The picture of an account, sealed."""
    return c.execute(_AVATAR, {"account": account}).scalar_one_or_none()


def delete_avatar(c: Connection, account: bytes) -> None:
    """Delete the picture of an account; where there is none nothing happens."""
    c.execute(_DELETE, {"account": account})
