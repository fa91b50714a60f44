"""What the janitor of files asks of their rows: what is over, and how the store compares with them."""

from collections.abc import Sequence

from sqlalchemy import Connection, and_, bindparam, exists, or_, select, tuple_

from safeum_home.ports.files import CHUNK
from safeum_home.storage.fetched import stored_among
from safeum_home.storage.files import drop, drop_upload, release, with_rows
from safeum_home.storage.many import Many
from safeum_home.storage.rows import FilePlace
from safeum_home.storage.schema import blobs, dropped, events, fetched, files, posts, strays, uploads

_DELETE_DROPPED = Many("DELETE FROM dropped WHERE (blob) IN ({rows})", ("bytea",))
# What is less than a chunk, and not all of an upload, is in its row alone.
_HAS_OCTETS = or_(
    uploads.c.received >= CHUNK, and_(uploads.c.received > 0, uploads.c.received == blobs.c.size)
)
_STORED = or_(
    exists().where(files.c.blob == blobs.c.blob),
    exists().where(uploads.c.blob == blobs.c.blob, _HAS_OCTETS),
)
_BEGUN = (
    select(uploads.c.file)
    .join(blobs, blobs.c.blob == uploads.c.blob)
    .where(uploads.c.blob == bindparam("blob"), _HAS_OCTETS)
)
_OF_MESSAGES = select(exists().where(files.c.blob == bindparam("blob")))
# What another node has is fetched again where it is missing.
_FOREIGN = exists().where(fetched.c.blob == blobs.c.blob)
_PAGE = (
    select(blobs.c.blob).where(blobs.c.blob > bindparam("after"), _STORED, ~_FOREIGN).order_by(blobs.c.blob)
)
_DROPPED = select(dropped.c.blob).where(dropped.c.blob > bindparam("after")).order_by(dropped.c.blob)
_NOTE_STRAYS = Many("INSERT INTO strays (blob, seen) {rows} ON CONFLICT DO NOTHING", ("bytea", "bigint"))
_FORGET_STRAYS = Many("DELETE FROM strays WHERE (blob) IN ({rows})", ("bytea",))
_OWN_EVENT = (events.c.chat == files.c.chat) & (events.c.position == files.c.position)
# What waits for the node of a group has no message yet.
_POSTED = exists().where(posts.c.position == files.c.position)
_ALONE = events.c.position.is_(None) & (files.c.ends == 0) & ~_POSTED
_AFTER = (
    select(files.c.chat, files.c.position, _ALONE.label("alone"))
    .outerjoin(events, _OWN_EVENT)
    .where(tuple_(files.c.chat, files.c.position) > tuple_(bindparam("chat"), bindparam("position")))
    .order_by(files.c.chat, files.c.position)
    .limit(bindparam("limit"))
)


def drop_over(c: Connection, now: int, limit: int) -> int:
    """Throw away uploads, and files of messages, whose time is over: up to `limit` of each; how many."""
    over = list(c.execute(select(uploads.c.file).where(uploads.c.ends <= now).limit(limit)).scalars())
    ended = select(files.c.chat, files.c.position).where(files.c.ends > 0, files.c.ends <= now)
    rows = c.execute(ended.limit(limit)).all()
    for file in over:
        drop_upload(c, file)
    for row in rows:
        drop(c, row.chat, row.position)
    return len(over) + len(rows)


def files_after(c: Connection, after: FilePlace, limit: int) -> list[tuple[FilePlace, bool]]:
    """Files of messages behind a place, in their order; and whether its message is gone, and it should be."""
    rows = c.execute(_AFTER, {"chat": after.chat, "position": after.position, "limit": limit})
    return [(FilePlace(row.chat, row.position), bool(row.alone)) for row in rows]


def dropped_blobs(c: Connection, after: bytes, limit: int) -> list[bytes]:
    """Blobs that are to be deleted from the store, in their order."""
    return list(c.execute(_DROPPED.limit(limit), {"after": after}).scalars())


def deleted(c: Connection, names: Sequence[bytes]) -> None:
    """These blobs are in the store no more."""
    _DELETE_DROPPED.change(c, [(blob,) for blob in names])


def without_rows(c: Connection, names: Sequence[bytes]) -> list[bytes]:
    """Those of the blobs of a store that no row knows."""
    known = with_rows(c, names) | stored_among(c, names)
    return [blob for blob in names if blob not in known]


def strays_after(c: Connection, after: bytes, upto: bytes | None) -> dict[bytes, int]:
    """Blobs behind `after`, and up to `upto`, that were noted as known to no row: when, in seconds."""
    query = select(strays.c.blob, strays.c.seen).where(strays.c.blob > after)
    rows = c.execute(query if upto is None else query.where(strays.c.blob <= upto))
    return {row.blob: row.seen for row in rows}


def note_strays(c: Connection, fresh: Sequence[bytes], gone: Sequence[bytes], now: int) -> None:
    """These blobs were seen that no row knows, and these are in the store no more, or known."""
    _NOTE_STRAYS.change(c, [(blob, now) for blob in fresh])
    _FORGET_STRAYS.change(c, [(blob,) for blob in gone])


def blobs_after(c: Connection, after: bytes, limit: int) -> list[bytes]:
    """Blobs of which the store should have something, in their order."""
    return list(c.execute(_PAGE.limit(limit), {"after": after}).scalars())


def lost(c: Connection, blob: bytes) -> bool:
    """A blob is in the store no more: uploads of it cannot go on. Whether messages have it."""
    for file in list(c.execute(_BEGUN, {"blob": blob}).scalars()):
        drop_upload(c, file)
    release(c, [blob])
    return bool(c.execute(_OF_MESSAGES, {"blob": blob}).scalar_one())
