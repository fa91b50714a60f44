"""What a statement has for the node: credits that were booked, with the reference that each came under."""

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from stdnum import iban

from bridges.payments.camt import BadStatement, Entry, Statement, Transaction, transactions
from safeum_home.protocol.references import creditor_reference

MOST = 10**15
"""Micro-units; no amount is beyond this."""


class Sort(StrEnum):
    """What an entry is."""

    CREDIT = "credit"
    """Booked, and the money of somebody who has paid."""
    DEBIT = "debit"
    PENDING = "pending"
    """Not booked yet: it comes again."""
    REVERSAL = "reversal"
    """Something before was undone."""


class Item(NamedTuple):
    """An entry, or a part of one; `key` is what the bank calls it, `reference` what its payer has written.

    `why` says why a credit can be nobody's; empty where it can.
    """

    number: int
    sort: Sort
    key: str
    reference: str
    amount: int
    currency: str
    date: str
    why: str


def items(statement: Statement, account: str, currency: str) -> list[Item]:
    """Those of a statement, which has to be of the account with this IBAN; raises `BadStatement`."""
    if any(iban.compact(each) != iban.compact(account) for each in statement.accounts):
        raise BadStatement("it is of another account than payments.bank.iban")
    found = [item for entry in statement.entries for item in _items(entry, currency)]
    keys = Counter(item.key for item in found if item.sort is Sort.CREDIT and not item.why)
    return [
        item._replace(why="the bank calls several entries the same") if keys[item.key] > 1 else item
        for item in found
    ]


def _items(entry: Entry, currency: str) -> Iterator[Item]:
    sort = _sort(entry)
    if sort is not Sort.CREDIT:
        yield Item(entry.number, sort, entry.reference, "", entry.amount, entry.currency, entry.date, "")
        return
    parts = list(transactions(entry))
    whole = sum(part.amount if part.credit else -part.amount for _, part in parts)
    wrong = "" if whole == entry.amount else "its parts are not the amount of the entry"
    for key, part in parts:
        reference = _reference(part)
        why = wrong or _why(key, part, reference, currency)
        yield Item(entry.number, sort, key, reference, part.amount, part.currency, entry.date, why)


def _sort(entry: Entry) -> Sort:
    if entry.status != "BOOK":
        return Sort.PENDING
    if entry.reversal:
        return Sort.REVERSAL
    return Sort.CREDIT if entry.credit else Sort.DEBIT


def _reference(part: Transaction) -> str:
    """The structured one, or the one that was written into the text; empty where there is none."""
    for texts in (part.structured, ("".join(part.texts),), (" ".join(part.texts),)):
        if found := {each for text in texts if (each := creditor_reference(text))}:
            return found.pop() if len(found) == 1 else ""
    return ""


def _why(key: str, part: Transaction, reference: str, currency: str) -> str:
    if not part.credit:
        return "it is a debit within a credit"
    if part.currency != currency:
        return f"it is not in {currency}"
    if not key:
        return "the bank has given it no reference (AcctSvcrRef)"
    if not reference:
        return "it has no creditor reference of this node's"
    if not part.amount:
        return "its amount is nothing"
    return "" if part.amount <= MOST else "it is too large"
