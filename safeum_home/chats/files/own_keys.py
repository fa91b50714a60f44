"""Keys of their own for files of chats that keep no history: destroyed with the file, before the chat's is.

What such a file's row holds is sealed under that key first, and then under the chat's. The wrap is in table
`fleeting_keys`; when it is dropped, and its keyring has turned, nobody opens the file any more, in old
copies neither.
"""

from sqlalchemy import Connection

from safeum_home.errors import Tampered
from safeum_home.ports import Key, Keyring, WrappedKey
from safeum_home.storage import files, keys, voicemails
from safeum_home.storage.rows import FileRow, UploadRow


class OwnKey:
    """One that was just made: store it in this very turn. Wipe it after use."""

    def __init__(self, keyring: Keyring, owner: bytes) -> None:
        self._owner = owner
        self.key, self._wrapped = keyring.new_key(owner)

    def store(self, c: Connection) -> None:
        """Inside the transaction that stores what is sealed under it."""
        keys.FLEETING.put_key(c, self._owner, self._wrapped)


class RowKeys:
    """What gives a row's own key, read when this is made; it raises `Tampered` where the row has none."""

    def __init__(self, c: Connection, keyring: Keyring, row: FileRow | UploadRow) -> None:
        self._c = c
        self._keyring = keyring
        self._owner = owner_of(row)
        self._wrapped = keys.FLEETING.key(c, self._owner)

    def __call__(self) -> Key:
        return self._unwrapped(self._owner, self._wrapped)

    def of_day(self, day: int) -> Key:
        """That of a day, read now: on the same connection, and in its thread."""
        owner = voicemails.day_owner(day)
        return self._unwrapped(owner, keys.FLEETING.key(self._c, owner))

    def _unwrapped(self, owner: bytes, wrapped: WrappedKey | None) -> Key:
        if wrapped is None:
            raise Tampered
        return self._keyring.unwrap(owner, wrapped)


def opener(c: Connection, keyring: Keyring, row: FileRow | UploadRow) -> RowKeys:
    """What gives a row's own key, read now; that raises `Tampered` where it has none, or has lost it."""
    return RowKeys(c, keyring, row)


def owner_of(row: FileRow | UploadRow) -> bytes:
    """Whose row in table `fleeting_keys` it would be."""
    return (
        files.file_owner(row.chat, row.position) if isinstance(row, FileRow) else files.upload_owner(row.file)
    )
