"""Copies of a node's disk, and what they yield with a root secret and a keyring: all keys at all rows."""

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from safeum_home.chats.sealed import _context, _own_context
from safeum_home.errors import Tampered
from safeum_home.ports import WrappedKey
from safeum_home.sealing.keyring import EpochKeyring
from safeum_home.sealing.keyring import _context as wrap_context
from safeum_home.sealing.keys import SealedKey
from safeum_home.sealing.vault import Vault


def openable(path: Path, vault: Vault) -> list[SealedKey]:
    """All keys of a database that either keyring opens, whichever of its epochs they say they are of."""
    tables = ("keys", "fleeting_keys")
    rows = [row for table in tables for row in _rows(path, f"SELECT owner, epoch, wrapped FROM {table}")]
    return [key for row in rows for ring in (vault.keyring, vault.fleeting) for key in _opened_by(ring, *row)]


def _opened_by(keyring: EpochKeyring, owner: bytes, epoch: int, wrapped: bytes) -> list[SealedKey]:
    found = []
    for key in keyring._keys.values():
        for said in {epoch, *keyring._keys}:
            try:
                found.append(SealedKey(key.unwrap(wrapped, wrap_context(owner, said))))
            except Tampered:
                continue
    with suppress(Tampered):
        found.append(keyring.unwrap(owner, WrappedKey(epoch, wrapped)))
    return found


def yields(path: Path, chat: bytes, keys: list[SealedKey]) -> list[bytes]:
    """All that any of these keys opens of a chat's rows: record, messages, what was begun or made of them."""
    found: list[bytes] = []
    for (sealed,) in _rows(path, "SELECT sealed FROM chats WHERE chat = ?", chat):
        found += _opened(keys, sealed, b"chat" + chat)
    for position, sealed in _rows(path, "SELECT position, sealed FROM events WHERE chat = ?", chat):
        outer = _opened(keys, sealed, _context(chat, position))
        # What is sealed twice is tried without the outer seal as well, should that ever be taken off.
        for each in (*outer, sealed):
            found += _opened(keys, each, _own_context(chat, position))
        found += [each for each in outer if each[:1] == b"{"]
    for account, sealed in _rows(path, "SELECT account, draft FROM settings WHERE chat = ?", chat):
        context = b"draft" + account + chat
        outer = [] if sealed is None else _opened(keys, sealed, context)
        for each in outer:
            found += _opened(keys, each, context)
    for rows, name in _BESIDE:
        for position, account, sealed in _rows(path, f"SELECT {rows} WHERE chat = ?", chat):
            context = name + chat + position.to_bytes(8, "big") + account
            for each in _opened(keys, sealed, context):
                # Where its message has a key of its own it is sealed under that first.
                found += [each, *_opened(keys, each, context)]
    return found


_BESIDE = (
    ("position, account, sealed FROM passed_on", b"passed on"),
    ("target, account, sealed FROM reactions", b"reaction"),
    ("position, x'', sealed FROM posts", b"post"),
    ("position, x'', sealed FROM passed", b"passed"),
)
"""What is kept of messages beside them, and what it is bound to."""


def sealed_rows(path: Path, chat: bytes) -> list[bytes]:
    """What is sealed in the rows of a chat."""
    queries = ("SELECT sealed FROM chats WHERE chat = ?", "SELECT sealed FROM events WHERE chat = ?")
    return [row[0] for query in queries for row in _rows(path, query, chat)]


def _opened(keys: list[SealedKey], sealed: bytes, context: bytes) -> list[bytes]:
    found = []
    for key in keys:
        try:
            found.append(key.open(sealed, context))
        except Tampered:
            continue
    return found


def _rows(path: Path, query: str, *parameters: bytes) -> list[Any]:
    database = sqlite3.connect(path)
    try:
        return database.execute(query, parameters).fetchall()
    finally:
        database.close()
