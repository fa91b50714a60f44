"""What the node knows of its own storage."""

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, case, select, update

from safeum_home.storage.schema import node

_MARKS = select(node.c.name, node.c.value)
_COMMITTED = select(node.c.value).where(node.c.name == "committed")
_ADVANCE = update(node).values(
    value=case((node.c.name == "committed", bindparam("position")), else_=bindparam("groups"))
)


class Marks(NamedTuple):
    """How far the storage got: the position up to which it is complete, and how many groups it took."""

    committed: int
    groups: int


def committed(c: Connection) -> int:
    """The position up to which this snapshot is complete."""
    return int(c.execute(_COMMITTED).scalar_one())


def marks(c: Connection) -> Marks:
    """For the writer alone."""
    found = {row.name: row.value for row in c.execute(_MARKS)}
    return Marks(found["committed"], found["groups"])


def advance(c: Connection, reached: Marks) -> None:
    """For the writer alone, once in each group."""
    c.execute(_ADVANCE, {"position": reached.committed, "groups": reached.groups})
