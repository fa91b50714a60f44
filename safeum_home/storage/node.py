"""What the node knows of its own storage."""

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, case, delete, insert, select, update

from safeum_home.storage.schema import accounts, node

_MARKS = select(node.c.name, node.c.value)
_COMMITTED = select(node.c.value).where(node.c.name == "committed")
_ADVANCE = update(node).values(
    value=case(
        (node.c.name == "committed", bindparam("position")),
        (node.c.name == "groups", bindparam("groups")),
        else_=node.c.value,
    )
)
_IS_IDENTITY = node.c.name == "identity"
_IS_REGISTRATION = node.c.name == "registration"


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


def belongs_to(c: Connection, identity: int) -> bool:
    """Whether this is the database of the node with `identity`; one that holds no account yet becomes it.

    `identity` is a keyed hash (63 bits) of the node's name: it is another one under another root secret.
    """
    if c.execute(select(node.c.value).where(_IS_IDENTITY)).scalar_one_or_none() == identity:
        return True
    if c.execute(select(accounts.c.account).limit(1)).first() is not None:
        return False
    c.execute(delete(node).where(_IS_IDENTITY))
    c.execute(insert(node), {"name": "identity", "value": identity})
    return True


def registration(c: Connection) -> int | None:
    """How the operator has set registration; None where it was left to the configuration."""
    found: int | None = c.execute(select(node.c.value).where(_IS_REGISTRATION)).scalar_one_or_none()
    return found


def set_registration(c: Connection, mode: int | None) -> None:
    """Remember how registration was set, or with None that it was not."""
    c.execute(delete(node).where(_IS_REGISTRATION))
    if mode is not None:
        c.execute(insert(node), {"name": "registration", "value": mode})
