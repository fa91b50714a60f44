"""Files: uploads that are under way, files of messages, and the blobs that both refer to.

A blob goes when its last row does: its name is then noted in `dropped` by the same transaction, and the
janitor deletes it from the store afterwards. So a crash leaves nothing behind that nobody knows of.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

from sqlalchemy import ColumnElement, Connection, bindparam, delete, exists, func, insert, select, update

from safeum_home.storage.fetched import disown_copies, drop_copies
from safeum_home.storage.keys import FLEETING
from safeum_home.storage.many import Many
from safeum_home.storage.rows import FileRow, UploadRow
from safeum_home.storage.schema import blobs, fetched, files, members, posts, uploads

NOBODY = bytes(16)
"""Whose blobs are those of accounts that were closed."""
_UPLOAD = select(uploads).where(uploads.c.file == bindparam("file"))
_OF_FILE = (
    select(files)
    .join(members, members.c.chat == files.c.chat)
    .where(
        files.c.file == bindparam("file"),
        members.c.account == bindparam("account"),
        files.c.position > members.c.visible,
    )
    .order_by(files.c.position.desc())
    .limit(bindparam("limit"))
)
_IN_CHAT = (
    select(files)
    .where(files.c.file == bindparam("file"), files.c.chat == bindparam("chat"))
    .order_by(files.c.position.desc())
    .limit(bindparam("limit"))
)
_COUNT_IN = select(func.count()).select_from(files).where(files.c.chat == bindparam("chat"))
_FILE = select(files).where(files.c.chat == bindparam("chat"), files.c.position == bindparam("position"))
_USED = select(func.coalesce(func.sum(blobs.c.size), 0)).where(blobs.c.account == bindparam("account"))
_WAITING = (
    select(func.count())
    .select_from(uploads.join(blobs, blobs.c.blob == uploads.c.blob))
    .where(blobs.c.account == bindparam("account"))
)
_OF_ACCOUNT = (
    select(uploads.c.file)
    .join(blobs, blobs.c.blob == uploads.c.blob)
    .where(blobs.c.account == bindparam("account"))
)
_POSTED = select(posts.c.chat, posts.c.position).where(posts.c.account == bindparam("account"))
_DROP = Many("INSERT INTO dropped (blob) {rows} ON CONFLICT DO NOTHING", ("bytea",))
_DELETE_BLOBS = Many("DELETE FROM blobs WHERE (blob) IN ({rows})", ("bytea",))
_REFERRED = (
    Many("SELECT blob FROM uploads WHERE (blob) IN ({rows})", ("bytea",)),
    Many("SELECT blob FROM files WHERE (blob) IN ({rows})", ("bytea",)),
)
_HAVE_ROWS = Many("SELECT blob FROM blobs WHERE (blob) IN ({rows})", ("bytea",))
_SOME = 500
"""Values in one list of SQL."""
_OTHERS = files.alias()
_HEIR = (
    select(_OTHERS.c.account)
    .where(_OTHERS.c.blob == blobs.c.blob, _OTHERS.c.account != NOBODY)
    .order_by(_OTHERS.c.position)
    .limit(1)
    .scalar_subquery()
)
# Blobs that nobody holds any more for whom they count: they count for whoever sent them next.
_INHERIT = (
    update(blobs)
    .where(
        ~exists().where(files.c.blob == blobs.c.blob, files.c.account == blobs.c.account),
        ~exists().where(uploads.c.blob == blobs.c.blob),
    )
    .values(account=func.coalesce(_HEIR, NOBODY))
)


def file_owner(chat: bytes, position: int) -> bytes:
    """The owner, in table `keys`, of the key that the file of a message may have for itself."""
    return blake2b(chat + position.to_bytes(8, "big"), digest_size=16, person=b"safeum file key").digest()


def upload_owner(file: bytes) -> bytes:
    """The same for an upload, by the index of its file."""
    return blake2b(file, digest_size=16, person=b"safeum upload").digest()


# --- uploads -------------------------------------------------------------------------------------------


def begin_upload(c: Connection, row: UploadRow, account: bytes, size: int) -> None:
    """Store a new upload with its blob, which counts as `account`'s from now on."""
    c.execute(insert(blobs), {"blob": row.blob, "account": account, "size": size})
    c.execute(insert(uploads), row._asdict())


