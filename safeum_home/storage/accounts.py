"""Accounts and the aliases they are found by."""

from collections.abc import Sequence

from sqlalchemy import (
    BindParameter,
    Connection,
    LargeBinary,
    Select,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    union_all,
    update,
)

from safeum_home.ports import WrappedKey
from safeum_home.storage import keys
from safeum_home.storage.many import Many
from safeum_home.storage.rows import AccountRow
from safeum_home.storage.schema import accounts, aliases, tombstones
from safeum_home.storage.schema import keys as key_table

ACCOUNT_COLUMNS = (accounts.c.account, accounts.c.sealed, key_table.c.epoch, key_table.c.wrapped)

_ACCOUNT = (
    select(*ACCOUNT_COLUMNS)
    .join(key_table, key_table.c.owner == accounts.c.account)
    .where(accounts.c.account == bindparam("account"))
)
_AFTER = (
    select(*ACCOUNT_COLUMNS)
    .join(key_table, key_table.c.owner == accounts.c.account)
    .where(accounts.c.account > bindparam("after"))
    .order_by(accounts.c.account)
    .limit(bindparam("limit"))
)
_BY_ALIAS = (
    select(*ACCOUNT_COLUMNS)
    .join(key_table, key_table.c.owner == accounts.c.account)
    .join(aliases, aliases.c.account == accounts.c.account)
    .where(aliases.c.alias == bindparam("alias"))
)
_EXISTS = select(accounts.c.account).where(accounts.c.account == bindparam("account"))
_TAKEN = (
    select(aliases.c.alias)
    .where(aliases.c.alias == bindparam("alias"))
    .union_all(select(tombstones.c.alias).where(tombstones.c.alias == bindparam("alias")))
)
_CLOSED = select(tombstones.c.alias).where(tombstones.c.alias == bindparam("alias"))
_ALIAS: BindParameter[bytes] = bindparam("alias", type_=LargeBinary)


def _ranked(found: Select[tuple[bytes]], rank: int) -> Select[tuple[bytes, int]]:
    inner = found.correlate(None).subquery()
    return select(inner.c.account, literal_column(str(rank)).label("rank"))


_ANY = select(accounts.c.account).order_by(accounts.c.account).limit(1)
# The alias's account or, where nobody has the alias, anybody's. Both are looked for in both cases (COALESCE
# would stop at the first): one statement with one row, and nothing that follows tells them apart in time.
_CHOICE = union_all(
    _ranked(select(aliases.c.account).where(aliases.c.alias == _ALIAS), 0),
    _ranked(_ANY.where(accounts.c.account >= _ALIAS), 1),
    _ranked(_ANY, 2),
).subquery()
_NEAREST = (
    select(*ACCOUNT_COLUMNS)
    .join(key_table, key_table.c.owner == accounts.c.account)
    .where(
        accounts.c.account
        == select(_CHOICE.c.account).order_by(_CHOICE.c.rank).limit(1).correlate(None).scalar_subquery()
    )
)
_TAKE = Many("INSERT INTO aliases (alias, account) {rows} ON CONFLICT DO NOTHING", ("bytea", "bytea"))
_AMONG = Many(
    "SELECT account, sealed, epoch, wrapped FROM accounts JOIN keys ON keys.owner = accounts.account"
    " WHERE (account) IN ({rows})",
    ("bytea",),
)


class AliasTaken(Exception):
    """The alias belongs to an account, or belonged to one that was closed."""


def account_row(account: bytes, sealed: bytes, epoch: int, wrapped: bytes) -> AccountRow:
    return AccountRow(account, sealed, WrappedKey(epoch, wrapped))


def insert_account(c: Connection, row: AccountRow, alias: bytes) -> None:
    """Store a new account, its key and its alias; raises `AliasTaken`."""
    if c.execute(_CLOSED, {"alias": alias}).first() or not _TAKE.change(c, [(alias, row.account)]):
        raise AliasTaken
    keys.LASTING.put_key(c, row.account, row.key)
    c.execute(accounts.insert().values(account=row.account, sealed=row.sealed))


def account_by_alias(c: Connection, alias: bytes) -> AccountRow | None:
    row = c.execute(_BY_ALIAS, {"alias": alias}).first()
    return account_row(*row) if row else None


def nearest_account(c: Connection, alias: bytes) -> AccountRow | None:
    """The account with an alias; where nobody has it, one of the others."""
    row = c.execute(_NEAREST, {"alias": alias}).first()
    return account_row(*row) if row else None


def change_alias(c: Connection, account: bytes, old: bytes, new: bytes) -> None:
    """Give an account another alias; raises `AliasTaken`."""
    c.execute(delete(aliases).where(aliases.c.alias == old, aliases.c.account == account))
    if not _TAKE.change(c, [(new, account)]):
        raise AliasTaken


def account(c: Connection, account: bytes) -> AccountRow | None:
    row = c.execute(_ACCOUNT, {"account": account}).first()
    return account_row(*row) if row else None


def accounts_among(c: Connection, among: Sequence[bytes]) -> list[AccountRow]:
    """Those of some accounts that are there."""
    return [account_row(*row) for row in _AMONG.fetch(c, [(account,) for account in among])]


def exists(c: Connection, account: bytes) -> bool:
    """Whether the account is still there: whatever writes rows for it asks, in the same transaction."""
    return c.execute(_EXISTS, {"account": account}).first() is not None


def is_taken(c: Connection, alias: bytes) -> bool:
    """Whether an alias can be had no more: an account has it, or had it when it was closed."""
    return c.execute(_TAKEN, {"alias": alias}).first() is not None


def accounts_after(c: Connection, after: bytes, limit: int) -> list[AccountRow]:
    """The accounts behind the blind index `after`, in the order of these: to go through all of them."""
    return [account_row(*row) for row in c.execute(_AFTER, {"after": after, "limit": limit})]


def update_account(c: Connection, account: bytes, sealed: bytes) -> None:
    c.execute(update(accounts).where(accounts.c.account == account).values(sealed=sealed))


def count(c: Connection) -> int:
    """How many accounts there are: it reads the whole of the smaller table of the two."""
    return int(c.execute(select(func.count()).select_from(aliases)).scalar_one())


def count_closed(c: Connection) -> int:
    """How many logins of accounts that were closed are kept from being used again."""
    return int(c.execute(select(func.count()).select_from(tombstones)).scalar_one())
