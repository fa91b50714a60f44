"""What other nodes are still to be told: pointers to objects, by destination.

An object that waits, and is part of no batch yet, is there once. Urgent rows come first: their positions are
the lower ones.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import BigInteger, Connection, bindparam, delete, func, literal_column, or_, select, update

from safeum_home.ports.outbox import Waiting
from safeum_home.storage.many import Many
from safeum_home.storage.schema import outbox

NOT_URGENT = 1 << 62
"""What is added to the positions of rows that are not urgent."""

_NOTE = Many(
    "INSERT INTO outbox (destination, position, type, pointer, hour, batch) {rows}"
    " ON CONFLICT (destination, type, pointer) WHERE batch = 0 DO NOTHING",
    ("bytea", "bigint", "text", "bytea", "bigint", "bigint"),
)
_OF = outbox.c.destination == bindparam("peer")
# Written out, not bound: only so it is known to be what the partial indexes are for.
_FREE = outbox.c.batch == literal_column("0")
_FIXED = outbox.c.batch > literal_column("0")
_HELD = outbox.c.batch < literal_column("0")
_ALONE = (_HELD, outbox.c.batch != literal_column("-2"))
_LIFT = delete(outbox).where(
    _OF,
    _FREE,
    outbox.c.type == bindparam("of_type"),
    outbox.c.pointer == bindparam("of_pointer"),
    outbox.c.position >= NOT_URGENT,
)
_OBJECT = (outbox.c.type == bindparam("of_type"), outbox.c.pointer == bindparam("of_pointer"))
_WITHDRAW = tuple(
    delete(outbox).where(
        _OF,
        which,
        outbox.c.type == bindparam("of_type"),
        outbox.c.pointer >= bindparam("first"),
        outbox.c.pointer < bindparam("end"),
    )
    for which in (_FREE, _HELD)
)
_WAITS = select(outbox.c.position).where(_OF, _FREE, *_OBJECT)
_IS_HELD = select(outbox.c.position).where(_OF, _HELD, *_OBJECT)
_ROWS = select(outbox.c.position, outbox.c.type, outbox.c.pointer).where(_OF).order_by(outbox.c.position)
_OF_BATCH = (_FIXED, outbox.c.batch == bindparam("of_batch"))
_FIXED_ROWS = _ROWS.where(*_OF_BATCH)
_ROWS_BEHIND = select(outbox.c.type, outbox.c.pointer).where(
    _OF, _FIXED, outbox.c.batch > bindparam("of_batch")
)
_BEHIND = (
    select(outbox.c.batch)
    .where(_OF, _FIXED, outbox.c.batch > bindparam("of_batch"))
    .distinct()
    .order_by(outbox.c.batch.desc())
)
_LAST_FIXED = select(func.max(outbox.c.position)).where(_OF, _FIXED)
_HURRIES = select(outbox.c.position).where(_OF, _FREE, outbox.c.position < NOT_URGENT).limit(1)
_FIRST = _ROWS.where(_FREE).limit(bindparam("limit"))
_COUNT_FREE = select(func.count()).select_from(
    select(outbox.c.position).where(_OF, _FREE).limit(bindparam("limit")).subquery()
)
_FIX = (
    update(outbox).where(_OF, _FREE, outbox.c.position <= bindparam("upto")).values(batch=bindparam("number"))
)
_LET_GO = update(outbox).where(_OF, *_OF_BATCH, outbox.c.position >= bindparam("first")).values(batch=0)
_DELETE = delete(outbox).where(_OF, outbox.c.position == bindparam("place"))
_DELETE_FIXED = delete(outbox).where(_OF, *_OF_BATCH)
_newer = outbox.alias("newer")
_IS_NEWER = (
    select(_newer.c.position)
    .where(
        _newer.c.destination == outbox.c.destination,
        _newer.c.type == outbox.c.type,
        _newer.c.pointer == outbox.c.pointer,
        _newer.c.batch == literal_column("0"),
    )
    .exists()
)
_CHANGED = _ROWS.where(*_OF_BATCH, outbox.c.position >= bindparam("first"), _IS_NEWER)
_DELETE_BEHIND = delete(outbox).where(
    _OF,
    _FREE,
    outbox.c.type == bindparam("of_type"),
    outbox.c.pointer == bindparam("of_pointer"),
    outbox.c.position > bindparam("place"),
)
_SINCE = select(outbox.c.hour).where(_OF, outbox.c.position == bindparam("place"))
_UNTIL = -bindparam("until", type_=BigInteger)
_HOLD = update(outbox).where(_OF, outbox.c.position == bindparam("place")).values(batch=_UNTIL)
_DELETE_HELD = delete(outbox).where(_OF, *_ALONE, *_OBJECT)
# All types are behind "": so SQLite looks into their own index, and not through all that waits for the node.
_ALL_HELD = (_OF, *_ALONE, outbox.c.type > literal_column("''"))
_DELETE_HELD_OLDER = delete(outbox).where(*_ALL_HELD, _IS_NEWER)
# Where a clock was set back a row may have a time that is further away than any.
_IS_DUE = or_(outbox.c.batch >= bindparam("due"), outbox.c.batch < bindparam("beyond"))
_RELEASE = update(outbox).where(*_ALL_HELD, _IS_DUE).values(batch=0)
_FIRST_DUE = select(func.max(outbox.c.batch)).where(*_ALL_HELD)
_COUNT_HELD = select(func.count()).where(_HELD)
_HOLDING = select(outbox.c.destination).where(_HELD).distinct()
_IS_OLDER = (
    _OF,
    outbox.c.hour < bindparam("hour"),
    outbox.c.type.not_in(bindparam("lasting", expanding=True)),
)
_OLDER = (
    select(outbox.c.position, outbox.c.type, outbox.c.pointer)
    .where(*_IS_OLDER, outbox.c.position > bindparam("after"))
    .order_by(outbox.c.position)
    .limit(bindparam("limit"))
)
_DROP = delete(outbox).where(*_IS_OLDER)


def note(
    c: Connection, peer: bytes, rows: Sequence[Waiting], hour: int, urgent: Sequence[Waiting] = ()
) -> int:
    """Add rows that do not wait yet; by how many there are more now.

    Positions of `rows` are `NOT_URGENT` and higher, those of `urgent` lower; all are new.
    """
    lifted = 0
    for row in urgent:
        lifted += c.execute(_LIFT, {"peer": peer, "of_type": row.type, "of_pointer": row.pointer}).rowcount
    every = [*rows, *urgent]
    return _NOTE.change(c, [(peer, *row, hour, 0) for row in every]) - lifted


def withdraw(c: Connection, peer: bytes, type: str, first: bytes, end: bytes) -> int:
    """Objects of a type whose pointers are from `first` on, and before `end`, wait no more, nor held back.

    How many rows that were. Those of a batch, which is being told, stay.
    """
    which = {"peer": peer, "of_type": type, "first": first, "end": end}
    return sum(c.execute(statement, which).rowcount for statement in _WITHDRAW)


def fixed(c: Connection, peer: bytes, number: int) -> tuple[Waiting, ...]:
    """The rows of the batch `number`, which was fixed and not delivered yet."""
    return tuple(Waiting(*row) for row in c.execute(_FIXED_ROWS, {"peer": peer, "of_batch": number}))


def first(c: Connection, peer: bytes, limit: int) -> tuple[Waiting, ...]:
    """The first rows that are in no batch, and not held back."""
    return tuple(Waiting(*row) for row in c.execute(_FIRST, {"peer": peer, "limit": limit}))


def are_free(c: Connection, peer: bytes, least: int) -> bool:
    """Whether at least so many rows are in no batch, and not held back."""
    return bool(c.execute(_COUNT_FREE, {"peer": peer, "limit": least}).scalar_one() >= least)


def fix(c: Connection, peer: bytes, number: int, limit: int) -> tuple[Waiting, ...]:
    """Make the first rows that are in no batch the batch `number`, which is there no more, or not yet."""
    rows = first(c, peer, limit)
    if rows:
        # They are the first ones: so nothing else is up to there.
        c.execute(_FIX, {"peer": peer, "upto": rows[-1].position, "number": number})
    return rows


def is_overtaken(c: Connection, peer: bytes) -> bool:
    """Whether there is a batch, with rows that are not urgent, and an urgent row that is not in it."""
    last = c.execute(_LAST_FIXED, {"peer": peer}).scalar_one_or_none()
    return last is not None and last >= NOT_URGENT and c.execute(_HURRIES, {"peer": peer}).first() is not None


def let_go(c: Connection, peer: bytes, number: int = 0, first: int | None = None) -> int:
    """The rows of all batches behind `number` wait again; of itself those from position `first` on.

    How many are gone, as the same objects have changed since, and waited twice. What is told is how an object
    is by then, so it stays in its first place: others that are told behind it were noted behind it.
    """
    doubled = 0
    # The newest first: what has changed since an older one was fixed is in there, and waits then.
    for each in c.execute(_BEHIND, {"peer": peer, "of_batch": number}).scalars().all():
        doubled += _let_go_of(c, peer, each, 0)
    return doubled if first is None else doubled + _let_go_of(c, peer, number, first)


def _let_go_of(c: Connection, peer: bytes, number: int, first: int) -> int:
    which = {"peer": peer, "of_batch": number, "first": first}
    changed = [Waiting(*row) for row in c.execute(_CHANGED, which)]
    for row in changed:
        again = {"peer": peer, "of_type": row.type, "of_pointer": row.pointer, "place": row.position}
        if not c.execute(_DELETE_BEHIND, again).rowcount:
            c.execute(_DELETE, {"peer": peer, "place": row.position})  # it is urgent by now
    c.execute(_LET_GO, which)
    return len(changed)


def remove(c: Connection, peer: bytes, rows: Sequence[Waiting]) -> int:
    """These do not wait any more; how many there were."""
    return sum(c.execute(_DELETE, {"peer": peer, "place": row.position}).rowcount for row in rows)


def remove_fixed(c: Connection, peer: bytes, number: int) -> int:
    """The batch was delivered; how many rows it had."""
    return c.execute(_DELETE_FIXED, {"peer": peer, "of_batch": number}).rowcount


def unchanged(c: Connection, peer: bytes, number: int, rows: Sequence[Waiting]) -> list[Waiting]:
    """Those of the batch `number` whose objects do not wait once more, as they have not changed since."""
    changed = set(waiting(c, peer, [row[1:] for row in rows], number))
    return [row for row in rows if row[1:] not in changed]


def waiting(
    c: Connection, peer: bytes, objects: Sequence[tuple[str, bytes]], number: int = 0
) -> list[tuple[str, bytes]]:
    """Those objects that wait, be it held back, or in a batch behind `number` that is not delivered yet."""
    under_way = {tuple(row) for row in c.execute(_ROWS_BEHIND, {"peer": peer, "of_batch": number})}

    def waits(each: tuple[str, bytes]) -> bool:
        row = {"peer": peer, "of_type": each[0], "of_pointer": each[1]}
        return any(c.execute(found, row).first() is not None for found in (_WAITS, _IS_HELD))

    return [each for each in objects if each in under_way or waits(each)]


def hold(c: Connection, peer: bytes, rows: Sequence[tuple[Waiting, int]]) -> int:
    """Hold back these rows of a batch, each for itself, until a time in seconds since 1970.

    How many are gone instead, as the same objects wait already, or were held back before.
    """
    fewer = 0
    for row, until in rows:
        fewer += c.execute(
            _DELETE_HELD, {"peer": peer, "of_type": row.type, "of_pointer": row.pointer}
        ).rowcount
        c.execute(_HOLD, {"peer": peer, "place": row.position, "until": until})
    return fewer + c.execute(_DELETE_HELD_OLDER, {"peer": peer}).rowcount


def release(c: Connection, peer: bytes, now: int, longest: int) -> int:
    """What is held back until `now`, or for longer than `longest` seconds, waits again.

    How many are gone instead, as the same objects wait already.
    """
    doubled = c.execute(_DELETE_HELD_OLDER, {"peer": peer}).rowcount
    c.execute(_RELEASE, {"peer": peer, "due": -now, "beyond": -now - longest})
    return doubled


def first_due(c: Connection, peer: bytes) -> int | None:
    """Until when the first of what is held back for a node waits."""
    batch: int | None = c.execute(_FIRST_DUE, {"peer": peer}).scalar_one_or_none()
    return None if batch is None else -batch


def holding(c: Connection) -> list[bytes]:
    """The nodes for which something is held back."""
    return list(c.execute(_HOLDING).scalars())


def held(c: Connection) -> int:
    """How many rows are held back."""
    return int(c.execute(_COUNT_HELD).scalar_one())


def waiting_since(c: Connection, peer: bytes, row: Waiting) -> int:
    """The hour (since 1970) since which a row waits."""
    hour: int = c.execute(_SINCE, {"peer": peer, "place": row.position}).scalar_one_or_none() or 0
    return hour


def older(
    c: Connection, peer: bytes, hour: int, lasting: Collection[str], after: int, limit: int
) -> tuple[Waiting, ...]:
    """What has waited since before `hour` (since 1970), behind a position, in that order.

    Types that are `lasting` are never too old.
    """
    asked = {"peer": peer, "hour": hour, "lasting": list(lasting), "after": after, "limit": limit}
    return tuple(Waiting(*row) for row in c.execute(_OLDER, asked))


def drop_older(c: Connection, peer: bytes, hour: int, lasting: Collection[str]) -> int:
    """What has waited since before `hour` (since 1970) waits no more; how many rows that were."""
    return c.execute(_DROP, {"peer": peer, "hour": hour, "lasting": list(lasting)}).rowcount


def last_position(c: Connection) -> int:
    """The highest position that is there, without `NOT_URGENT`; 0 where nothing waits."""
    positions = select(func.max(outbox.c.position))
    plain: int = c.execute(positions).scalar_one() or 0
    urgent: int = c.execute(positions.where(outbox.c.position < NOT_URGENT)).scalar_one() or 0
    return max(plain - NOT_URGENT, urgent)
