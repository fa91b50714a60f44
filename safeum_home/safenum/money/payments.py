"""Payments: what comes in under a reference is added to whose that is, and taken back where it was paid back.

No balance falls below zero: of what a provider has paid back to a customer, as much is taken from the balance
as is there, and the rest, which was spent, is the node's loss: it is in the account `UNCOLLECTED` of the
ledger, and the operator is told. Each thing is one transaction, and happens once, however often it is told.
"""

from collections.abc import Callable

from msgspec import structs
from sqlalchemy import Connection

from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder
from safeum_home.ports.payments import Noted, Paid, PaidBack, Told
from safeum_home.safenum.money import chart
from safeum_home.safenum.money.credits import CreditBook
from safeum_home.safenum.money.ledger import Entry, Ledger, Posting
from safeum_home.safenum.money.notes import NoteBook
from safeum_home.safenum.money.payment_record import (
    BANK,
    Part,
    PaymentNote,
    PaymentRecord,
    opened,
    sealed,
)
from safeum_home.safenum.money.wallets import Line, OpenWallet, Wallets
from safeum_home.storage import payments as rows
from safeum_home.storage.payments import PaymentRow

OPEN = 20
"""References that an account may begin in a day (UTC) under which nothing was paid yet."""
DAY = 86_400_000
UNPAID = 60 * DAY
"""Milliseconds for which a reference is known: a payment may take weeks to be good."""
PAID = 400 * DAY
"""And after it was paid: for so long it may be disputed or refunded."""


