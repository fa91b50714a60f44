"""What an operator may ask about payments, over the socket."""

from hashlib import sha256

from msgspec import Struct
from sqlalchemy import Connection
from stdnum import iban
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from bridges.payments import camt
from bridges.payments.camt import BadStatement, Statement
from bridges.payments.matching import Item, Sort, items
from safeum_home.admin import payments_wire as wire
from safeum_home.admin.commands import Handler
from safeum_home.admin.wire import Done, Params, PartParams
from safeum_home.config_payments import BankSection
from safeum_home.errors import Code, Problem
from safeum_home.node.in_parts import InParts
from safeum_home.node.money import MoneyParts
from safeum_home.node.opened import opened
from safeum_home.node.service import Node
from safeum_home.ports import Database
from safeum_home.ports.payments import Paid
from safeum_home.safenum.money.payment_record import PaymentNote
from safeum_home.safenum.money.takings import Takings
from safeum_home.storage import payments as rows

AT_ONCE = 50
"""Items of a statement, and notes, in one answer."""
_log = Logger()


class PaymentOperation:
    """The commands; all raise `sealed` while the node is not open. One statement at a time is in memory."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._statement = InParts("a statement", camt.LARGEST)
        self._file, self._items = "", list[Item]()

    async def status(self, params: Params) -> Struct:
        _, database = self._open()
        assert self._node.payments is not None
        bank = self._node.config.payments.bank
        notes = await database.read(rows.count_notes)
        tills = [wire.TillRow(*each) for each in self._node.payments.desk.standings()]
        return wire.PaymentState(tills, iban.format(bank.iban), notes)

    async def part(self, params: PartParams) -> Struct:
        self._open()
        return self._statement.add(params)

    async def read(self, params: wire.ReadParams) -> Struct:
        self._open()
        bank = self._bank()
        with self._statement.whole(params.size) as octets:
            try:
                statement, found = await deferToThread(
                    _read, octets, bank.iban, self._node.config.safenum.currency
                )
            except BadStatement as bad:
                return wire.StatementRead("", "", 0, str(bad))
        self._file, self._items = sha256(octets).hexdigest(), found
        return wire.StatementRead(self._file, statement.message, len(statement.entries), "")

    async def book(self, params: wire.BookParams) -> Struct:
        money, _ = self._open()
        if params.file != self._file:
            raise self._statement.another()
        some = self._items[params.after : params.after + AT_ONCE]
        end = params.after + len(some)
        booked = [await _booked(money.takings, item, params.check) for item in some]
        added = sum(row.outcome == "added" for row in booked)
        if added and not params.check:
            _log.info("{count} transfers were added.", count=added)
        if end < len(self._items):
            return wire.Booked(booked, end)
        self._file, self._items = "", []
        return wire.Booked(booked, 0)

    async def notes(self, params: wire.NotesParams) -> Struct:
        money, database = self._open()

        def page(c: Connection) -> tuple[list[tuple[int, PaymentNote]], int | None]:
            return money.notes.page(c, params.after, AT_ONCE)

        found, behind = await database.read(page)
        return wire.NoteRows([_note(*each) for each in found], behind or 0)

    async def done(self, params: wire.NoteParams) -> Struct:
        _, database = self._open()
        if not await database.transact(lambda c: rows.drop_note(c, params.number)):
            raise Problem(Code.NOT_FOUND, "there is no such note")
        return Done()

    def _open(self) -> tuple[MoneyParts, Database]:
        domain, database = opened(self._node)
        return domain.money, database

    def _bank(self) -> BankSection:
        bank = self._node.config.payments.bank
        if not bank.iban:
            raise Problem(Code.WRONG_STATE, "there is no payments.bank in the configuration")
        return bank


def payments_handlers(node: Node) -> dict[str, Handler]:
    """The commands of an operator of `node`."""
    operation = PaymentOperation(node)

    return {
        "payments.status": Handler(Params, operation.status),
        "payments.part": Handler(PartParams, operation.part),
        "payments.read": Handler(wire.ReadParams, operation.read),
        "payments.book": Handler(wire.BookParams, operation.book),
        "payments.notes": Handler(wire.NotesParams, operation.notes),
        "payments.done": Handler(wire.NoteParams, operation.done),
    }


def _read(octets: bytes, account: str, currency: str) -> tuple[Statement, list[Item]]:
    """It takes a second for a large file."""
    statement = camt.parse(octets)
    return statement, items(statement, account, currency)


async def _booked(takings: Takings, item: Item, check: bool) -> wire.ItemRow:
    outcome, why = await _outcome(takings, item, check)
    return wire.ItemRow(item.number, outcome, item.key, item.amount, item.currency, item.date, why)


async def _outcome(takings: Takings, item: Item, check: bool) -> tuple[str, str]:
    if item.sort is not Sort.CREDIT:
        undone = "something was undone: see the bank's details"
        return item.sort.value, undone if item.sort is Sort.REVERSAL else ""
    paid = Paid(item.reference, item.key, item.amount, item.currency)
    if item.why:
        # The operator may have added it by hand.
        before = bool(item.key) and (await takings.look(paid))[0]
        return ("before", "") if before else ("unmatched", item.why)
    if check:
        before, why = await takings.look(paid)
        return ("unmatched" if why else "before" if before else "added"), why
    added, why = await takings.book(paid)
    return ("added" if added else "unmatched" if why else "before"), why


def _note(number: int, note: PaymentNote) -> wire.NoteRow:
    return wire.NoteRow(number, note.at, note.provider, note.what, note.payment, note.amount, note.currency)
