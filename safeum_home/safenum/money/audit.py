"""Checking the books: the journal is what happened, and the totals of the accounts are made of it.

So totals that are damaged can be made anew. Of an entry that is damaged nobody knows any more what it was.
"""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection

from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ports import Database
from safeum_home.safenum.money.ledger import Entry, Ledger, Total
from safeum_home.storage import ledger as rows

PAGE = 1_000
TOLD = 100
"""So many faults are told, at the most."""
Sums = dict[tuple[str, str], int]
"""By account and currency."""


class Audited(NamedTuple):
    """`entries` were read up to `last`; `faults` are words for the operator, and `more` are not told.

    `lost`: something of the journal itself is gone or damaged, which nothing here can mend.
    """

    entries: int
    last: int
    sums: Sums
    faults: list[str]
    more: int
    lost: bool


class Audit:
    """The whole journal is read, in a snapshot: on a reader's thread, while the node works."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database = database
        self._ledger = ledger

    async def check(self) -> Audited:
        return await self._database.read(self._check)

    async def rebuild(self) -> int:
        """Make all totals anew of the journal; how many were wrong. `wrong_state` where that is damaged.

        What is entered while it is read is added in the transaction that writes the totals.
        """
        found = await self._database.read(self._journal)
        if found.lost:
            raise Problem(Code.WRONG_STATE, "the journal itself is damaged: put back a backup")
        return await self._database.transact(lambda c: self._write(c, found))

    def _check(self, c: Connection) -> Audited:
        found = self._journal(c)
        faults = _Faults(list(found.faults), found.more)
        stored = dict(rows.totals(c))
        for total in _totals(found.sums):
            sealed = stored.pop(self._ledger.name(total), None)
            label = f"the total of {total.account} in {total.currency}"
            if sealed is None:
                faults.add(f"{label} is missing")
            elif (there := self._opened(self._ledger.name(total), sealed)) is None:
                faults.add(f"{label} cannot be opened")
            elif there != total:
                faults.add(f"{label} is not what was posted")
        for _ in stored:
            faults.add("there is a total to which nothing was posted")
        return found._replace(faults=faults.told, more=faults.more)

    def _journal(self, c: Connection) -> Audited:
        """What the entries add up to, and what is wrong with them."""
        sums: Sums = {}
        faults, count, last = _Faults([], 0), 0, 0
        for number, entry in self._entries(c, 0):
            if number != last + 1:
                faults.add(f"entries {last + 1} to {number - 1} are missing")
            last = number
            if entry is None:
                faults.add(f"entry {number} cannot be opened")
                continue
            count += 1
            if any(_add(sums, entry).values()):
                faults.add(f"entry {number} does not add up to zero")
        return Audited(count, last, sums, faults.told, faults.more, bool(faults.told))

    def _write(self, c: Connection, found: Audited) -> int:
        for _, entry in self._entries(c, found.last):
            if entry is None:
                raise Problem(Code.WRONG_STATE, "the journal itself is damaged: put back a backup")
            _add(found.sums, entry)
        stored = dict(rows.totals(c))
        changed = 0
        for total in _totals(found.sums):
            name = self._ledger.name(total)
            sealed = stored.pop(name, None)
            if sealed is None or self._opened(name, sealed) != total:
                rows.put_total(c, name, self._ledger.seal_total(name, total))
                changed += 1
        for name in stored:
            rows.drop_total(c, name)
        return changed + len(stored)

    def _opened(self, name: bytes, sealed: bytes) -> Total | None:
        try:
            return self._ledger.open_total(name, sealed)
        except Tampered:
            return None

    def _entries(self, c: Connection, after: int) -> Iterator[tuple[int, Entry | None]]:
        """Numbered, behind a number; None is one that cannot be opened."""
        while page := rows.entries_behind(c, after, PAGE):
            for row in page:
                try:
                    yield row.number, self._ledger.open_entry(row)
                except Tampered:
                    yield row.number, None
            after = page[-1].number


class _Faults:
    def __init__(self, told: list[str], more: int) -> None:
        self.told = told
        self.more = more

    def add(self, text: str) -> None:
        if len(self.told) < TOLD:
            self.told.append(text)
        else:
            self.more += 1


def _add(sums: Sums, entry: Entry) -> dict[str, int]:
    """Add an entry; what it adds up to itself, by currency."""
    own: dict[str, int] = {}
    for account, currency, amount in entry.postings:
        own[currency] = own.get(currency, 0) + amount
        sums[account, currency] = sums.get((account, currency), 0) + amount
    return own


def _totals(sums: Sums) -> list[Total]:
    return [Total(*place, amount) for place, amount in sorted(sums.items())]
