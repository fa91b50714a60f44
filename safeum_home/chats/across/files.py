"""Files of messages that came from other nodes: what they are called here, and where they are fetched.

Nothing of a file comes with its message. The row that it gets says where it is to be had, under the chat's
key: so it goes with the message, and with the key.
"""

from collections.abc import Callable
from secrets import token_bytes
from typing import NamedTuple, TypeVar

from msgspec import structs
from sqlalchemy import Connection

from safeum_home import ids
from safeum_home.chats.contents import Chat, ChatContents
from safeum_home.chats.files.own_keys import OwnKey, opener
from safeum_home.chats.files.record import OpenFile, Source, open_file, seal_file
from safeum_home.config import FileSection
from safeum_home.errors import Tampered
from safeum_home.ids import AccountId, FileId
from safeum_home.ports import Blinder, Keyring
from safeum_home.ports.files import BLOB_SIZE
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.files import AnyFile
from safeum_home.storage import files
from safeum_home.storage.fetched import add_foreign
from safeum_home.storage.rows import FileRow

AnyChat = Chat | ChatContents
F = TypeVar("F", bound=AnyFile)


def node_with(chat: AnyChat, sender: AccountId) -> str:
    """The node that has the file of a message which `sender` has written into a chat.

    It is asked with the id that the message has there (`Message.origin`), on behalf of a member. In groups
    too that is the author's node: whose octets they are, and whose room, does not hang on the group's node,
    and that need not hold what others write.
    """
    return node_of(sender)


class Told(NamedTuple):
    """The message that a file came with: who wrote it, its id at the node that has the file, for whom.

    That is None in a group, where each member asks for himself.
    """

    sender: AccountId
    message: str
    reader: AccountId | None


class ForeignFiles:
    """Makes rows for them. `now` is in milliseconds."""

    def __init__(
        self, blinder: Blinder, fleeting: Keyring, section: FileSection, now: Callable[[], int]
    ) -> None:
        self._blinder = blinder
        self._fleeting = fleeting
        self._section = section
        self._now = now

    def body(self, chat: AnyChat, sender: AccountId, told: F) -> F:
        """What clients of this node see: an id that no node can make up to be another file's.

        The same file is the same here, each time that it is sent into the chat.
        """
        about = f"file\0{chat.id}\0{told.file}\0{told.size}\0{told.type}"
        index = self._blinder.foreign(node_with(chat, sender), about)
        return structs.replace(told, file=ids.foreign_file_id(index))

    def attach(
        self, c: Connection, chat: AnyChat, position: int, told: Told, body: AnyFile, kept: bool
    ) -> None:
        """In the transaction that stores a message: it has this file, as its node describes it.

        `kept`: whether the message is.
        """
        here = self.body(chat, told.sender, body)
        blind, account = self._blinder.file(FileId(here.file)), self._blinder.account(told.sender)
        source = Source(node_with(chat, told.sender), chat.id, told.message, told.reader, FileId(body.file))
        file = self._known(c, chat, blind)
        if file is None:
            blob, key = token_bytes(BLOB_SIZE), chat.key.fresh()
            file = OpenFile(FileId(here.file), told.sender, here.size, here.type, blob, key)
            add_foreign(c, blob, account, here.size)
        own, ends = None, 0
        if not kept:
            own = OwnKey(self._fleeting, files.file_owner(chat.blind, position))
            ends = self._now() + int(self._section.without_history_seconds * 1000)
        try:
            file = file._replace(source=source)
            sealed = seal_file(chat.key, chat.blind, position, file, None if own is None else own.key)
        finally:
            file.key.wipe()
            if own is not None:
                own.key.wipe()
        files.attach(c, FileRow(chat.blind, position, account, blind, file.blob, ends, sealed))
        if own is not None:
            own.store(c)

    def _known(self, c: Connection, chat: AnyChat, file: bytes) -> OpenFile | None:
        """The file, where another message of the chat has it, too."""
        for row in files.uses_in(c, chat.blind, file, 1):
            try:
                return open_file(chat.key, row, opener(c, self._fleeting, row))
            except Tampered:
                return None
        return None
