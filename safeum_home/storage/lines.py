"""What stands in line: rows of the outbox that a node cannot take for now, and all of the same behind them.

The line of a row is the beginning of its pointer: that is which chat it is of. So what a node cannot take of
one chat holds up that chat alone, and in each the order stays what it was.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, literal_column, select

from safeum_home.ports.outbox import Waiting
from safeum_home.ports.sealing import BLIND
from safeum_home.storage import outbox as rows_of
from safeum_home.storage.many import Many
from safeum_home.storage.schema import outbox

LINE = BLIND
"""Octets of a pointer."""
AWAY = 1 << 61
"""What is added to the positions of rows that stand in line: what goes on is found without a look at them."""
_ROW = ("bytea", "bigint")
_AT = "(destination, position) IN ({rows})"
_HOLD = Many(
    f"UPDATE outbox SET batch = -2, position = position + {AWAY} WHERE {_AT}",  # noqa: S608 - constants
    _ROW,
)
_LET_GO = Many(
    f"UPDATE outbox SET batch = 0, position = position - {AWAY} WHERE {_AT}",  # noqa: S608 - constants
    _ROW,
)
_DELETE = Many("DELETE FROM outbox WHERE (destination, position) IN ({rows})", _ROW)
_OBJECT = ("bytea", "text", "bytea")
_SAME = Many(
    "SELECT position, type, pointer FROM outbox"
    " WHERE batch < 0 AND batch = -2 AND (destination, type, pointer) IN ({rows})",
    _OBJECT,
)
_SAME_FREE = Many(
    "SELECT position, type, pointer FROM outbox WHERE batch = 0 AND (destination, type, pointer) IN ({rows})",
    _OBJECT,
)
# Written out as in their index, which is empty as a rule.
_LINE: ColumnElement[bytes] = literal_column("substr(pointer, 1, 16)")
_IN_LINE = (outbox.c.destination == bindparam("peer"), outbox.c.batch == literal_column("-2"))
# Only where it is said so SQLite finds a line by its index, and not by going through all of the node.
_OF_LINE = (*_IN_LINE, bindparam("line") <= _LINE, bindparam("line") >= _LINE)
_FRONT = select(outbox.c.position).where(*_OF_LINE).order_by(_LINE, outbox.c.position).limit(1)
_FOLLOWING = select(_LINE).where(*_IN_LINE, bindparam("after") < _LINE).order_by(_LINE).limit(1)
_FIRST = (
    select(outbox.c.position, outbox.c.type, outbox.c.pointer)
    .where(*_OF_LINE)
    .order_by(_LINE, outbox.c.position)
    .limit(bindparam("limit"))
)


class Released(NamedTuple):
    """What a release led to."""

    fewer: int
    """How many rows are gone, as the same objects wait already."""
    after: bytes
    """The last line of which anything was released."""
    rest: bool
    """Whether anything stands in line still."""


def line_of(row: Waiting) -> bytes:
    """Which line a row is in."""
    return row.pointer[:LINE]


def hold(c: Connection, peer: bytes, rows: Sequence[Waiting]) -> int:
    """Let rows stand in line; how many are gone, as the same objects stand there already.

    Of two the first place stays: what is told is how an object is by then.
    """
    staying, fewer = _once(c, peer, rows, _SAME, AWAY)
    _HOLD.change(c, [(peer, row.position) for row in staying])
    return fewer


def behind(c: Connection, peer: bytes, rows: Sequence[Waiting]) -> list[Waiting]:
    """Those of some rows, which do not, of which something stands in line before them."""
    if not _is_any(c, peer):
        return []
    fronts = {
        line: c.execute(_FRONT, {"peer": peer, "line": line}).scalar_one_or_none()
        for line in {line_of(row) for row in rows}
    }

    def is_behind(row: Waiting) -> bool:
        front = fronts[line_of(row)]
        return front is not None and front - AWAY < row.position

    return list(filter(is_behind, rows))


def release(c: Connection, peer: bytes, each: int, most: int, after: bytes = b"") -> Released:
    """Let the first `each` rows of each line wait as all else does: `most` at once, and of one line more.

    It begins behind the line `after`, and goes round.
    """
    released: list[Waiting] = []
    line, is_round = after, not after
    while len(released) < most:
        following = c.execute(_FOLLOWING, {"peer": peer, "after": line}).scalar_one_or_none()
        if following is None:
            if is_round:
                break
            line, is_round = b"", True
            continue
        line = bytes(following)
        if is_round and after and line > after:
            break
        found = c.execute(_FIRST, {"peer": peer, "line": line, "limit": each})
        released += [Waiting(*row) for row in found]
    staying, fewer = _once(c, peer, released, _SAME_FREE, -AWAY)
    _LET_GO.change(c, [(peer, row.position) for row in staying])
    return Released(fewer, line, _is_any(c, peer))


def sort(c: Connection, peer: bytes, limit: int, rounds: int) -> tuple[int, bool]:
    """Let what comes next stand in line where it has to: how many rows are gone, and whether that is all."""
    fewer = 0
    if not _is_any(c, peer):
        return 0, True  # mostly
    for _ in range(rounds):
        standing = behind(c, peer, rows_of.first(c, peer, limit))
        if not standing:
            return fewer, True
        fewer += hold(c, peer, standing)
    return fewer, False


def _is_any(c: Connection, peer: bytes) -> bool:
    return c.execute(_FOLLOWING, {"peer": peer, "after": b""}).first() is not None


def _once(
    c: Connection, peer: bytes, rows: Sequence[Waiting], among: Many, further: int
) -> tuple[list[Waiting], int]:
    """Where objects are `among` others, too, the later place goes: the rows that stay; how many are gone.

    `further` is what is added to the positions of those others, and not to those of the rows.
    """
    found = among.fetch(c, [(peer, row.type, row.pointer) for row in rows])
    others = {(type, bytes(pointer)): position for position, type, pointer in found}
    staying: list[Waiting] = []
    gone: list[int] = []
    for row in rows:
        other = others.get(row[1:])
        if other is not None and other - further < row.position:
            gone.append(row.position)
            continue
        staying.append(row)
        if other is not None:
            gone.append(other)
    return staying, _DELETE.change(c, [(peer, position) for position in gone])
