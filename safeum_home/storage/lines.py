"""What stands in line: rows of the outbox that a node cannot take for now, and all of the same behind them.

The line of a row is the beginning of its pointer: that is which chat it is of. So what a node cannot take of
one chat holds up that chat alone, and in each the order stays what it was.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, func, literal_column, select

from safeum_home.ports.outbox import Waiting
from safeum_home.storage import outbox as rows_of
from safeum_home.storage.many import Many
from safeum_home.storage.schema import outbox

LINE = 16
"""Octets of a pointer: a blind index."""
_ROW = ("bytea", "bigint")
_HOLD = Many("UPDATE outbox SET batch = -2 WHERE (destination, position) IN ({rows})", _ROW)
_LET_GO = Many("UPDATE outbox SET batch = 0 WHERE (destination, position) IN ({rows})", _ROW)
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
_ANY = select(outbox.c.position).where(*_IN_LINE).limit(1)
_FRONT = select(func.min(outbox.c.position)).where(*_IN_LINE, bindparam("line") == _LINE)
_FOLLOWING = select(_LINE).where(*_IN_LINE, bindparam("after") < _LINE).order_by(_LINE).limit(1)
_FIRST = (
    select(outbox.c.position, outbox.c.type, outbox.c.pointer)
    .where(*_IN_LINE, bindparam("line") == _LINE)
    .order_by(outbox.c.position)
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
    later = _doubled(c, peer, rows, _SAME)
    _HOLD.change(c, [(peer, row.position) for row in rows])
    return _DELETE.change(c, [(peer, position) for position in later])


def behind(c: Connection, peer: bytes, rows: Sequence[Waiting]) -> list[Waiting]:
    """Those of some rows of which something stands in line before them."""
    if c.execute(_ANY, {"peer": peer}).first() is None:
        return []
    fronts = {
        line: c.execute(_FRONT, {"peer": peer, "line": line}).scalar_one_or_none()
        for line in {line_of(row) for row in rows}
    }

    def is_behind(row: Waiting) -> bool:
        front = fronts[line_of(row)]
        return front is not None and front < row.position

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
    later = _doubled(c, peer, released, _SAME_FREE)
    fewer = _DELETE.change(c, [(peer, position) for position in later])
    _LET_GO.change(c, [(peer, row.position) for row in released])
    return Released(fewer, line, c.execute(_ANY, {"peer": peer}).first() is not None)


def sort(c: Connection, peer: bytes, limit: int, rounds: int) -> tuple[int, bool]:
    """Let what comes next stand in line where it has to: how many rows are gone, and whether that is all."""
    fewer = 0
    for _ in range(rounds):
        standing = behind(c, peer, rows_of.first(c, peer, limit))
        if not standing:
            return fewer, True
        fewer += hold(c, peer, standing)
    return fewer, False


def _doubled(c: Connection, peer: bytes, rows: Sequence[Waiting], among: Many) -> list[int]:
    """Where the same objects are among others as well: the later place of each."""
    found = among.fetch(c, [(peer, row.type, row.pointer) for row in rows])
    places = {(type, bytes(pointer)): position for position, type, pointer in found}
    return [max(places[row[1:]], row.position) for row in rows if row[1:] in places]
