"""What accounts have set for their chats: for each account and chat one row."""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, delete, select, update

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
_DRAFTED = (settings.c.chat == bindparam("of_chat")) & settings.c.draft.is_not(None)
_WITH_DRAFT = select(settings).where(_DRAFTED).order_by(settings.c.account)
_DROP_DRAFTS = update(settings).where(_DRAFTED).values(draft=None, position=bindparam("at"))
_PUT = Many(
    "INSERT INTO settings (account, chat, position, sealed, draft) {rows}"
    " ON CONFLICT (account, chat) DO UPDATE SET"
    " position = excluded.position, sealed = excluded.sealed, draft = excluded.draft",
    ("bytea", "bytea", "bigint", "bytea", "bytea"),
)
_FIND = Many(
    "SELECT account, chat, position, sealed, draft FROM settings WHERE (account, chat) IN ({rows})",
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


def drop_drafts(c: Connection, chat: bytes, position: int) -> list[SettingsRow]:
    """Forget what was begun in a chat by anybody; the rows that had a draft, as they are then."""
    rows = c.execute(_WITH_DRAFT, {"of_chat": chat}).all()
    if rows:
        c.execute(_DROP_DRAFTS, {"of_chat": chat, "at": position})
    return [SettingsRow(row.account, row.chat, position, row.sealed) for row in rows]


def settings_since(c: Connection, account: bytes, position: int, limit: int) -> list[SettingsRow]:
    """What an account has set after a position, in that order."""
    rows = c.execute(_SINCE, {"account": account, "position": position, "limit": limit})
    return [SettingsRow(*row) for row in rows]
