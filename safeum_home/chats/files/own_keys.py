"""Keys of their own for files of chats that keep no history: destroyed with the file, before the chat's is.

What such a file's row holds is sealed under that key first, and then under the chat's. The wrap is in table
`fleeting_keys`; when it is dropped, and its keyring has turned, nobody opens the file any more, in old
copies neither.
"""

from collections.abc import Callable

from sqlalchemy import Connection

from safeum_home.errors import Tampered
from safeum_home.ports import Key, Keyring
from safeum_home.storage import files, keys
from safeum_home.storage.rows import FileRow, UploadRow


class OwnKey:
    """One that was just made: store it in this very turn. Wipe it after use."""

    def __init__(self, keyring: Keyring, owner: bytes) -> None:
        self._owner = owner
        self.key, self._wrapped = keyring.new_key(owner)

    def store(self, c: Connection) -> None:
        """Inside the transaction that stores what is sealed under it."""
        keys.FLEETING.put_key(c, self._owner, self._wrapped)


def opener(c: Connection, keyring: Keyring, row: FileRow | UploadRow) -> Callable[[], Key]:
    """What gives a row's own key, read now; that raises `Tampered` where it has none, or has lost it."""
    owner = owner_of(row)
    wrapped = keys.FLEETING.key(c, owner)

    def own() -> Key:
        if wrapped is None:
            raise Tampered
        return keyring.unwrap(owner, wrapped)

    return own


def owner_of(row: FileRow | UploadRow) -> bytes:
    """Whose row in table `fleeting_keys` it would be."""
    return (
        files.file_owner(row.chat, row.position) if isinstance(row, FileRow) else files.upload_owner(row.file)
    )
