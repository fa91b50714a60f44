"""Profiles: what an account shows to its contacts."""

from collections.abc import Sequence

from sqlalchemy import BindParameter, Connection, LargeBinary, bindparam, delete, select, union_all

from safeum_home.ports import WrappedKey
from safeum_home.storage.contacts import ACCEPTED
from safeum_home.storage.many import Many
from safeum_home.storage.rows import ProfileRow
from safeum_home.storage.schema import contacts, profiles

_OWNER: BindParameter[bytes] = bindparam("owner", type_=LargeBinary)
_VISIBLE = union_all(
    select(_OWNER), select(contacts.c.peer).where(contacts.c.owner == _OWNER, contacts.c.state == ACCEPTED)
)
_PROFILE = select(profiles).where(profiles.c.account == bindparam("account"))
_DELETE = delete(profiles).where(profiles.c.account == bindparam("of_account"))
_SINCE = (
    select(profiles)
    .where(profiles.c.account.in_(_VISIBLE), profiles.c.position > bindparam("position"))
    .order_by(profiles.c.position)
    .limit(bindparam("limit"))
)
_AMONG = Many(
    "SELECT account, position, sealed, epoch, wrapped FROM profiles"
    " JOIN keys ON keys.owner = profiles.account WHERE (account) IN ({rows})",
    ("bytea",),
)
_PUT = Many(
    "INSERT INTO profiles (account, position, sealed) {rows}"
    " ON CONFLICT (account) DO UPDATE SET position = excluded.position, sealed = excluded.sealed",
    ("bytea", "bigint", "bytea"),
)


def put_profile(c: Connection, row: ProfileRow) -> None:
    """Store a profile, in place of the one there was."""
    _PUT.change(c, [row])


def profile(c: Connection, account: bytes) -> ProfileRow | None:
    row = c.execute(_PROFILE, {"account": account}).first()
    return ProfileRow(*row) if row else None


def delete_profile(c: Connection, account: bytes) -> None:
    """Delete a profile; where there is none nothing happens."""
    c.execute(_DELETE, {"of_account": account})


def profiles_among(c: Connection, among: Sequence[bytes]) -> list[tuple[ProfileRow, WrappedKey]]:
    """The profiles of some accounts, each with its account's key."""
    rows = _AMONG.fetch(c, [(account,) for account in among])
    return [(ProfileRow(*row[:3]), WrappedKey(*row[3:])) for row in rows]


def profiles_since(c: Connection, owner: bytes, position: int, limit: int) -> list[ProfileRow]:
    """Profiles of `owner` and of its accepted contacts that changed after `position`, in that order."""
    rows = c.execute(_SINCE, {"owner": owner, "position": position, "limit": limit})
    return [ProfileRow(*row) for row in rows]
