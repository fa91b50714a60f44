"""What the node knows of its own storage."""

from sqlalchemy import Connection, bindparam, select, update

from safeum_home.storage.schema import node

_COMMITTED = select(node.c.value).where(node.c.name == "committed")
_ADVANCE = update(node).where(node.c.name == "committed").values(value=bindparam("position"))


def committed(c: Connection) -> int:
    """The position up to which this snapshot is complete."""
    return int(c.execute(_COMMITTED).scalar_one())


def advance(c: Connection, position: int) -> None:
    """For the writer alone, once in each group that used positions."""
    c.execute(_ADVANCE, {"position": position})
