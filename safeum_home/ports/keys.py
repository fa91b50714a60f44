"""What public keys stand on besides storage."""

from typing import Protocol

from sqlalchemy import Connection

from safeum_home.ids import AccountId


class Interlocutors(Protocol):
    """The people that accounts are in chats with."""

    def of(self, c: Connection, account: AccountId) -> dict[bytes, AccountId]:
        """Who is in a chat with an account of any node, itself among them, by their blind indexes.

        On a reading connection and in its thread: some 20 us for each chat, and 5 for each member of a group.
        """
