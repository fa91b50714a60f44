"""What accounts have set for their chats: for each account and chat one row."""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, delete, select

from safeum_home.storage.many import Many
from safeum_home.storage.rows import SettingsRow
from safeum_home.storage.schema import settings

_SINCE = (
    select(settings)
    .where(settings.c.account == bindparam("account"), settings.c.position > bindparam("position"))
    .order_by(settings.c.position)
    .limit(bindparam("limit"))
)
_DROP = delete(settings).where(
    settings.c.account == bindparam("of_account"), settings.c.chat == bindparam("of_chat")
)
_PUT = Many(
    "INSERT INTO settings (account, chat, position, sealed) {rows}"
    " ON CONFLICT (account, chat) DO UPDATE SET position = excluded.position, sealed = excluded.sealed",
    ("bytea", "bytea", "bigint", "bytea"),
)
_FIND = Many(
    "SELECT account, chat, position, sealed FROM settings WHERE (account, chat) IN ({rows})",
    ("bytea", "bytea"),
)


def settings_of(c: Connection, account: bytes, chats: Iterable[bytes]) -> list[SettingsRow]:
    """What an account has set for some of its chats."""
    return [SettingsRow(*row) for row in _FIND.fetch(c, [(account, chat) for chat in chats])]


def put_settings(c: Connection, row: SettingsRow) -> None:
    """Store what an account has set for a chat, in place of what it had."""
    _PUT.change(c, [row])


def drop_settings(c: Connection, account: bytes, chat: bytes) -> None:
    """Forget what an account has set for a chat."""
    c.execute(_DROP, {"of_account": account, "of_chat": chat})


def settings_since(c: Connection, account: bytes, position: int, limit: int) -> list[SettingsRow]:
    """What an account has set after a position, in that order."""
    rows = c.execute(_SINCE, {"account": account, "position": position, "limit": limit})
    return [SettingsRow(*row) for row in rows]
