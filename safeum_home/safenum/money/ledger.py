"""The ledger: double entry, in whole micro-units. What goes to one account comes from others.

An entry is written once and never changed. Its postings add up to zero in each currency, and it changes the
totals of its accounts, and the wallet of whom it is about, in its own transaction. What it was made for is
its key: it is entered once, however often that is told. The journal names no customer: all wallets together
are the control accounts `CUSTOMERS` and `HELD`, so that the books stay whole when an account is erased.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from safeum_home.damage import undamaged
from safeum_home.ports import Blinder, Key
from safeum_home.safenum.money import chart
from safeum_home.safenum.money.amounts import MOST
from safeum_home.safenum.money.months import month_of
from safeum_home.safenum.money.wallets import OpenWallet
from safeum_home.storage import ledger as rows
from safeum_home.storage.ledger import EntryRow

_PAGE = 1_000
_encoder = msgspec.msgpack.Encoder()


class Posting(NamedTuple):
    """So much to an account of the chart: a debit above zero, a credit below."""

    account: str
    currency: str
    amount: int


class Entry(Struct, frozen=True):
    """Something that happened to money, at a moment in milliseconds."""

    kind: str
    at: int
    postings: tuple[Posting, ...]


class Total(Struct, frozen=True):
    """What the postings of an account in a currency add up to."""

    account: str
    currency: str
    amount: int


class Ledger:
    """For the writer's thread, inside transactions; what only reads is for readers', too."""

    def __init__(self, key: Key, blinder: Blinder) -> None:
        self._key = key
        self._blinder = blinder

    def entered(self, c: Connection, key: bytes) -> bool:
        """Whether there is an entry of this key."""
        return rows.entered(c, key)

    def entry(self, c: Connection, key: bytes) -> Entry | None:
        """That of this key; None where there is none. Raises `Tampered`."""
        row = rows.entry(c, key)
        return None if row is None else self.open_entry(row)

    def enter(self, c: Connection, key: bytes, entry: Entry, wallet: OpenWallet | None = None) -> bool:
        """Write an entry; False where there is one of this key: then nothing is changed.

        `wallet` is that of the customer whom it is about. Raises `no_balance` where that had less than
        nothing then, and ValueError where the entry is not one.
        """
        if rows.entered(c, key):
            return False
        _check(entry.postings)
        for posting in entry.postings:
            if posting.account in (chart.CUSTOMERS, chart.HELD):
                if wallet is None:
                    raise ValueError("an entry without the wallet that it changes")
                wallet.post(posting.currency, posting.account == chart.HELD, posting.amount)
            self._add(c, posting)
        number = rows.last_number(c) + 1
        rows.add_entry(c, EntryRow(number, key, month_of(entry.at), self._seal(number, entry)))
        return True

    def totals(self, c: Connection) -> list[Total]:
        """Those of all accounts, in the order of their names; without what is damaged (`audit`)."""
        found = undamaged(rows.totals(c), lambda row: self.open_total(*row), "totals of the ledger")
        return sorted(found, key=lambda total: (total.account, total.currency))

    def totals_of(self, c: Connection, month: int) -> list[Total]:
        """What was posted in a month. It reads all entries of that: not for the writer's thread."""
        sums: dict[tuple[str, str], int] = {}
        for entry in self.entries(c, month):
            for account, currency, amount in entry.postings:
                sums[account, currency] = sums.get((account, currency), 0) + amount
        return [Total(*place, amount) for place, amount in sorted(sums.items())]

    def entries(self, c: Connection, month: int | None = None) -> Iterator[Entry]:
        """Entries in their order: all, or those of a month. Raises `Tampered`."""
        after = 0
        while True:
            page = (
                rows.entries_behind(c, after, _PAGE)
                if month is None
                else rows.entries_of(c, month, after, _PAGE)
            )
            for row in page:
                yield self.open_entry(row)
            if len(page) < _PAGE:
                return
            after = page[-1].number

    def name(self, total: Total) -> bytes:
        """What finds the row of a total."""
        return self._name(total.account, total.currency)

    def open_total(self, name: bytes, sealed: bytes) -> Total:
        """Raises `Tampered`."""
        return msgspec.msgpack.decode(self._key.open(sealed, b"ledger total" + name), type=Total)

    def seal_total(self, name: bytes, total: Total) -> bytes:
        return self._key.seal(_encoder.encode(total), b"ledger total" + name)

    def open_entry(self, row: EntryRow) -> Entry:
        """Raises `Tampered`."""
        return msgspec.msgpack.decode(self._key.open(row.sealed, _place(row.number)), type=Entry)

    def _add(self, c: Connection, posting: Posting) -> None:
        name = self._name(posting.account, posting.currency)
        sealed = rows.total(c, name)
        before = 0 if sealed is None else self.open_total(name, sealed).amount
        after = Total(posting.account, posting.currency, before + posting.amount)
        rows.put_total(c, name, self.seal_total(name, after))

    def _name(self, account: str, currency: str) -> bytes:
        return self._blinder.money("account", f"{account}\0{currency}")

    def _seal(self, number: int, entry: Entry) -> bytes:
        return self._key.seal(_encoder.encode(entry), _place(number))


def _place(number: int) -> bytes:
    return b"ledger entry" + number.to_bytes(8, "big")


def _check(postings: Sequence[Posting]) -> None:
    sums: dict[str, int] = {}
    for _, currency, amount in postings:
        if not -MOST <= amount <= MOST:
            raise ValueError("an amount beyond all bounds")
        sums[currency] = sums.get(currency, 0) + amount
    if not postings or any(sums.values()):
        raise ValueError("the postings of an entry do not add up to zero")
