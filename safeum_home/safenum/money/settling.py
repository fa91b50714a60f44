"""Settling calls: what was held is charged as far as it was used, and the call is recorded, in one commit.

The row of the hold goes in the same commit: so a call is charged once, whoever tells of its end, how often,
and whatever was killed meanwhile.
"""

from collections.abc import Callable
from functools import partial

from msgspec import structs
from sqlalchemy import Connection

from safeum_home.damage import undamaged
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder
from safeum_home.ports.money import Charged, Direction, Disposition, Leg, Over
from safeum_home.safenum.money import chart
from safeum_home.safenum.money.beats import Beats
from safeum_home.safenum.money.cdr import CdrBook, record_of, talked
from safeum_home.safenum.money.hold_record import OPEN_CALLS, HoldRecord, index_of, opened
from safeum_home.safenum.money.ledger import Entry, Ledger, Posting
from safeum_home.safenum.money.months import day_of
from safeum_home.safenum.money.rating import Price, Rate, carrier_cost, price
from safeum_home.safenum.money.wallets import Line, OpenWallet, Wallets
from safeum_home.storage import wallets as rows
from safeum_home.storage.wallets import HoldRow

AT_ONCE = 100
"""Calls of before a start that are settled in one transaction."""
Ended = Callable[[HoldRecord], Over | None]


class Settling:
    """For the writer's thread, inside transactions."""

    def __init__(
        self,
        currency: str,
        ledger: Ledger,
        wallets: Wallets,
        cdrs: CdrBook,
        beats: Beats,
        blinder: Blinder,
        run: str,
        now: Callable[[], int],
    ) -> None:
        """`currency` is that of calls that cost nothing; `run` is as in `HoldRecord`, `now` in milliseconds.

        Calls are booked in the month in which they are settled: one that is over does not change.
        """
        self._currency = currency
        self._ledger = ledger
        self._wallets = wallets
        self._cdrs = cdrs
        self._beats = beats
        self._blinder = blinder
        self._run = run
        self._now = now

    def settle(self, c: Connection, account: AccountId, call: str, over: Over) -> Charged | None:
        """None: it is not open."""
        row = rows.hold(c, index_of(self._blinder, account, call))
        return None if row is None else self._settle(c, row, lambda hold: over)

    def settle_left(self, c: Connection, after: bytes) -> bytes | None:
        """Settle calls of former runs of the node, as far as they were seen; behind which there may be more.

        None: there are no more.
        """
        found = rows.holds_behind(c, after, AT_ONCE)

        def settle(row: HoldRow) -> None:
            # What is damaged is left as it is, and keeps nobody else's calls from being settled.
            with c.begin_nested():
                self._settle(c, row, lambda hold: None if self._is_own(hold) else self._as_seen(c, row, hold))

        undamaged(found, settle, "wallets with calls that went on")
        if len(found) == AT_ONCE:
            return found[-1].hold
        self._beats.drop_others(c)
        return None

    def settle_all(self, c: Connection, account: bytes) -> None:
        """Settle all calls of an account that is about to be erased."""
        for row in rows.holds_of(c, account):
            self._settle(c, row, partial(self._as_seen, c, row))

    def record_nobody(self, c: Connection, leg: Leg, began: int, over: Over) -> None:
        """Record a call that was for nobody."""
        self._cdrs.put(
            c, record_of(leg.caller, leg.called, Direction.IN, began, leg.trunk, leg.reference, over)
        )

    def _as_seen(self, c: Connection, row: HoldRow, hold: HoldRecord) -> Over:
        """A call whose end was not stored: it is over since it is last known to have gone on."""
        seen = hold.seen
        if (beat := self._beats.of(c, hold.run)) is not None:
            if (over := beat.over.get(row.hold)) is not None:
                return over
            seen = max(seen, beat.at)
        disposition = Disposition.ANSWERED if hold.answered else Disposition.FAILED
        return Over(seen, hold.answered, disposition)

    def _is_own(self, hold: HoldRecord) -> bool:
        """Whether this process has begun the call: then somebody knows of it."""
        return hold.run == self._run

    def _settle(self, c: Connection, row: HoldRow, ended: Ended) -> Charged | None:
        with self._wallets.behind(c, row.account) as wallet:
            if wallet is None:
                return None
            for hold in undamaged([row], lambda row: opened(wallet, row), OPEN_CALLS):
                if (over := ended(hold)) is None:
                    continue
                if hold.answered and not over.answered:
                    over = structs.replace(over, answered=hold.answered)
                rows.drop_hold(c, row.hold)
                self._record(c, hold, over)
                return self._charge(c, wallet, hold, over)
        return None

    def _record(self, c: Connection, hold: HoldRecord, over: Over) -> None:
        self._cdrs.put(
            c,
            record_of(hold.caller, hold.called, hold.direction, hold.began, hold.trunk, hold.reference, over),
        )

    def _charge(self, c: Connection, wallet: OpenWallet, hold: HoldRecord, over: Over) -> Charged:
        rate = hold.rate
        if rate is None:
            return Charged(0, self._currency, 0)
        spoken = talked(over.answered, over.ended)
        paid = price(rate, _billed(hold, spoken), hold.vat_rate)
        postings = self._postings(hold, rate, paid, carrier_cost(rate, spoken))
        booked = self._now()
        if postings:
            key = self._blinder.money("call", hold.nonce)
            if not self._ledger.enter(c, key, Entry("call", booked, postings), wallet):
                raise ValueError("a call was charged, and its hold is still there")
        if paid.gross:
            _note(wallet, hold, rate, over.ended, booked, paid)
        return Charged(paid.gross, rate.currency, paid.seconds)

    def _postings(self, hold: HoldRecord, rate: Rate, paid: Price, cost: int) -> tuple[Posting, ...]:
        """What was held is paid as far as it was used; the rest goes back to the customer."""
        amounts = (
            (chart.HELD, hold.held),
            (chart.CUSTOMERS, paid.gross - hold.held),
            (chart.REVENUE, -paid.net),
            (chart.vat(hold.country), -paid.vat),
            (chart.CARRIER_COST, cost),
            (chart.CARRIER_DUE, -cost),
        )
        return tuple(Posting(name, rate.currency, amount) for name, amount in amounts if amount)


def _billed(hold: HoldRecord, spoken: int) -> int:
    """What was not granted is not charged."""
    return min(spoken, hold.seconds)


def _note(wallet: OpenWallet, hold: HoldRecord, rate: Rate, at: int, booked: int, paid: Price) -> None:
    """In the account's own statement, and in what it has spent today."""
    day, record = day_of(booked), wallet.record
    wallet.change(day=day, spent=paid.gross + (record.spent if record.day == day else 0))
    wallet.add_line(
        Line(
            at,
            "call",
            rate.currency,
            -paid.gross,
            net=paid.net,
            vat=paid.vat,
            vat_rate=hold.vat_rate,
            country=hold.country,
            number=hold.called,
            seconds=paid.seconds,
        ),
        booked,
    )
