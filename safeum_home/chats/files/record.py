"""What is sealed of a file besides its octets: whose it is, how large, and its key, under the chat's key."""

from collections.abc import Callable
from typing import NamedTuple

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
    """`key` is the file's own, sealed; `account` is who has uploaded it."""

    file: FileId
    account: AccountId
    size: int
    type: str
    key: bytes
    source: Source | None = None


class OpenFile(NamedTuple):
    """A file whose key is in memory. Whoever opened it wipes the key. `source`: another node has it."""

    id: FileId
    account: AccountId
    size: int
    type: str
    blob: bytes
    key: Key
    source: Source | None = None


GetKey = Callable[[], Key]
_OWN = b"\x01"
"""What sealed octets begin with (`sealing.keys`), and no record does."""
_records = SealedRecords(FileRecord)


def seal_upload(key: Key, blind: bytes, file: OpenFile, own: Key | None = None) -> bytes:
    """What goes into the row of an upload with the index `blind`; `own` is destroyed with it."""
    return _seal(key, file, b"upload" + blind, own)


def seal_file(key: Key, chat: bytes, position: int, file: OpenFile, own: Key | None = None) -> bytes:
    """What goes into the row of a message's file; `own` is destroyed with it."""
    return _seal(key, file, _of_message(chat, position), own)


def open_upload(key: Key, row: UploadRow, own: GetKey) -> OpenFile:
    """`own` gives the row's own key, where it has one. Raises `Tampered`."""
    return _open(key, row.sealed, b"upload" + row.file, row.blob, own)


def open_file(key: Key, row: FileRow, own: GetKey) -> OpenFile:
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


def _open(key: Key, sealed: bytes, context: bytes, blob: bytes, own: GetKey) -> OpenFile:
    plain = key.open(sealed, context)
    if plain[:1] != _OWN:
        return _opened(key, plain, blob)
    inner = own()
    try:
        return _opened(inner, inner.open(plain, context), blob)
    finally:
        inner.wipe()


def _opened(key: Key, plain: bytes, blob: bytes) -> OpenFile:
    record = _records.decode(plain)
    own = key.open_key(record.key, b"file key" + blob)
    return OpenFile(record.file, record.account, record.size, record.type, blob, own, record.source)
