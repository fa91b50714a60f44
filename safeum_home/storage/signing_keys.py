"""Which of the derived keys a node signs with towards others, and since when: numbers and times alone."""

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from safeum_home.storage.schema import signing_keys

_EVERY = select(signing_keys).order_by(signing_keys.c.number)
_END = update(signing_keys).where(signing_keys.c.ended.is_(None)).values(ended=bindparam("at"))


class SigningKeyRow(NamedTuple):
    """The key `number`, in use from `began` until `ended` (milliseconds since 1970; None: it still is)."""

    number: int
    began: int
    ended: int | None


def every(c: Connection) -> list[SigningKeyRow]:
    """All keys that ever were in use, by number."""
    return [SigningKeyRow(*row) for row in c.execute(_EVERY)]


def begin_next(c: Connection, at: int) -> list[SigningKeyRow]:
    """End the key in use, if there is one, and begin the next; all keys, by number."""
    last = max((row.number for row in every(c)), default=0)
    c.execute(_END, {"at": at})
    c.execute(insert(signing_keys), {"number": last + 1, "began": at, "ended": None})
    return every(c)


def begin_first(c: Connection, at: int) -> list[SigningKeyRow]:
    """All keys, by number; the first one is begun where there is none yet."""
    return every(c) or begin_next(c, at)