def upload(c: Connection, file: bytes) -> UploadRow | None:
    row = c.execute(_UPLOAD, {"file": file}).first()
    return UploadRow(*row) if row else None


def advance(c: Connection, file: bytes, before: int, received: int, tail: bytes, ends: int) -> bool:
    """An upload that had `before` octets has `received`; False, and nothing is changed, where it had not."""
    changed = c.execute(
        update(uploads)
        .where(uploads.c.file == file, uploads.c.received == before)
        .values(received=received, tail=tail, ends=ends)
    )
    return bool(changed.rowcount)


def drop_upload(c: Connection, file: bytes) -> None:
    """Throw an upload away; where there is none nothing happens."""
    _drop_uploads(c, uploads.c.file == file)


def used(c: Connection, account: bytes) -> int:
    """Octets of all that counts as an account's."""
    return int(c.execute(_USED, {"account": account}).scalar_one())


def waiting(c: Connection, account: bytes) -> int:
    """How many uploads of an account no message refers to."""
    return int(c.execute(_WAITING, {"account": account}).scalar_one())


# --- files of messages ---------------------------------------------------------------------------------


def attach(c: Connection, row: FileRow) -> None:
    """A message has a file: a new one, whose upload is thus over, or one that was forwarded."""
    c.execute(insert(files), row._asdict())
    _drop_uploads(c, uploads.c.file == row.file, uploads.c.blob == row.blob)


def attach_new(c: Connection, row: FileRow, size: int) -> None:
    """A message has a file that was never an upload: it counts as that of the account of its row."""
    c.execute(insert(blobs), {"blob": row.blob, "account": row.account, "size": size})
    c.execute(insert(files), row._asdict())


def count_files(c: Connection, chat: bytes) -> int:
    """How many messages of a chat have a file."""
    return int(c.execute(_COUNT_IN, {"chat": chat}).scalar_one())


def is_there(c: Connection, blob: bytes) -> bool:
    """Whether a blob is still referred to."""
    return bool(with_rows(c, [blob]))


def with_rows(c: Connection, names: Sequence[bytes]) -> set[bytes]:
    """Those of some blobs that are still referred to."""
    return {found[0] for found in _HAVE_ROWS.fetch(c, [(blob,) for blob in names])}


def file(c: Connection, chat: bytes, position: int) -> FileRow | None:
    row = c.execute(_FILE, {"chat": chat, "position": position}).first()
    return FileRow(*row) if row else None


def uses_of(c: Connection, file: bytes, account: bytes, limit: int) -> list[FileRow]:
    """Messages with a file, in chats that an account is in; the newest first."""
    rows = c.execute(_OF_FILE, {"file": file, "account": account, "limit": limit})
    return [FileRow(*row) for row in rows]


def uses_in(c: Connection, chat: bytes, file: bytes, limit: int) -> list[FileRow]:
    """Messages of a chat with a file; the newest first."""
    rows = c.execute(_IN_CHAT, {"file": file, "chat": chat, "limit": limit})
    return [FileRow(*row) for row in rows]


def is_open_to(c: Connection, file: bytes, account: bytes) -> bool:
    """Whether a file is an upload, or in a message that an account can see."""
    return upload(c, file) is not None or bool(uses_of(c, file, account, 1))


def drop(c: Connection, chat: bytes, position: int) -> None:
    """The message at `position` is deleted, and its file with it, where it has one."""
    _drop_where(c, files.c.chat == chat, files.c.position == position)


def shut_upto(c: Connection, chat: bytes, position: int) -> None:
    """All messages of a chat up to `position` are erased, and so are uploads for it: its key changes.

    Keys that files have for themselves go at once; the rows, which may be many, are left to `drop_some`.
    """
    own = select(files.c.position).where(files.c.chat == chat, files.c.position <= position, files.c.ends > 0)
    _drop_keys(c, [file_owner(chat, one) for one in c.execute(own).scalars()])
    drop_uploads_of(c, chat)


