"""Calls that came in and that nobody has taken: what an account finds of them when it comes back.

They are sealed under the account's own key, and kept for as many months as records of calls are.
"""

from collections.abc import Callable

import msgspec
from msgspec import UNSET, Struct
from sqlalchemy import Connection

from safeum_home.damage import undamaged
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Key, Keyring
from safeum_home.protocol.telephone_events import TelephoneMissed
from safeum_home.safenum.money.months import month_of
from safeum_home.storage import accounts
from safeum_home.storage import missed_calls as rows
from safeum_home.storage.missed_calls import MissedRow

MOST_KEPT = 500
"""Of an account, the newest."""
_PLACE = b"missed"
_encoder = msgspec.msgpack.Encoder()


class MissedRecord(Struct, frozen=True, array_like=True):
    """Somebody has called `at` (milliseconds); `caller` is empty where withheld.

    `voicemail`: it was answered by that, and there may be a message of it.
    """

    at: int
    caller: str
    voicemail: bool

    def event(self) -> TelephoneMissed:
        """What devices are told."""
        return TelephoneMissed(self.at, self.voicemail, self.caller or UNSET)


class MissedBook:
    """For the writer's thread, and readers'."""

    def __init__(self, keyring: Keyring, blinder: Blinder) -> None:
        self._keyring = keyring
        self._blinder = blinder

    def note(self, account: AccountId, record: MissedRecord) -> Callable[[Connection], None]:
        """What stores one, inside a transaction."""

        def store(c: Connection) -> None:
            blind = self._blinder.account(account)
            if (key := self._key(c, blind)) is None:
                return
            try:
                plain, month = _encoder.encode(record), month_of(record.at)
                seal = lambda number: key.seal(plain, _place(blind, number))  # noqa: E731
                rows.add_missed(c, blind, month, seal, MOST_KEPT)
            finally:
                key.wipe()

        return store

    def page(
        self, c: Connection, account: AccountId, before: int, limit: int
    ) -> tuple[list[tuple[int, MissedRecord]], bool]:
        """Those of before a number, the newest first, each with its own; and whether there are older ones."""
        blind = self._blinder.account(account)
        if (key := self._key(c, blind)) is None:
            return [], False
        found = rows.missed_before(c, blind, before, limit + 1)

        def opened(row: MissedRow) -> tuple[int, MissedRecord]:
            plain = key.open(row.sealed, _place(row.account, row.number))
            return row.number, msgspec.msgpack.decode(plain, type=MissedRecord)

        try:
            return undamaged(found[:limit], opened, "calls that were missed"), len(found) > limit
        finally:
            key.wipe()

    def forget(self, c: Connection, account: AccountId) -> None:
        """Delete all of an account."""
        rows.forget_missed(c, self._blinder.account(account))

    def _key(self, c: Connection, blind: bytes) -> Key | None:
        row = accounts.account(c, blind)
        return None if row is None else self._keyring.unwrap(blind, row.key)


def _place(account: bytes, number: int) -> bytes:
    return _PLACE + account + number.to_bytes(8, "big")
