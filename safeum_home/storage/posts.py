"""What accounts have written into groups that another node orders, until that node has it or refuses it."""

from enum import IntEnum

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select, update

from safeum_home.storage.keys import FLEETING, message_owner
from safeum_home.storage.rows import PostRow
from safeum_home.storage.schema import dedupe, posts


class PostState(IntEnum):
    """The numbers under which rows keep them."""

    WAITING = 1
    """A message of which the author is shown that it waits."""
    CHANGING = 2
    """Something else: an edit, a reaction."""
    REFUSED = 3


_POST = select(posts).where(posts.c.position == bindparam("position"))
_MINE = select(posts).where(posts.c.account == bindparam("account"))
_WAITING = (
    _MINE.where(posts.c.chat == bindparam("chat"), posts.c.state == PostState.WAITING)
    .order_by(posts.c.position)
    .limit(bindparam("limit"))
)
_CHANGING = (
    _MINE.where(posts.c.chat == bindparam("chat"), posts.c.state == PostState.CHANGING)
    .order_by(posts.c.position.desc())
    .limit(bindparam("limit"))
)
_SINCE = (
    _MINE.where(posts.c.told > bindparam("after"), posts.c.state != PostState.CHANGING)
    .order_by(posts.c.told)
    .limit(bindparam("limit"))
)
_OF_CHAT = select(posts).where(posts.c.chat == bindparam("chat")).order_by(posts.c.position)
_OPEN = (
    select(posts)
    .where(posts.c.position > bindparam("after"), posts.c.state != PostState.REFUSED)
    .order_by(posts.c.position)
    .limit(bindparam("limit"))
)
_REFUSE = (
    update(posts)
    .where(posts.c.position == bindparam("at"))
    .values(
        state=PostState.REFUSED, told=bindparam("now_told"), hour=bindparam("now"), sealed=bindparam("as")
    )
)
_DROP = delete(posts).where(posts.c.position == bindparam("at"))
MANY = 500
"""So many are forgotten at once."""
_MOVE = update(dedupe).where(dedupe.c.position == bindparam("at")).values(position=bindparam("to"))
_FORGET = delete(dedupe).where(dedupe.c.position == bindparam("at"))
_RECOGNISE = insert(dedupe)


def put_post(c: Connection, row: PostRow, sent: bytes | None) -> None:
    """Store one; `sent` recognises it when it is sent again, and was not recognised before."""
    c.execute(insert(posts), row._asdict())
    if sent is not None:
        c.execute(_RECOGNISE, {"sent": sent, "position": row.position})


def post(c: Connection, position: int) -> PostRow | None:
    row = c.execute(_POST, {"position": position}).first()
    return PostRow(*row) if row else None


def waiting(c: Connection, account: bytes, chat: bytes, limit: int) -> list[PostRow]:
    """The messages of an account that wait for a group's node, in their order."""
    rows = c.execute(_WAITING, {"account": account, "chat": chat, "limit": limit})
    return [PostRow(*row) for row in rows]


def changing(c: Connection, account: bytes, chat: bytes, limit: int) -> list[PostRow]:
    """What an account has done to messages of a group and waits for its node, the last one first."""
    rows = c.execute(_CHANGING, {"account": account, "chat": chat, "limit": limit})
    return [PostRow(*row) for row in rows]


def of_chat(c: Connection, chat: bytes) -> list[PostRow]:
    """All of a group, in their order, refused ones too."""
    return [PostRow(*row) for row in c.execute(_OF_CHAT, {"chat": chat})]


def posts_since(c: Connection, account: bytes, after: int, limit: int) -> list[PostRow]:
    """The messages of an account that wait, and all of it that was refused, told after a position."""
    rows = c.execute(_SINCE, {"account": account, "after": after, "limit": limit})
    return [PostRow(*row) for row in rows]


def open_posts(c: Connection, after: int, limit: int) -> list[PostRow]:
    """All that waits, behind a position and in its order."""
    return [PostRow(*row) for row in c.execute(_OPEN, {"after": after, "limit": limit})]


def refuse(c: Connection, position: int, told: int, hour: int, sealed: bytes) -> None:
    """One was refused."""
    c.execute(_REFUSE, {"at": position, "now_told": told, "now": hour, "as": sealed})


def came(c: Connection, position: int, to: int) -> None:
    """The group's node has it: what recognises it recognises the message at `to` from now on."""
    c.execute(_DROP, {"at": position})
    c.execute(_MOVE, {"at": position, "to": to})


def drop_post(c: Connection, position: int) -> None:
    """It is over, and left nothing that is recognised."""
    c.execute(_DROP, {"at": position})
    c.execute(_FORGET, {"at": position})


def drop_refused(c: Connection, account: bytes, hour: int) -> None:
    """What was refused before `hour` is told no more."""
    forget(c, posts.c.account == account, posts.c.state == PostState.REFUSED, posts.c.hour < hour)


def forget(c: Connection, *which: ColumnElement[bool]) -> None:
    """Nothing is left of some: not what recognises them, nor the keys that some have for themselves."""
    some = select(posts.c.chat, posts.c.position).where(*which).order_by(posts.c.position)
    after = 0
    while rows := c.execute(some.where(posts.c.position > after).limit(MANY)).all():
        after = rows[-1].position
        c.execute(delete(dedupe).where(dedupe.c.position.in_([row.position for row in rows])))
        own = [message_owner(*row) for row in rows]
        if (epoch := FLEETING.newest_epoch(c, own)) is not None:
            FLEETING.delete_keys(c, own)
            FLEETING.mark_erased(c, epoch)
    c.execute(delete(posts).where(*which))
