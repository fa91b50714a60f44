"""Calls that go on, and what is held for them: all in the writer's thread, each in one transaction.

What a call may cost is taken from the balance before it is dialled, and again before that is used up: the
writer does one thing after the other, so no two calls can spend the same.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec import structs
from sqlalchemy import Connection

from safeum_home.config_safenum import SafenumSection
from safeum_home.damage import undamaged
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder
from safeum_home.ports.money import Direction, Granted, Leg
from safeum_home.safenum.money import amounts, chart
from safeum_home.safenum.money.cdr import LONGEST, talked
from safeum_home.safenum.money.hold_record import OPEN_CALLS, HoldRecord, index_of, opened, sealed
from safeum_home.safenum.money.ledger import Entry, Ledger, Posting
from safeum_home.safenum.money.months import day_of
from safeum_home.safenum.money.rating import Rate, paid_for, price
from safeum_home.safenum.money.tariff import Tariff
from safeum_home.safenum.money.wallets import OpenWallet, Wallets
from safeum_home.storage import wallets as rows


class Holds:
    """Begins, extends and settles."""

    def __init__(
        self,
        section: SafenumSection,
        ledger: Ledger,
        wallets: Wallets,
        tariff: Tariff,
        blinder: Blinder,
        run: str,
        nonce: Callable[[], str],
    ) -> None:
        """`run` names this process of the node; `nonce` makes texts that were never there before."""
        self._section = section
        self._ledger = ledger
        self._wallets = wallets
        self._tariff = tariff
        self._blinder = blinder
        self._run = run
        self._nonce = nonce
        self._limit = amounts.parse(section.spend_per_day)

    def begin(
        self, c: Connection, account: AccountId, call: str, leg: Leg, rate: Rate | None, now: int
    ) -> Granted:
        """`rate`: None for a call that comes in."""
        index = index_of(self._blinder, account, call)
        if rows.hold(c, index) is not None:
            raise Problem(Code.CALL_EXISTS)
        leg = Leg(*(text[:LONGEST] for text in leg))
        direction = Direction.IN if rate is None else Direction.OUT
        hold = HoldRecord(self._run, self._nonce(), direction, *leg, began=now, seen=now)
        with self._wallets.open(c, account) as wallet:
            if rate is not None:
                if self._outgoing(c, wallet) >= self._section.calls_at_once:
                    raise Problem(Code.LIMIT_REACHED, "calls at once")
                hold = self._priced(wallet, hold, rate, now)
            hold, granted = self._extended(c, wallet, hold, self._section.hold_seconds, now)
            if not granted.seconds:
                raise Problem(self._lacking(wallet, hold))
            rows.put_hold(c, sealed(wallet, index, hold))
        return granted

    def answered(
        self, c: Connection, account: AccountId, call: str, at: int, trunk: str, reference: str
    ) -> None:
        with self._changing(c, account, call) as (index, wallet, hold):
            if not hold.answered:
                known = {"trunk": trunk or hold.trunk, "reference": reference[:LONGEST] or hold.reference}
                rows.put_hold(c, sealed(wallet, index, structs.replace(hold, answered=at, seen=at, **known)))

    def extend(self, c: Connection, account: AccountId, call: str, at: int) -> Granted:
        with self._changing(c, account, call) as (index, wallet, before):
            now_seen = structs.replace(before, seen=max(before.seen, at))
            # Where the answer is not stored yet it was after the beginning.
            wanted = talked(before.answered or before.began, at) + self._section.hold_seconds
            hold, granted = self._extended(c, wallet, now_seen, wanted, at)
            rows.put_hold(c, sealed(wallet, index, hold))
        return granted

    def _outgoing(self, c: Connection, wallet: OpenWallet) -> int:
        """How many calls of an account go out: whoever calls it takes nothing from that."""
        found = undamaged(rows.holds_of(c, wallet.account), lambda row: opened(wallet, row), OPEN_CALLS)
        return sum(hold.direction is Direction.OUT for hold in found)

    def _priced(self, wallet: OpenWallet, hold: HoldRecord, rate: Rate, now: int) -> HoldRecord:
        if rate.is_free:
            return structs.replace(hold, rate=rate)
        country = self._tariff.country(wallet.record.country)
        vat_rate = self._tariff.vat_rate(country, day_of(now))
        return structs.replace(hold, rate=rate, country=country, vat_rate=vat_rate)

    def _extended(
        self, c: Connection, wallet: OpenWallet, hold: HoldRecord, wanted: int, now: int
    ) -> tuple[HoldRecord, Granted]:
        """Hold as much of what so many seconds cost as there is."""
        rate, most = hold.rate, self._section.call_seconds
        if rate is None or rate.is_free:
            return structs.replace(hold, seconds=most), Granted(most, True)
        wanted = min(max(wanted, hold.seconds), most)
        room = min(wallet.purse(rate.currency).balance, self._allowance(wallet, rate.currency, now))
        amount = min(price(rate, wanted, hold.vat_rate).gross, hold.held + room)
        seconds = max(paid_for(rate, amount, hold.vat_rate, wanted), hold.seconds)
        held = max(price(rate, seconds, hold.vat_rate).gross, hold.held)
        if more := held - hold.held:
            key = self._blinder.money("hold", f"{hold.nonce}\0{hold.holds}")
            moved = (
                Posting(chart.CUSTOMERS, rate.currency, more),
                Posting(chart.HELD, rate.currency, -more),
            )
            self._ledger.enter(c, key, Entry("hold", now, moved), wallet)
        hold = structs.replace(hold, held=held, seconds=seconds, holds=hold.holds + 1)
        return hold, Granted(seconds, seconds < wanted or seconds == most)

    def _allowance(self, wallet: OpenWallet, currency: str, now: int) -> int:
        """What may still be spent today."""
        record = wallet.record
        spent = record.spent if record.day == day_of(now) else 0
        return max(self._limit - spent - wallet.purse(currency).held, 0)

    def _lacking(self, wallet: OpenWallet, hold: HoldRecord) -> Code:
        """Why not even the first second is granted."""
        assert hold.rate is not None
        first = price(hold.rate, 1, hold.vat_rate).gross
        short = wallet.purse(hold.rate.currency).balance < first
        return Code.NO_BALANCE if short else Code.SPEND_LIMIT

    @contextmanager
    def _changing(
        self, c: Connection, account: AccountId, call: str
    ) -> Iterator[tuple[bytes, OpenWallet, HoldRecord]]:
        """Raises `call_over`."""
        index = index_of(self._blinder, account, call)
        row = rows.hold(c, index)
        if row is None:
            raise Problem(Code.CALL_OVER)
        with self._wallets.open(c, account) as wallet:
            yield index, wallet, opened(wallet, row)
