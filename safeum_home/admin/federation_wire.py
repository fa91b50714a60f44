"""What an operator asks about other nodes."""

from typing import Annotated

from msgspec import Meta, Struct

from safeum_home.admin.wire import Params
from safeum_home.ids import MAX_NODE_NAME

PAGE = 100
"""Rows in one answer: that many fit a line."""


class NodesParams(Params, frozen=True):
    """`after` is `next` of the page before; "" is the first one."""

    after: Annotated[str, Meta(pattern="^([0-9a-f]{32})?$(?!\n)", max_length=32)] = ""


class CheckParams(Params, frozen=True):
    """Which node."""

    node: Annotated[str, Meta(max_length=MAX_NODE_NAME)]


class Checked(Struct, frozen=True):
    """`error` says why a node did not take a hello; "" where it did."""

    node: str
    error: str


class NodeRow(Struct, frozen=True):
    """A node that this one has to do with. Times are in milliseconds since 1970."""

    name: str
    state: str
    """`idle`, `sending`, `backing off`."""
    waiting: int
    """Of how many objects it is still to be told."""
    failing: int
    """Since when it cannot be told; 0: it can."""
    seen: int
    """When it was last told something, or told something itself."""
    error: str
    """Why it was not told last."""


class NodeRows(Struct, frozen=True):
    nodes: list[NodeRow]
    next: str
    """"" where there are no more."""


class AsideRow(Struct, frozen=True):
    """An event that was refused: by this node (`ours`) or by the other."""

    name: str
    at: int
    ours: bool
    type: str
    code: str
    detail: str = ""
    """What is wrong with it, in ASCII."""


class AsideRows(Struct, frozen=True):
    events: list[AsideRow]


class KeyRow(Struct, frozen=True):
    """A key that this node signs with, or did; `key` is base64. Milliseconds since 1970."""

    id: str
    key: str
    expired: int | None


class KeyRows(Struct, frozen=True):
    keys: list[KeyRow]
