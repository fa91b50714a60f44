"""What is sealed of a file besides its octets: whose it is, how large, and its key, under the chat's key."""

from typing import NamedTuple, Protocol

from msgspec import Struct
from msgspec.structs import replace

from safeum_home.chats.contents import Chat
from safeum_home.chats.sealed_records import SealedRecords
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId, FileId
from safeum_home.ports import Key
from safeum_home.storage.rows import FileRow, UploadRow


class Source(Struct, frozen=True):
    """Where another node has a file: with which message of a chat, for which account, as which file there.

    Without a `reader` it came with a message of a group, and whoever reads it here asks for it himself.
    """

    node: str
    chat: ChatId
    message: str
    reader: AccountId | None
    file: FileId

    def read_by(self, account: AccountId) -> "Source":
        """The same, asked for by somebody: by an account of this node, where it names nobody."""
        return self if self.reader is not None else replace(self, reader=account)


class FileRecord(Struct, frozen=True, omit_defaults=True):
    """`key` is the file's own, sealed; `account` is who has uploaded it.

    Of voicemail it is sealed under the key of the `day` on which that was left.
    """

    file: FileId
    account: AccountId
    size: int
    type: str
    key: bytes
    source: Source | None = None
    day: int | None = None


class OpenFile(NamedTuple):
    """A file whose key is in memory. Whoever opened it wipes the key. `source`: another node has it."""

    id: FileId
    account: AccountId
    size: int
    type: str
    blob: bytes
    key: Key
    source: Source | None = None


class GetKeys(Protocol):
    """Gives keys that a row's own octets are sealed under; each raises `Tampered` where there is none."""

    def __call__(self) -> Key:
        """The row's own key."""

    def of_day(self, day: int) -> Key:
        """That of a day, for voicemail."""


_OWN = b"\x01"
"""What sealed octets begin with (`sealing.keys`), and no record does."""
_records = SealedRecords(FileRecord)


def seal_upload(key: Key, blind: bytes, file: OpenFile, own: Key | None = None) -> bytes:
    """What goes into the row of an upload with the index `blind`; `own` is destroyed with it."""
    return _seal(key, file, b"upload" + blind, own)


def seal_file(key: Key, chat: bytes, position: int, file: OpenFile, own: Key | None = None) -> bytes:
    """What goes into the row of a message's file; `own` is destroyed with it."""
    return _seal(key, file, _of_message(chat, position), own)


def seal_voicemail(
    key: Key, chat: bytes, position: int, file: OpenFile, own: Key, day: int, day_key: Key
) -> bytes:
    """The same of voicemail: nobody opens it when its own key is destroyed, or that of its day."""
    inner = day_key.seal_key(file.key, b"file key" + file.blob)
    plain = _records.encode(FileRecord(file.id, file.account, file.size, file.type, inner, day=day))
    context = _of_message(chat, position)
    return key.seal(own.seal(plain, context), context)


def open_upload(key: Key, row: UploadRow, own: GetKeys) -> OpenFile:
    """`own` gives the row's own key, where it has one. Raises `Tampered`."""
    return _open(key, row.sealed, b"upload" + row.file, row.blob, own)


def open_file(key: Key, row: FileRow, own: GetKeys) -> OpenFile:
    """`own` gives the row's own key, where it has one. Raises `Tampered`."""
    return _open(key, row.sealed, _of_message(row.chat, row.position), row.blob, own)


def unreadable(chat: Chat) -> Problem:
    """What is wrong where something of `chat` does not open: its key may be another one by now."""
    return Problem(Code.BUSY, retry_after=1.0) if chat.stale else Problem(Code.FILE_LOST)


def _of_message(chat: bytes, position: int) -> bytes:
    return b"file" + chat + position.to_bytes(8, "big")


def _seal(key: Key, file: OpenFile, context: bytes, own: Key | None) -> bytes:
    inner = (own or key).seal_key(file.key, b"file key" + file.blob)
    plain = _records.encode(FileRecord(file.id, file.account, file.size, file.type, inner, file.source))
    return key.seal(plain if own is None else own.seal(plain, context), context)


def _open(key: Key, sealed: bytes, context: bytes, blob: bytes, own: GetKeys) -> OpenFile:
    plain = key.open(sealed, context)
    if plain[:1] != _OWN:
        return _opened(key, _records.decode(plain), blob)
    inner = own()
    try:
        record = _records.decode(inner.open(plain, context))
        if record.day is None:
            return _opened(inner, record, blob)
    finally:
        inner.wipe()
    day = own.of_day(record.day)
    try:
        return _opened(day, record, blob)
    finally:
        day.wipe()


def _opened(key: Key, record: FileRecord, blob: bytes) -> OpenFile:
    own = key.open_key(record.key, b"file key" + blob)
    return OpenFile(record.file, record.account, record.size, record.type, blob, own, record.source)
