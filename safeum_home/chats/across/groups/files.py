"""Files of messages in groups across nodes: each is had from the node of its author, by whoever reads it.

There it waits with its post, and has the place of the message when that comes back.
"""

from contextlib import suppress

from msgspec import structs
from sqlalchemy import Connection

from safeum_home.chats.across.files import AnyChat, ForeignFiles, Told
from safeum_home.chats.contents import ChatContents
from safeum_home.chats.files.own_keys import OwnKey, opener
from safeum_home.chats.files.record import open_file, seal_file
from safeum_home.errors import Tampered
from safeum_home.ids import AccountId
from safeum_home.ports import Keyring
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.files import File
from safeum_home.protocol.types import Body, Secure, file_in
from safeum_home.storage import files


class GroupFiles:
    """What becomes of them inside the transactions that store messages. `fleeting` has keys of their own."""

    def __init__(self, node: str, foreign: ForeignFiles, fleeting: Keyring) -> None:
        self._node = node
        self._foreign = foreign
        self._fleeting = fleeting

    def body(self, chat: AnyChat, sender: AccountId, told: Body) -> Body:
        """What clients of this node see of what `sender` has written: files have names of this node."""
        if node_of(sender) == self._node:
            return told
        if isinstance(told, Secure) and told.file is not None:
            return structs.replace(told, file=self._foreign.body(chat, sender, told.file))
        return self._foreign.body(chat, sender, told) if isinstance(told, File) else told

    def attach(
        self, c: Connection, chat: ChatContents, position: int, sender: AccountId, origin: str, told: Body
    ) -> None:
        """A message that was just stored has a file of another node, if it has one.

        `told` is its body as its author has written it, and `origin` its id there.
        """
        if (file := file_in(told)) is not None and node_of(sender) != self._node:
            kept = chat.record.history
            self._foreign.attach(c, chat, position, Told(sender, origin, None), file, kept)

    def came(self, c: Connection, chat: ChatContents, post: int, to: int, now: Body) -> None:
        """What was posted has come back, is `now` this, and at `to`: there its file is from now on."""
        if (row := files.file(c, chat.blind, post)) is None:
            return
        if file_in(now) is None:  # it was deleted before it came
            files.drop(c, chat.blind, post)
            return
        own = OwnKey(self._fleeting, files.file_owner(chat.blind, to)) if row.ends else None
        try:
            with suppress(Tampered):  # what is damaged stays where it is, and goes with the post
                file = open_file(chat.key, row, opener(c, self._fleeting, row))
                try:
                    key = None if own is None else own.key
                    sealed = seal_file(chat.key, chat.blind, to, file, key)
                finally:
                    file.key.wipe()
                files.move(c, row, row._replace(position=to, sealed=sealed))
                if own is not None:
                    own.store(c)
        finally:
            if own is not None:
                own.key.wipe()
