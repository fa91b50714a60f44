"""A message with a file: one that was uploaded for it, or one that its sender can see elsewhere."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from safeum_home.chats.contents import Chat
from safeum_home.chats.files.record import OpenFile, open_file, open_upload, seal_file
from safeum_home.chats.opening import ChatOpener
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId, FileId
from safeum_home.ports import Blinder, Database, Key
from safeum_home.protocol.files import File
from safeum_home.storage import files
from safeum_home.storage.events import append_events
from safeum_home.storage.rows import FileRow, NewEvent

_LOOKED_AT = 8
"""Messages with the same file among which one is looked for that opens."""


class Attachments:
    """Finds the files that accounts may put into messages."""

    def __init__(self, database: Database, blinder: Blinder, opener: ChatOpener) -> None:
        self._database = database
        self._blinder = blinder
        self._opener = opener

    async def find(self, account: AccountId, chat: Chat, body: File) -> "Attachment":
        """The file of `body`, for a message of `account` into `chat`.

        Raises `not_found`, `upload_incomplete`, and `file_mismatch` where the body says something else than
        what was seen of the file.
        """
        file = FileId(body.file)
        opened = await self._database.read(lambda c: self._find(c, account, chat, file))
        if opened.size != body.size or opened.type != body.type:
            opened.key.wipe()
            raise Problem(Code.FILE_MISMATCH)
        return Attachment(opened, self._blinder.file(file))

    def _find(self, c: Connection, account: AccountId, chat: Chat, file: FileId) -> OpenFile:
        blind = self._blinder.file(file)
        upload = files.upload(c, blind)
        if upload is not None and upload.chat == chat.blind:
            opened = open_upload(chat.key, upload)
            if opened.account == account and opened.id == file:
                if upload.received == opened.size:
                    return opened
                opened.key.wipe()
                raise Problem(Code.UPLOAD_INCOMPLETE)
            opened.key.wipe()
        return self.seen(c, account, blind)

    def seen(self, c: Connection, account: AccountId, blind: bytes) -> OpenFile:
        """A file, by the index of its id, of a message that an account can see; raises `not_found`.

        On a reading connection and in its thread, or inside a transaction. Wipe its key after use.
        """
        open_chat = self._opener.opener(c, account)
        for row in files.uses_of(c, blind, self._blinder.account(account), _LOOKED_AT):
            try:
                return open_file(open_chat(row.chat).key, row)
            except Tampered:
                continue
        raise Problem(Code.NOT_FOUND, "there is no such file, or it is not for you")


class Attachment:
    """A file that was found. Wipe it after use."""

    def __init__(self, file: OpenFile, blind: bytes) -> None:
        self._file = file
        self._blind = blind

    def storing(self, key: Key, row: NewEvent) -> Callable[[Connection], int | None]:
        """What stores a message under the chat's `key`, with this file, in one transaction.

        It returns what `append_events` does, and raises `not_found` where the file is gone by then.
        """
        attached = self.row(key, row.chat, row.position)

        def store(c: Connection) -> int | None:
            earlier = append_events(c, [row])[0]
            if earlier is None:
                attach(c, attached)
            return earlier

        return store

    def row(self, key: Key, chat: bytes, position: int) -> FileRow:
        """The row for the message at `position` of the chat with this index, whose key is `key`."""
        sealed = seal_file(key, chat, position, self._file)
        return FileRow(chat, position, self._blind, self._file.blob, sealed)

    def wipe(self) -> None:
        """Zero its key."""
        self._file.key.wipe()


def attach(c: Connection, row: FileRow) -> None:
    """Store the file of a message, inside its transaction; raises `not_found` where its octets are gone."""
    if not files.is_there(c, row.blob):
        raise Problem(Code.NOT_FOUND, "the file is gone")
    files.attach(c, row)


def forward(c: Connection, source: FileRow, source_key: Key, key: Key, chat: bytes, position: int) -> FileRow:
    """The row of a message that forwards the file of another one: its key under the other chat's `key`."""
    opened = open_file(source_key, source)
    try:
        return FileRow(chat, position, source.file, source.blob, seal_file(key, chat, position, opened))
    finally:
        opened.key.wipe()


def drop(c: Connection, chat: bytes, positions: Sequence[int]) -> None:
    """Messages are deleted, and their files with them, where they have any. Inside a transaction."""
    for position in positions:
        files.drop(c, chat, position)


drop_upto = files.drop_upto
"""All messages of a chat up to a position are erased, and uploads for it are thrown away."""
drop_chat = files.drop_chat
"""All of a chat is erased."""
