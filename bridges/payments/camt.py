"""Statements of banks: ISO 20022 camt.053 (statement) and camt.054 (notification), from version .02 on.

The parser is expat by way of defusedxml: a document type, and so any entity, is refused. Entries are looked
at one by one, and thrown away. What is read has to be as the schemas have it; all else is the bank's.
"""

import io
import re
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

LARGEST = 8 * 1024 * 1024
"""Octets of a file."""
MOST_ENTRIES = 20_000
DEEPEST = 32
MOST_ELEMENTS = 500_000
"""More than a file of that size has, and few enough for memory: each takes a hundred octets and more."""
_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:camt\.05([34])\.001\.([0-9]{2})\Z")
_KINDS = {"3": ("BkToCstmrStmt", "Stmt"), "4": ("BkToCstmrDbtCdtNtfctn", "Ntfctn")}
_AMOUNT = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,5})0*)?\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_MICRO_DIGITS = 6
_NO_REFERENCE = frozenset(("NONREF", "NOTPROVIDED", "NOTAVAILABLE", "NONE"))
"""What banks write where the schema wants a reference and they have none: of many entries the same."""


class BadStatement(Exception):
    """The file is not one; the text says why, and quotes nothing of it but numbers of lines."""


class Transaction(NamedTuple):
    """A part of an entry: what one payer has sent. A reference may stand in `structured`, or in `texts`."""

    amount: int
    currency: str
    credit: bool
    reference: str
    """The bank's own (`AcctSvcrRef`); empty where it has given none."""
    structured: tuple[str, ...]
    texts: tuple[str, ...]


class Entry(NamedTuple):
    """An entry of a bank's books, in micro-units. `status` is `BOOK` where it is booked."""

    statement: str
    number: int
    """Counted from 1 in the file."""
    amount: int
    currency: str
    credit: bool
    reversal: bool
    status: str
    reference: str
    date: str
    transactions: tuple[Transaction, ...]


class Statement(NamedTuple):
    """A file's entries, and the accounts (IBAN, or what else they are called) that they are of."""

    message: str
    accounts: tuple[str, ...]
    entries: tuple[Entry, ...]


def parse(octets: bytes) -> Statement:
    """Raises `BadStatement`. Blocks for a second where the file is large."""
    if len(octets) > LARGEST:
        raise BadStatement(f"a statement has up to {LARGEST} octets")
    return _Reader().read(_events(octets))


def _events(octets: bytes) -> Iterator[tuple[str, Element]]:
    try:
        yield from iterparse(io.BytesIO(octets), ("start", "end"), forbid_dtd=True)
    except ParseError as error:
        raise BadStatement(f"line {error.position[0]}: this is not XML") from None
    except DefusedXmlException:
        raise BadStatement("a document type or an entity is not taken") from None
    except (ValueError, LookupError):
        # Of the encoding that it claims to have.
        raise BadStatement("its encoding is not known") from None


