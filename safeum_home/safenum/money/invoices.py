"""Invoices: what an account has paid from its balance in a month, by what is taxed alike.

They are made of the lines of its statement whenever they are asked for, and are the same each time: a month
that is over has no more lines. So there is nothing to store. Their numbers are of a series for each account,
which has one in a month (Directive 2006/112/EC, Article 226, point 2).
"""

from base64 import b32encode

from sqlalchemy import Connection

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder
from safeum_home.protocol.commands.money import Invoice, InvoiceItem
from safeum_home.safenum.money.months import month_text
from safeum_home.safenum.money.wallets import Line, Wallets
from safeum_home.storage import wallets as rows

MOST_LINES = 100_000
"""Of a month. Of more no invoice is made: it would take a reader's thread for seconds."""


class InvoiceBook:
    """For readers' threads."""

    def __init__(self, node: str, wallets: Wallets, blinder: Blinder) -> None:
        """`node` is the node's name, which invoices bear."""
        self._node = node
        self._wallets = wallets
        self._blinder = blinder

    def months(self, c: Connection, account: AccountId, before: int) -> list[int]:
        """Months before one of which there is an invoice, the newest first."""
        found = rows.months_of(c, self._blinder.account(account))
        with self._wallets.open(c, account) as wallet:
            return [
                month
                for month in found
                if month < before and any(_is_paid(line) for _, line in wallet.lines_of(month, MOST_LINES))
            ]

    def invoice(self, c: Connection, account: AccountId, month: int) -> Invoice:
        """Raises `not_found` where nothing was paid."""
        with self._wallets.open(c, account) as wallet:
            lines = [line for _, line in wallet.lines_of(month, MOST_LINES) if _is_paid(line)]
        if not lines:
            raise Problem(Code.NOT_FOUND)
        series = b32encode(self._blinder.money("invoices", account)[:5]).decode()
        text = month_text(month)
        return Invoice(f"{series}-{text}", text, self._node, _items(lines))


def _is_paid(line: Line) -> bool:
    # What a provider has paid back is no purchase.
    return line.amount < 0 and line.net > 0


def _items(lines: list[Line]) -> list[InvoiceItem]:
    alike: dict[tuple[str, str, str, int], list[Line]] = {}
    for line in lines:
        alike.setdefault((line.kind, line.currency, line.country, line.vat_rate), []).append(line)
    return [
        InvoiceItem(
            *place,
            len(found),
            sum(line.seconds for line in found),
            sum(line.net for line in found),
            sum(line.vat for line in found),
            -sum(line.amount for line in found),
        )
        for place, found in sorted(alike.items())
    ]
