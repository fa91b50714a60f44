"""The log of hashes: which keys an account had, and since when. It tells publishing again from a change."""

from typing import NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from safeum_home.damage import undamaged
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Key, Keyring, WrappedKey
from safeum_home.storage import accounts, key_log
from safeum_home.storage.key_log import FoundKeys, KeyLogRow

MOST_KEPT = 1_000
"""Entries of an account; older ones are forgotten."""
_PLACE = b"key log"
UNKNOWN = "A" * 43
"""Stands for the hash that is in force where its entry cannot be opened: 32 zero octets."""


class KeyRecord(Struct, frozen=True, omit_defaults=True):
    """What is sealed in a row."""

    account: AccountId
    hash: str
    at: int
    before: str = ""


class Entry(NamedTuple):
    """Keys of an account with the hash `hash` came into force, in place of `before` ("" for the first ones).

    `at` is in milliseconds, later than that of the entry before. Those who are concerned were told at
    `position`; 0: they were not, as there was nothing that they knew; `key_log.OWED`: they will be again.
    """

    account: AccountId
    number: int
    position: int
    hash: str
    at: int
    before: str = ""

    @property
    def is_readable(self) -> bool:
        """Whether it is known which hash is in force."""
        return self.hash != UNKNOWN


class Newest(NamedTuple):
    """The entry in force, None where there is none, and the number of the next one.

    One that cannot be opened is of the hash `UNKNOWN`, since 0: what follows is a change, as with any other.
    """

    entry: Entry | None
    next: int


NEVER = Newest(None, 0)


class KeyLog:
    """Rows of accounts of this node are sealed under the accounts' own keys, others under `foreign`."""

    def __init__(self, keyring: Keyring, blinder: Blinder, foreign: Key) -> None:
        self._keyring = keyring
        self._blinder = blinder
        self._foreign = foreign

    def newest(self, c: Connection, account: AccountId) -> Newest:
        found = key_log.newest_keys(c, self._blinder.account(account))
        if found is None:
            return NEVER
        number, position = found.row.number, found.row.position
        entry = self._opened(found) or Entry(account, number, position, UNKNOWN, 0)
        return Newest(entry, number + 1)

    def entry(self, c: Connection, account: bytes, number: int) -> Entry | None:
        found = key_log.keys_entry(c, account, number)
        return None if found is None else self._opened(found)

    def owed(self, c: Connection, limit: int) -> list[tuple[KeyLogRow, Entry | None]]:
        """Rows of entries that are to be told again; None of those that cannot be opened."""
        return [(found.row, self._opened(found)) for found in key_log.owed(c, limit)]

    def page(self, c: Connection, account: AccountId, before: int, limit: int) -> list[Entry]:
        """The newest entries with lower numbers, the newest first."""
        rows = key_log.keys_before(c, self._blinder.account(account), before, limit)
        return undamaged(rows, self._open, "hashes of keys")

    def since(
        self, c: Connection, viewer: AccountId, after: int, limit: int
    ) -> tuple[list[Entry], int | None]:
        """Changes that an account is to hear of, behind a position; up to where, where there may be more."""
        rows = key_log.keys_since(c, self._blinder.account(viewer), after, limit)
        upto = rows[-1].row.position if len(rows) == limit else None
        return undamaged(rows, self._open, "hashes of keys"), upto

    def put(self, c: Connection, entry: Entry) -> None:
        """Store an entry, in place of the one with its number."""
        blind = self._blinder.account(entry.account)
        owner = accounts.account(c, blind)
        record = KeyRecord(entry.account, entry.hash, entry.at, entry.before)
        context = _context(blind, entry.number)
        key = self._foreign if owner is None else self._keyring.unwrap(blind, owner.key)
        try:
            sealed = key.seal(msgspec.msgpack.encode(record), context)
        finally:
            if owner is not None:
                key.wipe()
        key_log.put_keys(c, KeyLogRow(blind, entry.number, entry.position, sealed))
        if entry.number >= MOST_KEPT:
            key_log.forget_keys(c, blind, entry.number - MOST_KEPT)

    def _opened(self, found: FoundKeys) -> Entry | None:
        entries = undamaged([found], self._open, "hashes of keys")
        return entries[0] if entries else None

    def _open(self, found: FoundKeys) -> Entry:
        row = found.row
        plain = self._unsealed(row, found.key)
        record = msgspec.msgpack.decode(plain, type=KeyRecord)
        return Entry(record.account, row.number, row.position, record.hash, record.at, record.before)

    def _unsealed(self, row: KeyLogRow, wrapped: WrappedKey | None) -> bytes:
        context = _context(row.account, row.number)
        if wrapped is None:
            return self._foreign.open(row.sealed, context)
        key = self._keyring.unwrap(row.account, wrapped)
        try:
            return key.open(row.sealed, context)
        finally:
            key.wipe()


def _context(account: bytes, number: int) -> bytes:
    return _PLACE + account + number.to_bytes(8, "big")
