"""The log of calls, as it is stored: when an account has spoken, and for how long; and nothing else.

The times are sealed, and rows lie in an order that tells nothing: so an account's entries are put in theirs
when it asks for them, and old ones are found by opening them.
"""

from collections.abc import Callable, Sequence
from itertools import groupby
from struct import Struct
from typing import NamedTuple

from sqlalchemy import Connection

from safeum_home.damage import undamaged
from safeum_home.errors import Tampered
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Key, Keyring
from safeum_home.storage import accounts
from safeum_home.storage import calls as rows
from safeum_home.storage.calls import CallRow

MOST_KEPT = 1_000
"""Entries of an account that are kept, the newest."""
SLACK = 50
"""How many more there may be for a while: all are opened to find the oldest."""
DAY = 24 * 60 * 60 * 1000
_WHAT = "entries of logs of calls"
_PLACE = b"call log"
_TIMES = Struct(">QQ")
"""Of one size, so that what is sealed does not tell how long a call was."""


class Spoken(NamedTuple):
    """A call of an account went on from `at` until then (milliseconds)."""

    account: AccountId
    call: str
    at: int
    until: int


class Times(NamedTuple):
    """What an entry says."""

    at: int
    until: int


class Swept(NamedTuple):
    """Rows that are to be deleted, and the place up to which all were looked at; None: at the end."""

    rows: list[CallRow]
    place: tuple[bytes, bytes] | None


class CallLog:
    """Rows are sealed under the accounts' own keys."""

    def __init__(self, keyring: Keyring, blinder: Blinder, days: int, now: Callable[[], int]) -> None:
        """`days` is for how many entries are kept, `now` in milliseconds."""
        self._keyring = keyring
        self._blinder = blinder
        self._days = days
        self._now = now

    def put(self, c: Connection, entries: Sequence[Spoken]) -> list[None]:
        """`ports.storage.Bulk`: goes on with entries that there are. Of closed accounts nothing is kept."""
        of_account: dict[AccountId, dict[str, Spoken]] = {}
        for entry in entries:
            of_account.setdefault(entry.account, {})[entry.call] = entry
        for account, calls in of_account.items():
            self._put(c, account, list(calls.values()))
        return [None] * len(entries)

    def page(
        self, c: Connection, account: AccountId, before: int | None, limit: int
    ) -> tuple[list[Times], bool]:
        """The newest entries of before a time, the newest first; and whether there are older ones.

        Those that began in the same millisecond as the last one are there as well.
        """
        blind = self._blinder.account(account)
        row = accounts.account(c, blind)
        if row is None:
            return [], False
        key = self._keyring.unwrap(blind, row.key)
        try:
            opened = undamaged(rows.calls_of(c, blind), lambda row: _open(key, row), _WHAT)
        finally:
            key.wipe()
        since = self._oldest()
        found = [times for times in opened if times.until >= since and (before is None or times.at < before)]
        found.sort(reverse=True)
        page = [times for times in found if times.at >= found[limit - 1].at] if len(found) > limit else found
        return page, len(page) < len(found)

    def forget(self, c: Connection, account: AccountId) -> None:
        """Delete all entries of an account."""
        rows.forget_calls(c, self._blinder.account(account))

    def sweep(self, c: Connection, place: tuple[bytes, bytes], limit: int) -> Swept:
        """Look at some rows behind a place."""
        found = rows.calls_behind(c, place, limit)
        gone = [
            row
            for blind, group in groupby(found, key=lambda row: row.account)
            for row in self._old(c, blind, list(group))
        ]
        return Swept(gone, found[-1][:2] if len(found) == limit else None)

    def _put(self, c: Connection, account: AccountId, entries: list[Spoken]) -> None:
        blind = self._blinder.account(account)
        row = accounts.account(c, blind)
        if row is None:
            return
        key, is_longer = self._keyring.unwrap(blind, row.key), False
        try:
            stored = []
            for entry in entries:
                call = self._blinder.call(account, entry.call)
                known = rows.call_row(c, blind, call)
                is_longer |= known is None
                stored.append(_seal(key, blind, call, _together(key, known, entry)))
            rows.put_calls(c, stored)
            if is_longer and rows.count_calls(c, blind) > MOST_KEPT + SLACK:
                rows.delete_calls(c, _oldest_of(key, rows.calls_of(c, blind)))
        finally:
            key.wipe()

    def _old(self, c: Connection, blind: bytes, found: list[CallRow]) -> list[CallRow]:
        """Those of an account that are old enough to go: all, where the account is gone."""
        row = accounts.account(c, blind)
        if row is None:
            return found
        since = self._oldest()
        for key in undamaged([row], lambda row: self._keyring.unwrap(blind, row.key), "keys of accounts"):
            try:
                opened = undamaged(found, lambda row: (row, _open(key, row)), _WHAT)  # noqa: B023
            finally:
                key.wipe()
            return [row for row, times in opened if times.until < since]
        return []

    def _oldest(self) -> int:
        """Of when entries are kept."""
        return self._now() - self._days * DAY


def _together(key: Key, known: CallRow | None, entry: Spoken) -> Times:
    """What an entry says with what was stored of the same call."""
    before = undamaged([] if known is None else [known], lambda row: _open(key, row), _WHAT)
    at = min([entry.at, *(times.at for times in before)])
    return Times(at, max([at, entry.until, *(times.until for times in before)]))


def _oldest_of(key: Key, found: list[CallRow]) -> list[CallRow]:
    """The rows that are more than are kept; with those that cannot be opened."""
    opened = undamaged(found, lambda row: (_open(key, row), row.call), _WHAT)
    kept = {call for _, call in sorted(opened, reverse=True)[:MOST_KEPT]}
    return [row for row in found if row.call not in kept]


def _seal(key: Key, account: bytes, call: bytes, times: Times) -> CallRow:
    return CallRow(account, call, key.seal(_TIMES.pack(*times), _PLACE + account + call))


def _open(key: Key, row: CallRow) -> Times:
    """Raises `Tampered`."""
    plain = key.open(row.sealed, _PLACE + row.account + row.call)
    if len(plain) != _TIMES.size:
        raise Tampered
    return Times(*_TIMES.unpack(plain))