def move(c: Connection, row: FileRow, to: FileRow) -> None:
    """The message of a file has another place than what waited for it; its key of its own stays behind."""
    c.execute(insert(files), to._asdict())
    drop(c, row.chat, row.position)


def drop_posted(c: Connection, chat: bytes) -> None:
    """What accounts here have written into a group of another node, and waits for that, is dropped."""
    _drop_where(
        c, files.c.chat == chat, files.c.position.in_(select(posts.c.position).where(posts.c.chat == chat))
    )


def drop_some(c: Connection, chat: bytes, upto: int, limit: int) -> bool:
    """Drop the first files of a chat up to a position, `limit` at the most; False where there is none."""
    mine = (files.c.chat == chat) & (files.c.position <= upto)
    first = select(files.c.position).where(mine).order_by(files.c.position).limit(limit)
    positions = list(c.execute(first).scalars())
    if positions:
        _drop_where(c, files.c.chat == chat, files.c.position <= positions[-1])
    return bool(positions)


def drop_chat(c: Connection, chat: bytes) -> None:
    """A chat is erased."""
    _drop_where(c, files.c.chat == chat)
    drop_uploads_of(c, chat)


def drop_uploads_of(c: Connection, chat: bytes) -> None:
    """Throw away all uploads for a chat."""
    _drop_uploads(c, uploads.c.chat == chat)


def drop_account(c: Connection, account: bytes) -> None:
    """An account is closed: its uploads go; what it sent to others is theirs, and nobody's share."""
    own = list(c.execute(_OF_ACCOUNT, {"account": account}).scalars())
    for file in own:
        _drop_uploads(c, uploads.c.file == file)
    for chat, position in c.execute(_POSTED, {"account": account}).all():
        drop(c, chat, position)
    disown_copies(c, account)
    for table in (files, blobs, fetched):
        c.execute(update(table).where(table.c.account == account).values(account=NOBODY))


def _drop_where(c: Connection, *conditions: ColumnElement[bool]) -> None:
    rows = c.execute(select(files.c.chat, files.c.position, files.c.blob).where(*conditions)).all()
    if rows:
        c.execute(delete(files).where(*conditions))
        _drop_keys(c, [file_owner(row.chat, row.position) for row in rows])
        release(c, [row.blob for row in rows])


def _drop_uploads(c: Connection, *conditions: ColumnElement[bool]) -> int:
    rows = c.execute(select(uploads.c.file, uploads.c.blob).where(*conditions)).all()
    if rows:
        c.execute(delete(uploads).where(*conditions))
        _drop_keys(c, [upload_owner(row.file) for row in rows])
        release(c, [row.blob for row in rows])
    return len(rows)


def _drop_keys(c: Connection, owners: Sequence[bytes]) -> None:
    """Drop the keys of their own that these have, if they have any."""
    for first in range(0, len(owners), _SOME):
        some = owners[first : first + _SOME]
        epoch = FLEETING.newest_epoch(c, some)
        if epoch is not None:
            FLEETING.delete_keys(c, some)
            FLEETING.mark_erased(c, epoch)


def release(c: Connection, names: Iterable[bytes]) -> None:
    """Rows that referred to these blobs are gone: note those that nothing refers to any more.

    What others still refer to, and who it counts for no more, counts for one of those.
    """
    asked = [(blob,) for blob in set(names)]
    if not asked:
        return
    kept = {found[0] for query in _REFERRED for found in query.fetch(c, asked)}
    gone = [row for row in asked if row[0] not in kept]
    _DROP.change(c, gone)
    _DELETE_BLOBS.change(c, gone)
    drop_copies(c, [row[0] for row in gone])
    left = sorted(kept)
    for first in range(0, len(left), _SOME):
        c.execute(_INHERIT.where(blobs.c.blob.in_(left[first : first + _SOME])))
