"""Messages of chats without history: what waits for whom, and dropping what waits no longer.

A device says up to which position of the node's order it holds all. So for each device one number is enough,
however many messages wait for it; it is noted only where messages do wait for its account.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, or_, select, true, update

from safeum_home.storage.events import append_events
from safeum_home.storage.keys import FLEETING
from safeum_home.storage.many import Many
from safeum_home.storage.rows import FleetingEvent
from safeum_home.storage.schema import accounts, changes, devices, members, spool

_SPOOL = Many(
    "INSERT INTO spool (chat, position, account, device, hour) {rows}",
    ("bytea", "bigint", "bytea", "bytea", "bigint"),
)
_WAITED_FOR = Many(
    "SELECT chat FROM members WHERE (account) IN ({rows})"
    " AND EXISTS (SELECT 1 FROM spool WHERE spool.chat = members.chat)",
    ("bytea",),
)
_HOLD = (
    update(devices)
    .where(devices.c.device == bindparam("who"), devices.c.held < bindparam("upto"))
    .values(held=bindparam("upto"))
)
# One step down the B-tree for each chat, however much waits in it.
_NEXT_CHAT = select(spool.c.chat).where(spool.c.chat > bindparam("after")).order_by(spool.c.chat).limit(1)
_NO_LIMIT = (1 << 63) - 1
# Accounts of other nodes have no row among those of this one: their own nodes look after their devices.
_HOLDERS = (
    select(members.c.account, members.c.visible, devices.c.device, devices.c.held)
    .join(accounts, accounts.c.account == members.c.account)
    .join(devices, devices.c.account == members.c.account, isouter=True)
    .where(members.c.chat == bindparam("chat"))
)
_CHANGED = (changes.c.chat == spool.c.chat) & (changes.c.target == spool.c.position)


def _held(*bounds: ColumnElement[bool]) -> Select[Any]:
    """Positions up to which all hold a chat's messages, or for which all of `bounds` holds."""
    held = func.coalesce(changes.c.position, spool.c.position) <= bindparam("low")
    found = select(spool.c.position).outerjoin(changes, _CHANGED).where(spool.c.chat == bindparam("chat"))
    found = found.where(or_(held, and_(changes.c.position.is_(None), *bounds)) if bounds else true())
    return found.order_by(spool.c.position).limit(bindparam("limit"))


# Made once: what is built for each chat costs more than looking for it.
_UP_TO_OTHERS = spool.c.position <= bindparam("others")
_HELD_BUT_BY_DEVICE = _held(spool.c.device == bindparam("one"), _UP_TO_OTHERS)
_HELD_BUT_BY_ACCOUNT = _held(spool.c.account == bindparam("one"), _UP_TO_OTHERS)
_ALL = _held()
_EXPIRED = (
    select(spool.c.chat, spool.c.position)
    .where(spool.c.hour < bindparam("hour"))
    .order_by(spool.c.hour)
    .limit(bindparam("limit"))
)
_WAITS = select(spool.c.hour).where(
    spool.c.chat == bindparam("chat"), spool.c.position == bindparam("position")
)
_ACCOUNTS = select(members.c.account).where(members.c.chat == bindparam("chat"))


def is_waiting(c: Connection, chat: bytes, position: int) -> bool:
    """Whether a message is one that is not kept, and waits still."""
    return c.execute(_WAITS, {"chat": chat, "position": position}).first() is not None


def append_fleeting(c: Connection, rows: Sequence[FleetingEvent]) -> list[int | None]:
    """As `append_events`, with the messages' own keys. Suits `Database.append`."""
    outcomes = append_events(c, [row.event for row in rows])
    fresh = [row for row, earlier in zip(rows, outcomes, strict=True) if earlier is None]
    stored = {row.event.position: row for row in fresh}.values()
    FLEETING.put_keys(c, [(row.owner, row.key) for row in stored])
    _SPOOL.change(
        c, [(row.event.chat, row.event.position, row.account, row.device, row.hour) for row in stored]
    )
    return outcomes


def hold(c: Connection, held: Sequence[tuple[bytes, int]]) -> None:
    """Devices hold everything up to these positions."""
    if held:
        c.execute(_HOLD, [{"who": device, "upto": position} for device, position in held])


def waited_for(c: Connection, accounts: Sequence[bytes]) -> set[bytes]:
    """Chats of these accounts in which something waits."""
    return {chat for (chat,) in _WAITED_FOR.fetch(c, [(account,) for account in accounts])}


def waiting_chats(c: Connection, after: bytes, limit: int) -> list[bytes]:
    """Chats in which something waits, behind `after`."""
    found: list[bytes] = []
    while len(found) < limit:
        chat = c.execute(_NEXT_CHAT, {"after": found[-1] if found else after}).scalar_one_or_none()
        if chat is None:
            break
        found.append(chat)
    return found


def accounts_of(c: Connection, chat: bytes) -> list[bytes]:
    return list(c.execute(_ACCOUNTS, {"chat": chat}).scalars())


def held_by_all(c: Connection, chat: bytes, limit: int) -> list[int]:
    """Positions of messages of a chat that nobody waits for any more: all devices of all members hold them.

    The device that sent a message has it; where it was changed since then, all devices are to hold that. A
    member without any device is waited for, lest what it was sent is gone before it has one; it is not where
    its account has sent the message itself.
    """
    holders = c.execute(_HOLDERS, {"chat": chat}).all()
    lows = sorted((max(row.held or 0, row.visible), row.device or b"", row.account) for row in holders)
    asked: dict[str, object] = {"chat": chat, "limit": limit}
    query = _ALL
    if lows:
        (low, device, account), *others = lows
        query = _HELD_BUT_BY_DEVICE if device else _HELD_BUT_BY_ACCOUNT
        asked |= {"low": low, "one": device or account, "others": others[0][0] if others else _NO_LIMIT}
    return [position for (position,) in c.execute(query, asked)]


def expired(c: Connection, hour: int, limit: int) -> dict[bytes, list[int]]:
    """Messages that have waited since before `hour`, by their chats."""
    found: dict[bytes, list[int]] = {}
    for chat, position in c.execute(_EXPIRED, {"hour": hour, "limit": limit}):
        found.setdefault(chat, []).append(position)
    return found
