"""The keys of months: records of calls are sealed under them, and gone for good when one is destroyed."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from twisted.logger import Logger

from safeum_home.errors import Tampered
from safeum_home.ports import Blinder, Key, Keyring
from safeum_home.storage.keys import LASTING

_log = Logger()


class MonthKeys:
    """Each is made with the first record of its month."""

    def __init__(self, keyring: Keyring, blinder: Blinder) -> None:
        self._keyring = keyring
        self._blinder = blinder

    @contextmanager
    def to_seal(self, c: Connection, month: int) -> Iterator[Key]:
        """In the writer's thread and transaction: a turn of the keyring comes before, or finds it there."""
        key = self._made(c, month)
        try:
            yield key
        finally:
            key.wipe()

    @contextmanager
    def to_open(self, c: Connection, month: int) -> Iterator[Key | None]:
        """None where there is none."""
        owner = self._owner(month)
        wrapped = LASTING.key(c, owner)
        if wrapped is None:
            yield None
            return
        key = self._keyring.unwrap(owner, wrapped)
        try:
            yield key
        finally:
            key.wipe()

    def destroy(self, c: Connection, month: int) -> None:
        LASTING.delete_key(c, self._owner(month))

    def _made(self, c: Connection, month: int) -> Key:
        owner = self._owner(month)
        if (wrapped := LASTING.key(c, owner)) is not None:
            try:
                return self._keyring.unwrap(owner, wrapped)
            except Tampered:
                # A call must be charged all the same; what is there cannot be opened with any key.
                _log.error("The key of this month's records of calls cannot be opened: another one is made.")
        key, wrapped = self._keyring.new_key(owner)
        LASTING.put_key(c, owner, wrapped)
        return key

    def _owner(self, month: int) -> bytes:
        return self._blinder.money("month", str(month))
