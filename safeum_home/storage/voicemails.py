"""Voicemail: accounts' rules and greetings, messages by their day, and the keys of the days.

A day is counted since 1970 (UTC). Its key is in table `fleeting_keys`; once that is dropped, and its keyring
has turned, nobody opens what was left on that day.
"""

from collections.abc import Sequence
from hashlib import blake2b

from sqlalchemy import Connection, bindparam, delete, select

from safeum_home.storage.keys import FLEETING
from safeum_home.storage.many import Many
from safeum_home.storage.schema import mailboxes, voicemail_days, voicemails

_DAY = select(voicemails.c.day).where(
    voicemails.c.chat == bindparam("chat"), voicemails.c.position == bindparam("position")
)
_BEFORE = (
    select(voicemails.c.chat, voicemails.c.position)
    .where(voicemails.c.day < bindparam("day"))
    .order_by(voicemails.c.day)
    .limit(bindparam("limit"))
)
_DAYS_BEFORE = select(voicemail_days.c.day).where(voicemail_days.c.day < bindparam("day"))
_ADD_DAY = Many("INSERT INTO voicemail_days (day) {rows} ON CONFLICT DO NOTHING", ("bigint",))
_RULE = select(mailboxes.c.sealed).where(mailboxes.c.account == bindparam("account"))
_GREETING = select(mailboxes.c.greeting).where(mailboxes.c.account == bindparam("account"))
_PUT = Many(
    "INSERT INTO mailboxes (account, sealed, greeting) {rows}"
    " ON CONFLICT (account) DO UPDATE SET sealed = excluded.sealed, greeting = excluded.greeting",
    ("bytea", "bytea", "bytea"),
)


def day_owner(day: int) -> bytes:
    """The owner, in table `fleeting_keys`, of the key of a day."""
    return blake2b(day.to_bytes(8, "big"), digest_size=16, person=b"voicemail day").digest()


# --- messages


def add_voicemail(c: Connection, chat: bytes, position: int, day: int) -> None:
    c.execute(voicemails.insert().values(chat=chat, position=position, day=day))


def day_of(c: Connection, chat: bytes, position: int) -> int | None:
    """On which day a message was left; None where it is none of voicemail."""
    return c.execute(_DAY, {"chat": chat, "position": position}).scalar_one_or_none()


def voicemails_before(c: Connection, day: int, limit: int) -> dict[bytes, list[int]]:
    """Messages of before a day, by their chats; the oldest first."""
    found: dict[bytes, list[int]] = {}
    for chat, position in c.execute(_BEFORE, {"day": day, "limit": limit}):
        found.setdefault(chat, []).append(position)
    return found


# --- days


def add_day(c: Connection, day: int) -> None:
    """It has a key from now on, which is put by the caller; again is the same."""
    _ADD_DAY.change(c, [(day,)])


def drop_days_before(c: Connection, day: int, epoch: int) -> Sequence[int]:
    """Destroy the keys of all days before one: which there were. `epoch` is their keyring's present one."""
    days = list(c.execute(_DAYS_BEFORE, {"day": day}).scalars())
    if days:
        FLEETING.delete_keys(c, [day_owner(each) for each in days])
        c.execute(delete(voicemail_days).where(voicemail_days.c.day < day))
        FLEETING.mark_erased(c, epoch)
    return days


# --- what accounts have set


def rule(c: Connection, account: bytes) -> bytes | None:
    """The sealed rule; None where nothing was ever set."""
    return c.execute(_RULE, {"account": account}).scalar_one_or_none()


def greeting(c: Connection, account: bytes) -> bytes | None:
    """The sealed greeting."""
    return c.execute(_GREETING, {"account": account}).scalar_one_or_none()


def put_mailbox(c: Connection, account: bytes, sealed: bytes, greeting: bytes | None) -> None:
    """Store what an account has set, in place of what it had."""
    _PUT.change(c, [(account, sealed, greeting)])
