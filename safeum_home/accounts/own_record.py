"""An account's record, changed only while its password is the one that was proved."""

import msgspec
from sqlalchemy import Connection

from safeum_home.accounts.directory import OpenAccount
from safeum_home.accounts.records import AccountRecord, seal, unseal
from safeum_home.errors import Code, Problem
from safeum_home.storage import accounts


def check_hash(c: Connection, owner: OpenAccount, known: str) -> AccountRecord:
    """The account's record; raises `bad_credentials` where it is gone, or its password another one."""
    row = accounts.account(c, owner.blind)
    if row is None:
        raise Problem(Code.BAD_CREDENTIALS)
    record = unseal(owner.key, AccountRecord, row.sealed, owner.blind)
    if record.password_hash != known:
        raise Problem(Code.BAD_CREDENTIALS)
    return record


def replace_hash(c: Connection, owner: OpenAccount, known: str, hashed: str) -> None:
    """Put `hashed` in place of `known`; raises as `check_hash` does."""
    record = msgspec.structs.replace(check_hash(c, owner, known), password_hash=hashed)
    accounts.update_account(c, owner.blind, seal(owner.key, record, owner.blind))
