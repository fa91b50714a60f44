"""Wallets: what a customer has, and a statement of what became of it, under the account's own key.

The row of a wallet is read and written in the transaction that changes it: whoever takes from it knows what
is there, and what is held for calls that go on is gone from the balance.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder, Key, Keyring
from safeum_home.protocol.commands.money import Balance
from safeum_home.safenum.money.amounts import MOST
from safeum_home.safenum.money.months import month_of
from safeum_home.storage import accounts
from safeum_home.storage import wallets as rows
from safeum_home.storage.rows import AccountRow
from safeum_home.storage.wallets import LineRow

_WALLET, _LINE = b"wallet", b"statement line"
_encoder = msgspec.msgpack.Encoder()


class Purse(Struct, frozen=True):
    """What there is in one currency: what can be spent, and what is held for calls."""

    balance: int = 0
    held: int = 0


class WalletRecord(Struct, frozen=True, omit_defaults=True):
    """`spent` on calls on `day`. The account says that it lives in `country`. There are `lines`.

    Premium is paid for until `premium` (milliseconds; 0: it never was).
    """

    purses: dict[str, Purse] = {}
    lines: int = 0
    day: int = 0
    spent: int = 0
    country: str = ""
    premium: int = 0


class Line(Struct, frozen=True, omit_defaults=True):
    """A line of a statement: `amount` is what was added to the balance, which is `balance` since.

    What was paid for is `net` and `vat`, in basis points `vat_rate` of `country`. Of a call: whom, how long.
    """

    at: int
    kind: str
    currency: str
    amount: int
    balance: int = 0
    net: int = 0
    vat: int = 0
    vat_rate: int = 0
    country: str = ""
    number: str = ""
    seconds: int = 0


class OpenWallet:
    """A wallet inside one transaction; it is written at its end."""

    def __init__(self, c: Connection, account: bytes, key: Key) -> None:
        """Raises `Tampered`."""
        self.account = account
        self.key = key
        self._c = c
        sealed = rows.wallet(c, account)
        plain = None if sealed is None else key.open(sealed, _WALLET + account)
        self.record = WalletRecord() if plain is None else msgspec.msgpack.decode(plain, type=WalletRecord)
        self._was = self.record

    def purse(self, currency: str) -> Purse:
        return self.record.purses.get(currency, Purse())

    def post(self, currency: str, held: bool, amount: int) -> None:
        """A debit takes from what the customer has; raises `no_balance` where there is not so much."""
        purse = self.purse(currency)
        if held:
            purse = Purse(purse.balance, purse.held - amount)
        else:
            purse = Purse(purse.balance - amount, purse.held)
        if purse.balance < 0:
            raise Problem(Code.NO_BALANCE)
        if purse.held < 0 or purse.balance > MOST:
            raise ValueError("a purse beyond all bounds")
        self.change(purses={**self.record.purses, currency: purse})

    def change(self, **fields: object) -> None:
        self.record = msgspec.structs.replace(self.record, **fields)

    def add_line(self, line: Line, booked: int) -> None:
        """With the balance as it is now, in the month of which `booked` (milliseconds) is."""
        number = self.record.lines + 1
        self.change(lines=number)
        line = msgspec.structs.replace(line, balance=self.purse(line.currency).balance)
        sealed = self.key.seal(_encoder.encode(line), _line_place(self.account, number))
        rows.add_line(self._c, LineRow(self.account, number, month_of(booked), sealed))

    def lines_before(self, before: int, limit: int) -> list[tuple[int, Line]]:
        """Numbered; the newest first."""
        return self._opened(rows.lines_before(self._c, self.account, before, limit))

    def lines_of(self, month: int, limit: int) -> list[tuple[int, Line]]:
        return self._opened(rows.lines_of(self._c, self.account, month, limit))

    def save(self) -> None:
        if self.record is not self._was:
            sealed = self.key.seal(_encoder.encode(self.record), _WALLET + self.account)
            rows.put_wallet(self._c, self.account, sealed)
            self._was = self.record

    def _opened(self, found: list[LineRow]) -> list[tuple[int, Line]]:
        def opened(row: LineRow) -> tuple[int, Line]:
            plain = self.key.open(row.sealed, _line_place(row.account, row.number))
            return row.number, msgspec.msgpack.decode(plain, type=Line)

        return undamaged(found, opened, "lines of statements")


class Wallets:
    """Opens wallets, in the writer's thread or a reader's."""

    def __init__(self, keyring: Keyring, blinder: Blinder) -> None:
        self._keyring = keyring
        self._blinder = blinder

    @contextmanager
    def open(self, c: Connection, account: AccountId) -> Iterator[OpenWallet]:
        """That of an account, which is written where the `with` ends well. Raises `not_found`, `Tampered`."""
        row = accounts.account(c, self._blinder.account(account))
        if row is None:
            raise Problem(Code.NOT_FOUND)
        with self._open(c, row) as wallet:
            yield wallet

    def balance(self, c: Connection, account: AccountId, currency: str) -> Balance:
        """What an account is told of it; raises as `open` does."""
        with self.open(c, account) as wallet:
            purse = wallet.purse(currency)
            return Balance(currency, purse.balance, purse.held, wallet.record.country or None)

    @contextmanager
    def behind(self, c: Connection, blind: bytes) -> Iterator[OpenWallet | None]:
        """The same by the account's blind index; None where there is no such account."""
        row = accounts.account(c, blind)
        if row is None:
            yield None
            return
        with self._open(c, row) as wallet:
            yield wallet

    @contextmanager
    def _open(self, c: Connection, row: AccountRow) -> Iterator[OpenWallet]:
        key = self._keyring.unwrap(row.account, row.key)
        try:
            wallet = OpenWallet(c, row.account, key)
            yield wallet
            wallet.save()
        finally:
            key.wipe()


def _line_place(account: bytes, number: int) -> bytes:
    return _LINE + account + number.to_bytes(8, "big")
