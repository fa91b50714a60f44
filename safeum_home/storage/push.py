"""Where devices are woken: for each device that asked for it one row."""

from collections.abc import Sequence

from sqlalchemy import BindParameter, Connection, LargeBinary, bindparam, delete, or_, select, update

from safeum_home.storage.many import Many
from safeum_home.storage.rows import PushRow
from safeum_home.storage.schema import pushes

_OF_DEVICE = select(pushes).where(pushes.c.device == bindparam("device"))
_AFTER = (
    select(pushes)
    .where(pushes.c.device > bindparam("after"))
    .order_by(pushes.c.device)
    .limit(bindparam("limit"))
)
_OF_ACCOUNTS = Many(
    "SELECT device, account, address, call_address, told, sealed FROM pushes WHERE (account) IN ({rows})",
    ("bytea",),
)
_address: BindParameter[bytes] = bindparam("of_address", type_=LargeBinary)
_REACHED = or_(pushes.c.address == _address, pushes.c.call_address == _address)
_OTHERS = select(pushes).where(_REACHED, pushes.c.device != bindparam("by_device"))
_DEAD = delete(pushes).where(
    pushes.c.device == bindparam("of_device"), pushes.c.address == bindparam("of_address")
)
_WITHOUT_CALLS = (
    update(pushes)
    .where(pushes.c.device == bindparam("of_device"))
    .values(call_address=None, sealed=bindparam("without"))
)
_HELD = update(pushes).where(pushes.c.device == bindparam("who")).values(told=bindparam("upto"))
_TOLD = _HELD.where(pushes.c.told < bindparam("upto"))
_PUT = Many(
    "INSERT INTO pushes (device, account, address, call_address, told, sealed) {rows}"
    " ON CONFLICT (device) DO UPDATE SET account = excluded.account, address = excluded.address,"
    " call_address = excluded.call_address, sealed = excluded.sealed",
    ("bytea", "bytea", "bytea", "bytea", "bigint", "bytea"),
)


def put_push(c: Connection, row: PushRow) -> list[PushRow]:
    """Store where a device is woken, in place of what it had; up to where it was told stays what it was.

    No other device is woken there any more: these are the rows that went.
    """
    others = {}
    for address in {row.address, row.call_address} - {None}:
        for other in c.execute(_OTHERS, {"of_address": address, "by_device": row.device}):
            others[other.device] = PushRow(*other)
    for device in others:
        delete_push(c, device)
    _PUT.change(c, [row])
    return list(others.values())


def put_without_calls(c: Connection, row: PushRow) -> None:
    """Store that a device is called where it gets messages."""
    c.execute(_WITHOUT_CALLS, {"of_device": row.device, "without": row.sealed})


def push_of(c: Connection, device: bytes) -> PushRow | None:
    row = c.execute(_OF_DEVICE, {"device": device}).first()
    return None if row is None else PushRow(*row)


def pushes_of(c: Connection, accounts: Sequence[bytes]) -> list[PushRow]:
    """Those of all devices of some accounts."""
    return [PushRow(*row) for row in _OF_ACCOUNTS.fetch(c, [(account,) for account in accounts])]


def pushes_after(c: Connection, after: bytes, limit: int) -> list[PushRow]:
    """Those of devices behind `after`, in the order of these: to go through all of them."""
    return [PushRow(*row) for row in c.execute(_AFTER, {"after": after, "limit": limit})]


def delete_push(c: Connection, device: bytes) -> None:
    """A device is not to be woken any more."""
    c.execute(delete(pushes).where(pushes.c.device == device))


def delete_dead(c: Connection, device: bytes, address: bytes) -> bool:
    """The same; False where it has another address by now."""
    return c.execute(_DEAD, {"of_device": device, "of_address": address}).rowcount > 0


def note_told(c: Connection, told: Sequence[tuple[bytes, int]]) -> list[None]:
    """Devices were woken for all up to these positions. Suits `Database.append`."""
    c.execute(_TOLD, [{"who": device, "upto": position} for device, position in told])
    return [None] * len(told)


def note_held(c: Connection, held: Sequence[tuple[bytes, int]]) -> list[None]:
    """Devices that have left hold all up to these positions, whatever they were woken for before they came.

    Suits `Database.append`.
    """
    c.execute(_HELD, [{"who": device, "upto": position} for device, position in held])
    return [None] * len(held)
