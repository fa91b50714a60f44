"""Links by which groups are joined: found by a keyed hash, one of each group at the most."""

from sqlalchemy import Connection, bindparam, delete, select

from safeum_home.storage.many import Many
from safeum_home.storage.schema import group_links

_CHAT = select(group_links.c.chat).where(group_links.c.link == bindparam("link"))
_DELETE = delete(group_links).where(group_links.c.chat == bindparam("of_chat"))
_PUT = Many("INSERT INTO group_links (link, chat) {rows}", ("bytea", "bytea"))


def put_link(c: Connection, chat: bytes, link: bytes | None) -> None:
    """Let this be the link of a group, and no other; None: it has none."""
    c.execute(_DELETE, {"of_chat": chat})
    if link is not None:
        _PUT.change(c, [(link, chat)])


def chat_of(c: Connection, link: bytes) -> bytes | None:
    """Which group a link is of."""
    return c.execute(_CHAT, {"link": link}).scalar_one_or_none()
