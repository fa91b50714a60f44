"""Devices of accounts, with the verifiers of their tokens."""

from sqlalchemy import Connection, bindparam, delete, func, select

from safeum_home.storage.accounts import ACCOUNT_COLUMNS, account_row
from safeum_home.storage.node import committed
from safeum_home.storage.rows import AccountRow, DeviceRow
from safeum_home.storage.schema import accounts, devices, keys, pushes

_COLUMNS = (devices.c.device, devices.c.account, devices.c.verifier, devices.c.sealed)
_DEVICE = (
    select(*_COLUMNS, *ACCOUNT_COLUMNS)
    .join(accounts, accounts.c.account == devices.c.account)
    .join(keys, keys.c.owner == devices.c.account)
    .where(devices.c.device == bindparam("device"))
)
_OF_ACCOUNT = select(*_COLUMNS).where(devices.c.account == bindparam("account")).order_by(devices.c.ordinal)
_IS_THERE = select(devices.c.device).where(
    devices.c.device == bindparam("device"), devices.c.account == bindparam("account")
)
_NEXT_ORDINAL = select(func.coalesce(func.max(devices.c.ordinal), 0) + 1).where(
    devices.c.account == bindparam("account")
)


def insert_device(c: Connection, row: DeviceRow) -> None:
    """Store a new device. It is not waited for with what was sent before, unless it is the only one."""
    ordinal = c.execute(_NEXT_ORDINAL, {"account": row.account}).scalar_one()
    held = committed(c) if ordinal > 1 else 0
    c.execute(devices.insert().values(row._asdict() | {"ordinal": ordinal, "held": held}))


def device(c: Connection, device: bytes) -> tuple[DeviceRow, AccountRow] | None:
    """A device and its account."""
    row = c.execute(_DEVICE, {"device": device}).first()
    return (DeviceRow(*row[:4]), account_row(*row[4:])) if row else None


def devices_of(c: Connection, account: bytes) -> list[DeviceRow]:
    """The account's devices, in the order in which they were added."""
    return [DeviceRow(*row) for row in c.execute(_OF_ACCOUNT, {"account": account})]


def delete_device(c: Connection, account: bytes, device: bytes) -> bool:
    """Delete a device of this account, and where it is woken; False where it has no such device."""
    c.execute(delete(pushes).where(pushes.c.device == device, pushes.c.account == account))
    mine = (devices.c.device == device) & (devices.c.account == account)
    return c.execute(delete(devices).where(mine)).rowcount > 0


def is_there(c: Connection, account: bytes, device: bytes) -> bool:
    """Whether the account has this device still: who writes rows for it asks, in the same transaction."""
    return c.execute(_IS_THERE, {"account": account, "device": device}).first() is not None
