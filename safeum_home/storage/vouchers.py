"""Vouchers, by keyed hashes of their codes."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, func, select

from safeum_home.storage.many import Many
from safeum_home.storage.schema import vouchers

_VOUCHER = select(vouchers.c.sealed).where(vouchers.c.voucher == bindparam("voucher"))
_COUNT = select(func.count()).select_from(vouchers)
_PUT = Many(
    "INSERT INTO vouchers (voucher, sealed) {rows}"
    " ON CONFLICT (voucher) DO UPDATE SET sealed = excluded.sealed",
    ("bytea", "bytea"),
)


def put_vouchers(c: Connection, rows: Sequence[tuple[bytes, bytes]]) -> None:
    """Store some, each in place of what was there."""
    _PUT.change(c, rows)


def voucher(c: Connection, index: bytes) -> bytes | None:
    """What is sealed of one."""
    sealed: bytes | None = c.execute(_VOUCHER, {"voucher": index}).scalar_one_or_none()
    return sealed


def count(c: Connection) -> int:
    return int(c.execute(_COUNT).scalar_one())