class PaymentBook:
    """For the writer's thread, inside transactions. `now` is in milliseconds."""

    def __init__(
        self,
        ledger: Ledger,
        wallets: Wallets,
        book: CreditBook,
        notes: NoteBook,
        blinder: Blinder,
        now: Callable[[], int],
    ) -> None:
        self._ledger = ledger
        self._wallets = wallets
        self._book = book
        self._notes = notes
        self._blinder = blinder
        self._now = now

    def open(
        self, c: Connection, account: AccountId, reference: str, provider: str, amount: int, currency: str
    ) -> int:
        """Know a reference as the account's; until when. Raises `limit_reached`."""
        with self._wallets.open(c, account) as wallet:
            # Pages that were only looked at keep nobody from paying for longer than that.
            index, ends = self._reference(reference), self._until(UNPAID)
            if rows.count_open(c, wallet.account, ends) >= OPEN:
                raise Problem(Code.LIMIT_REACHED, "payments that were begun today")
            record = PaymentRecord(account, provider, currency, amount)
            row = PaymentRow(index, wallet.account, None, ends, sealed(wallet.key, index, record))
            rows.put(c, row)
        return ends

    def forget(self, c: Connection, reference: str) -> None:
        """Nobody was shown where to pay under it."""
        rows.drop(c, self._reference(reference))

    def told(self, c: Connection, provider: str, told: Told) -> AccountId | None:
        """Do what follows of what a provider tells; whose balance is another one since, or None."""
        match told:
            case Paid():
                return self.paid(c, provider, told)[0]
            case PaidBack():
                return self._paid_back(c, provider, told)
            case Noted():
                note = PaymentNote(self._now(), provider, told.what, told.payment, name=told.name)
                self._notes.add(c, note)
        return None

    def paid(
        self, c: Connection, provider: str, paid: Paid, note: bool = True
    ) -> tuple[AccountId | None, str]:
        """Add a payment to the balance that its reference is of; whose that is, and why it was not.

        The reason is empty where it was added, now or before. With `note` the operator is told.
        """
        row = rows.one(c, self._reference(paid.reference))
        found = None if row is None else self._opened(c, row)
        if row is None or found is None or found.provider != provider:
            # Where the reference is gone, it may have been paid before.
            before = self._before(c, provider, paid)
            why = "unknown reference" if before is None else before
            return None, self._refused(c, provider, paid, note, why)
        if paid.currency != found.currency:
            return None, self._refused(c, provider, paid, note, "another currency")
        with self._wallets.behind(c, row.account) as wallet:
            assert wallet is not None
            if not self._book.add(c, wallet, paid.amount, paid.currency, provider, paid.payment):
                return None, self._refused(c, provider, paid, note, self._before(c, provider, paid) or "")
            if found.amount and paid.amount != found.amount:
                self._note(c, provider, paid, "another amount than was asked for: it was added")
            if provider != BANK:  # where a reference may be paid under more than once
                found = structs.replace(found, payment=paid.payment, paid=paid.amount)
            payment = self._payment(provider, found.payment or paid.reference)
            after = sealed(wallet.key, row.reference, found)
            rows.put(c, row._replace(payment=payment, ends=self._until(PAID), sealed=after))
        return found.account, ""

    def known(self, c: Connection, provider: str, paid: Paid) -> tuple[bool, str]:
        """What `paid` would do: whether its name was added before, and why it would not be."""
        if (before := self._before(c, provider, paid)) is not None:
            return True, before
        row = rows.one(c, self._reference(paid.reference))
        found = None if row is None else self._opened(c, row)
        if found is None or found.provider != provider:
            return False, "unknown reference"
        return False, "" if paid.currency == found.currency else "another currency"

    def _paid_back(self, c: Connection, provider: str, back: PaidBack) -> AccountId | None:
        row = rows.by_payment(c, self._payment(provider, back.payment))
        found = None if row is None else self._opened(c, row)
        if row is None or found is None or found.currency != back.currency:
            what = "paid back, and nobody has it here: the ledger does not know of it"
            self._notes.add(c, self._note_of(provider, back, what, back.total))
            return None
        last = found.parts.get(back.part, Part(0, 0))
        if (back.at, back.total) <= (last.at, last.total):
            return None
        after = structs.replace(found, parts={**found.parts, back.part: Part(back.at, back.total)})
        with self._wallets.behind(c, row.account) as wallet:
            assert wallet is not None
            if more := after.back - found.back:
                after = self._moved(c, wallet, provider, back, after, more)
            ends = self._until(PAID)
            rows.put(c, row._replace(ends=ends, sealed=sealed(wallet.key, row.reference, after)))
        return found.account

    def _moved(
        self,
        c: Connection,
        wallet: OpenWallet,
        provider: str,
        back: PaidBack,
        record: PaymentRecord,
        more: int,
    ) -> PaymentRecord:
        """So much `more` is with the customer again; below zero, it has come back to the node."""
        lost = record.back - more - record.collected
        # What was lost before is made good first; the rest is the customer's.
        taken = min(more, wallet.purse(record.currency).balance) if more > 0 else min(more + lost, 0)
        amounts = (
            (chart.CUSTOMERS, taken),
            (chart.UNCOLLECTED, more - taken),
            (chart.clearing(provider), -more),
        )
        postings = tuple(Posting(name, record.currency, each) for name, each in amounts if each)
        key = self._blinder.money(
            "payback", f"{provider}\0{back.payment}\0{back.part}\0{back.at}\0{back.total}"
        )
        now = self._now()
        self._ledger.enter(c, key, Entry("payback", now, postings), wallet)
        if taken:
            wallet.add_line(Line(now, "payback", record.currency, -taken), now)
        what = f"paid back ({back.part})" if more > 0 else f"it came back ({back.part})"
        if more - taken > 0:
            what += ": not all of it was left in the balance, and the rest is uncollected"
        self._notes.add(c, self._note_of(provider, back, what, more))
        return structs.replace(record, collected=record.collected + taken)

    def _refused(self, c: Connection, provider: str, paid: Paid, note: bool, why: str) -> str:
        if note and why:
            self._note(c, provider, paid, f"{why}: it was added to no balance")
        return why

    def _before(self, c: Connection, provider: str, paid: Paid) -> str | None:
        """None where nothing was added under what a payment is called; else why that was not this payment.

        Who calls two payments the same would have the second one lost, and nobody would know.
        """
        try:
            entry = self._ledger.entry(c, self._book.key(provider, paid.payment))
        except Tampered:
            return ""  # what it was nobody knows any more: `ledger check` tells the operator
        if entry is None:
            return None
        own = Posting(chart.CUSTOMERS, paid.currency, -paid.amount)
        return "" if own in entry.postings else "another amount was added under the same name"

    def _note(self, c: Connection, provider: str, paid: Paid, what: str) -> None:
        note = PaymentNote(self._now(), provider, what, paid.payment, paid.amount, paid.currency)
        self._notes.add(c, note)

    def _note_of(self, provider: str, back: PaidBack, what: str, amount: int) -> PaymentNote:
        name = f"{back.part} {back.at} {back.total}"
        return PaymentNote(self._now(), provider, what, back.payment, amount, back.currency, name)

    def _opened(self, c: Connection, row: PaymentRow) -> PaymentRecord | None:
        """None where the account is closed."""
        with self._wallets.behind(c, row.account) as wallet:
            return None if wallet is None else opened(wallet.key, row)

    def _until(self, kept: int) -> int:
        """At the end of a day: this stands in clear, and moments of payments are known to providers."""
        return -(-(self._now() + kept) // DAY) * DAY

    def _reference(self, reference: str) -> bytes:
        return self._blinder.money("payment reference", reference)

    def _payment(self, provider: str, payment: str) -> bytes:
        return self._blinder.money("payment", f"{provider}\0{payment}")