class _Reader:
    """One file."""

    def __init__(self) -> None:
        self._space = ""
        self._message = ""
        self._accounts: list[str] = []
        self._entries: list[Entry] = []
        self._identity = ""
        self._elements = 0

    def read(self, events: Iterator[tuple[str, Element]]) -> Statement:
        path: list[str] = []
        for event, element in events:
            if event == "start":
                path.append(self._begun(element, path))
                continue
            self._ended(element, path)
            path.pop()
        if not self._accounts:
            raise BadStatement("there is no statement in it")
        return Statement(self._message, tuple(self._accounts), tuple(self._entries))

    def _begun(self, element: Element, path: list[str]) -> str:
        if len(path) >= DEEPEST:
            raise BadStatement("its elements are too deep")
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            raise BadStatement("it has too many elements: split it")
        if not path:
            self._space, self._message = _root(element.tag)
        return element.tag.removeprefix(self._space)

    def _ended(self, element: Element, path: list[str]) -> None:
        message, statement = _KINDS[self._message[7]]
        if path[:3] != ["Document", message, statement]:
            return
        match path[3:]:
            case ["Id"]:
                self._identity = (element.text or "").strip()
            case ["Acct"]:
                self._accounts.append(self._account(element))
            case ["Ntry"]:
                if len(self._entries) == MOST_ENTRIES:
                    raise BadStatement(f"a file has up to {MOST_ENTRIES} entries: split it")
                self._entries.append(self._entry(element))
                element.clear()

    def _account(self, element: Element) -> str:
        return self._text(element, "Id/IBAN") or self._text(element, "Id/Othr/Id") or ""

    def _entry(self, element: Element) -> Entry:
        number = len(self._entries) + 1
        amount, currency = self._amount(element.find(self._path("Amt")), number)
        credit = self._is_credit(element, number)
        # A text up to version .06, a choice from .07 on.
        status = self._text(element, "Sts/Cd") or self._text(element, "Sts")
        reference = self._reference(element, "AcctSvcrRef")
        details = element.findall(self._path("NtryDtls/TxDtls"))
        whole = amount, currency, credit, reference
        return Entry(
            self._identity,
            number,
            amount,
            currency,
            credit,
            self._text(element, "RvslInd") in ("true", "1"),
            status or "",
            reference,
            self._text(element, "BookgDt/Dt") or (self._text(element, "BookgDt/DtTm") or "")[:10],
            tuple(self._transaction(each, number, whole, len(details)) for each in details),
        )

    def _transaction(
        self, element: Element, number: int, whole: tuple[int, str, bool, str], count: int
    ) -> Transaction:
        """The one of an entry has the entry's amount; of several each has its own."""
        amount, currency, credit, reference = whole
        own = element.find(self._path("Amt"))
        if own is None:
            own = element.find(self._path("AmtDtls/TxAmt/Amt"))
        if count > 1:
            if own is None:
                raise BadStatement(f"entry {number}: a part of it has no amount")
            amount, currency = self._amount(own, number)
            reference = self._reference(element, "Refs/AcctSvcrRef")
        if self._text(element, "CdtDbtInd") is not None:
            credit = self._is_credit(element, number)
        found = element.findall(self._path("RmtInf/Strd/CdtrRefInf/Ref"))
        free = element.findall(self._path("RmtInf/Ustrd"))
        structured = tuple(text for each in found if (text := (each.text or "").strip()))
        texts = tuple(text for each in free if (text := (each.text or "").strip()))
        return Transaction(amount, currency, credit, reference, structured, texts)

    def _reference(self, element: Element, path: str) -> str:
        """The bank's own; empty where there is none, or a word for that."""
        text = self._text(element, path) or ""
        return "" if text.upper() in _NO_REFERENCE else text

    def _is_credit(self, element: Element, number: int) -> bool:
        side = self._text(element, "CdtDbtInd")
        if side not in ("CRDT", "DBIT"):
            raise BadStatement(f"entry {number}: it is neither a credit nor a debit")
        return side == "CRDT"

    def _amount(self, element: Element | None, number: int) -> tuple[int, str]:
        currency = "" if element is None else element.get("Ccy", "")
        found = None if element is None else _AMOUNT.match((element.text or "").strip())
        if found is None or not _CURRENCY.match(currency):
            raise BadStatement(f"entry {number}: its amount is none")
        parts = (found[2] or "").ljust(_MICRO_DIGITS, "0")
        return int(found[1]) * 10**_MICRO_DIGITS + int(parts), currency

    def _text(self, element: Element, path: str) -> str | None:
        text = element.findtext(self._path(path))
        return None if text is None else text.strip()

    def _path(self, path: str) -> str:
        return "/".join(f"{self._space}{step}" for step in path.split("/"))


def _root(tag: str) -> tuple[str, str]:
    """The namespace as it stands before a name, and the message's name."""
    space, _, name = tag.removeprefix("{").partition("}")
    found = _NAMESPACE.match(space)
    if name != "Document" or found is None or int(found[2]) < 2:
        raise BadStatement("this is neither camt.053 nor camt.054, from version .02 on")
    return f"{{{space}}}", space.rpartition(":")[2]


def transactions(entry: Entry) -> Iterator[tuple[str, Transaction]]:
    """Each part of an entry with what the bank calls it: of no other one, in whichever file it stands.

    An entry without details is one part, without a reference of the payer's.
    """
    parts = entry.transactions or (
        Transaction(entry.amount, entry.currency, entry.credit, entry.reference, (), ()),
    )
    if len(parts) == 1:
        yield entry.reference or parts[0].reference, parts[0]
        return
    own = [part.reference for part in parts]
    distinct = all(own) and len(set(own)) == len(own)
    for number, part in enumerate(parts, 1):
        numbered = f"{entry.reference}/{number}" if entry.reference else ""
        yield part.reference if distinct else numbered, part
