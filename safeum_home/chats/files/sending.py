"""A message with a file: one that was uploaded for it, or one that its sender can see elsewhere."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from safeum_home.chats.contents import Chat, ChatKind
from safeum_home.chats.files.own_keys import OwnKey, opener
from safeum_home.chats.files.record import OpenFile, open_file, open_upload, seal_file, unreadable
from safeum_home.chats.opening import ChatOpener
from safeum_home.config import FileSection
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId, FileId
from safeum_home.ports import Blinder, Database, Keyring
from safeum_home.protocol.files import AnyFile
from safeum_home.storage import files
from safeum_home.storage.events import append_events
from safeum_home.storage.rows import FileRow, NewEvent

_LOOKED_AT = 8
"""Messages with the same file among which one is looked for that opens."""


class Attachments:
    """Finds the files that accounts may put into messages. `now` is in milliseconds."""

    def __init__(
        self,
        database: Database,
        fleeting: Keyring,
        blinder: Blinder,
        chats: ChatOpener,
        section: FileSection,
        now: Callable[[], int],
    ) -> None:
        self._database = database
        self._fleeting = fleeting
        self._blinder = blinder
        self._chats = chats
        self._section = section
        self._now = now

    async def find(self, account: AccountId, chat: Chat, body: AnyFile) -> "Attachment":
        """The file of `body`, for a message of `account` into `chat`.

        Raises `not_found`, `upload_incomplete`, `file_lost` where what is kept of it is damaged, and
        `file_mismatch` where the body says something else than
        what was seen of the file.
        """
        return await self._database.read(lambda c: self.found(c, account, chat, body))

    def found(self, c: Connection, account: AccountId, chat: Chat, body: AnyFile) -> "Attachment":
        """The same inside a transaction, or on a reading connection and in its thread."""
        blind = self._blinder.file(FileId(body.file))
        file = self._uploaded(c, account, chat, blind) or self._seen(c, account, blind)
        if (file.id, file.size, file.type) != (body.file, body.size, body.type):
            file.key.wipe()
            raise Problem(Code.FILE_MISMATCH)
        ends = self._now() + int(self._section.without_history_seconds * 1000)
        return Attachment(file, blind, self._blinder.account(account), self._fleeting, ends)

    def _uploaded(self, c: Connection, account: AccountId, chat: Chat, blind: bytes) -> OpenFile | None:
        row = files.upload(c, blind)
        if row is None or row.chat != chat.blind:
            return None
        try:
            file = open_upload(chat.key, row, opener(c, self._fleeting, row))
        except Tampered:
            raise unreadable(chat) from None
        if file.account == account and row.received == file.size:
            return file
        file.key.wipe()
        if file.account == account:
            raise Problem(Code.UPLOAD_INCOMPLETE)
        return None

    def _seen(self, c: Connection, account: AccountId, blind: bytes) -> OpenFile:
        """A file of a message that an account can see."""
        open_chat = self._chats.opener(c, account)
        for row in files.uses_of(c, blind, self._blinder.account(account), _LOOKED_AT):
            try:
                if open_chat(row.chat).kind is ChatKind.VOICEMAIL:
                    continue  # it would outlive the day that it was left for
                file = open_file(open_chat(row.chat).key, row, opener(c, self._fleeting, row))
            except Tampered:
                continue
            source = file.source
            return file._replace(source=None if source is None else source.read_by(account))
        raise Problem(Code.NOT_FOUND, "there is no such file, or it is not for you")


class Attachment:
    """A file that was found. Wipe it after use.

    In a chat without history it gets a key of its own, and is dropped at `ends` (milliseconds).
    """

    def __init__(self, file: OpenFile, blind: bytes, account: bytes, fleeting: Keyring, ends: int) -> None:
        """`blind` and `account` are the blind indexes of the file, and of who sends it."""
        self._file = file
        self._blind = blind
        self._account = account
        self._fleeting = fleeting
        self._ends = ends

    def storing(
        self, chat: Chat, row: NewEvent, event: Callable[[Connection], int | None] | None = None
    ) -> Callable[[Connection], int | None]:
        """What stores a message with this file, in a transaction of this turn; as `append_events` does.

        `event` stores the message alone, where that is not what `append_events` does. It raises `not_found`
        where the file is gone by then.
        """
        attach = self.attaching(chat, row.position)

        def store(c: Connection) -> int | None:
            earlier = append_events(c, [row])[0] if event is None else event(c)
            if earlier is None:
                attach(c)
            return earlier

        return store

    def attaching(self, chat: Chat, position: int) -> Callable[[Connection], None]:
        """What stores the file of the message at `position`, in a transaction of this turn."""
        own, ends = None, 0
        if not chat.record.history:
            own, ends = OwnKey(self._fleeting, files.file_owner(chat.blind, position)), self._ends
        sealed = seal_file(chat.key, chat.blind, position, self._file, None if own is None else own.key)
        row = FileRow(chat.blind, position, self._account, self._blind, self._file.blob, ends, sealed)

        def attach(c: Connection) -> None:
            # It may have been erased where its sender saw it, and its row not be swept away yet.
            if not files.is_there(c, row.blob) or not files.is_open_to(c, row.file, self._account):
                raise Problem(Code.NOT_FOUND, "the file is gone")
            files.attach(c, row)
            if own is not None:
                own.store(c)

        if own is not None:
            own.key.wipe()
        return attach

    def wipe(self) -> None:
        """Zero its key."""
        self._file.key.wipe()


def drop(c: Connection, chat: bytes, positions: Sequence[int]) -> None:
    """Messages are deleted, and their files with them, where they have any. Inside a transaction."""
    for position in positions:
        files.drop(c, chat, position)
