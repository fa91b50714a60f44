"""Vaults: one of each account, in parts of one version."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, select

from safeum_home.storage.many import Many
from safeum_home.storage.rows import VaultRow
from safeum_home.storage.schema import vaults

_OF_ACCOUNT = vaults.c.account == bindparam("owner")
_VERSION = select(vaults.c.version, vaults.c.parts).where(_OF_ACCOUNT).limit(1)
_PART = select(vaults).where(_OF_ACCOUNT, vaults.c.part == bindparam("number"))
_ALL = select(vaults).where(_OF_ACCOUNT).order_by(vaults.c.part)
_DELETE = delete(vaults).where(_OF_ACCOUNT)
_PUT = Many(
    "INSERT INTO vaults (account, part, version, parts, sealed) {rows}",
    ("bytea", "bigint", "bigint", "bigint", "bytea"),
)


def version(c: Connection, account: bytes) -> tuple[int, int]:
    """Which version an account's vault has, and in how many parts; zeros where there is none."""
    row = c.execute(_VERSION, {"owner": account}).first()
    return (0, 0) if row is None else (row.version, row.parts)


def part(c: Connection, account: bytes, number: int) -> VaultRow | None:
    row = c.execute(_PART, {"owner": account, "number": number}).first()
    return None if row is None else VaultRow(*row)


def parts(c: Connection, account: bytes) -> list[VaultRow]:
    """All of it, in order."""
    return [VaultRow(*row) for row in c.execute(_ALL, {"owner": account})]


def put(c: Connection, account: bytes, rows: Sequence[VaultRow]) -> None:
    """Let these be an account's vault, in place of the one that it has."""
    c.execute(_DELETE, {"owner": account})
    _PUT.change(c, rows)
