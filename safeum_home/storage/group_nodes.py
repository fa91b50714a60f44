"""Groups across nodes: at a hub which nodes hold copies, and elsewhere who has agreed to be in a group."""

from sqlalchemy import Connection, bindparam, delete, select

from safeum_home.storage.many import Many
from safeum_home.storage.schema import agreements, group_nodes

_VISIBLE = select(group_nodes.c.visible).where(
    group_nodes.c.chat == bindparam("chat"), group_nodes.c.life == bindparam("life")
)
_LIVES = select(group_nodes.c.node, group_nodes.c.life).where(group_nodes.c.chat == bindparam("chat"))
_NAMES = select(group_nodes.c.life, group_nodes.c.sealed).where(group_nodes.c.chat == bindparam("chat"))
_PUT = Many(
    "INSERT INTO group_nodes (chat, node, life, visible, sealed) {rows} ON CONFLICT (chat, node) DO"
    " UPDATE SET life = excluded.life, visible = excluded.visible, sealed = excluded.sealed",
    ("bytea", "bytea", "bytea", "bigint", "bytea"),
)
_DELETE = delete(group_nodes).where(
    group_nodes.c.chat == bindparam("of_chat"), group_nodes.c.node == bindparam("of_node")
)
_AGREE = Many("INSERT INTO agreements (chat, account) {rows} ON CONFLICT DO NOTHING", ("bytea", "bytea"))
_OF_CHAT = agreements.c.chat == bindparam("of_chat")
_OVER = delete(agreements).where(_OF_CHAT, agreements.c.account == bindparam("of_account"))
_AGREED = select(agreements.c.account).where(_OF_CHAT, agreements.c.account == bindparam("of_account"))
_ANYBODY = select(agreements.c.account).where(_OF_CHAT).limit(1)


def put_node(c: Connection, chat: bytes, node: bytes, life: bytes, visible: int, sealed: bytes) -> None:
    """A node holds a copy from now on; messages up to `visible` are not for it. `life` names that time.

    `sealed` is what it is called.
    """
    _PUT.change(c, [(chat, node, life, visible, sealed)])


def delete_node(c: Connection, chat: bytes, node: bytes) -> None:
    c.execute(_DELETE, {"of_chat": chat, "of_node": node})


def visible(c: Connection, chat: bytes, life: bytes) -> int | None:
    """Up to where messages are not for a node; None where that life of its copy is over."""
    found: int | None = c.execute(_VISIBLE, {"chat": chat, "life": life}).scalar_one_or_none()
    return found


def lives(c: Connection, chat: bytes) -> dict[bytes, bytes]:
    """The nodes that hold copies, and the lives of those."""
    return {row.node: row.life for row in c.execute(_LIVES, {"chat": chat})}


def names(c: Connection, chat: bytes) -> list[tuple[bytes, bytes]]:
    """The lives of all copies, and the names of their nodes, sealed."""
    return [(row.life, row.sealed) for row in c.execute(_NAMES, {"chat": chat})]


def agree(c: Connection, chat: bytes, account: bytes) -> None:
    """An account has said that it wants to be in a group."""
    _AGREE.change(c, [(chat, account)])


def over(c: Connection, chat: bytes, account: bytes) -> bool:
    """It is in it now, or cannot be: whether it had agreed."""
    return c.execute(_OVER, {"of_chat": chat, "of_account": account}).rowcount > 0


def has_agreed(c: Connection, chat: bytes, account: bytes) -> bool:
    """Whether an account has agreed to be in a group that it is not in yet."""
    return c.execute(_AGREED, {"of_chat": chat, "of_account": account}).first() is not None


def is_wanted(c: Connection, chat: bytes) -> bool:
    """Whether anybody has agreed to be in a group."""
    return c.execute(_ANYBODY, {"of_chat": chat}).first() is not None
