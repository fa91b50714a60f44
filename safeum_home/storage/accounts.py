"""Accounts and the aliases they are found by."""

from sqlalchemy import BindParameter, Connection, LargeBinary, bindparam, delete, func, select, update

from safeum_home.ports import WrappedKey
from safeum_home.storage import keys
from safeum_home.storage.many import Many
from safeum_home.storage.rows import AccountRow
from safeum_home.storage.schema import accounts, aliases
from safeum_home.storage.schema import keys as key_table

ACCOUNT_COLUMNS = (accounts.c.account, accounts.c.sealed, key_table.c.epoch, key_table.c.wrapped)

_ACCOUNT = (
    select(*ACCOUNT_COLUMNS)
    .join(key_table, key_table.c.owner == accounts.c.account)
    .where(accounts.c.account == bindparam("account"))
)
_BY_ALIAS = (
    select(*ACCOUNT_COLUMNS)
    .join(key_table, key_table.c.owner == accounts.c.account)
    .join(aliases, aliases.c.account == accounts.c.account)
    .where(aliases.c.alias == bindparam("alias"))
)
_FIRST = select(accounts.c.account).order_by(accounts.c.account).limit(1)
_ALIAS: BindParameter[bytes] = bindparam("alias", type_=LargeBinary)
# The row that is found is that of the alias's account or, where nobody has the alias, anybody's: so that both
# cases are one statement with one row, and nothing that follows tells them apart in time.
_NEAREST = (
    select(*ACCOUNT_COLUMNS)
    .join(key_table, key_table.c.owner == accounts.c.account)
    .where(
        accounts.c.account
        == func.coalesce(
            select(aliases.c.account).where(aliases.c.alias == _ALIAS).scalar_subquery(),
            _FIRST.where(accounts.c.account >= _ALIAS).correlate(None).scalar_subquery(),
            _FIRST.correlate(None).scalar_subquery(),
        )
    )
)
_TAKE = Many("INSERT INTO aliases (alias, account) {rows} ON CONFLICT DO NOTHING", ("bytea", "bytea"))


class AliasTaken(Exception):
    """The alias belongs to an account already."""


def account_row(account: bytes, sealed: bytes, epoch: int, wrapped: bytes) -> AccountRow:
    return AccountRow(account, sealed, WrappedKey(epoch, wrapped))


def insert_account(c: Connection, row: AccountRow, alias: bytes) -> None:
    """Store a new account, its key and its alias; raises `AliasTaken`."""
    if not _TAKE.change(c, [(alias, row.account)]):
        raise AliasTaken
    keys.put_key(c, row.account, row.key)
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


def update_account(c: Connection, account: bytes, sealed: bytes) -> None:
    c.execute(update(accounts).where(accounts.c.account == account).values(sealed=sealed))


def count(c: Connection) -> int:
    """How many accounts there are: it reads the whole of the smaller table of the two."""
    return int(c.execute(select(func.count()).select_from(aliases)).scalar_one())
