"""Money on databases with threads and a disk: whoever comes at the same time, and after a restart."""

from collections.abc import Awaitable
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, gatherResults

from safeum_home.errors import Problem
from safeum_home.ports.money import Leg, Over
from safeum_home.ports.payments import Paid, PaidBack
from safeum_home.safenum.money.payment_record import BANK
from safeum_home.safenum.money.rate_table import RateTable
from safeum_home.storage.payments import drop_ended
from tests.money_case import LANDLINE, RATES, SAFENUM, UNIT, Bank, faults
from tests.storage import OnPostgres, StorageCase

MINUTE = 14_280


class StoredMoneyTests(StorageCase):
    def bank(self, run: str = "1", **settings: Any) -> Bank:
        settings = {"calls_at_once": 100, **settings}
        return Bank(self.db, *self._kept, run=run, **settings)  # type: ignore[arg-type]

    async def setUp(self) -> None:  # type: ignore[override] # trial waits for it
        await super().setUp()
        first = Bank()
        self._kept = first.vault, first.clock

    async def test_races(self) -> None:
        """Forty calls and ten purchases at once, from a balance that is enough for some: never below zero."""
        bank = self.bank()
        account = bank.new_id()
        await self.db.transact(bank.row_of(account))
        await bank.credits.credit(account, 10 * MINUTE, "EUR", "bank", "1")
        outcomes: list[str] = []

        def ask(coroutine: Any) -> "Deferred[None]":
            done = Deferred.fromCoroutine(coroutine)

            def refused(failure: Any) -> None:
                failure.trap(Problem)
                outcomes.append(str(failure.value))

            return done.addCallbacks(lambda _: outcomes.append("ok"), refused)

        leg = Leg(SAFENUM, LANDLINE)
        asked = [ask(bank.calls.outgoing(account, str(call), leg)) for call in range(40)]
        asked += [ask(bank.credits.buy(account, MINUTE, "EUR", "premium", str(each))) for each in range(10)]
        asked += [ask(bank.calls.extend(account, str(call), bank.now())) for call in range(40)]
        await gatherResults(asked)
        self.assertEqual(outcomes[:10], ["ok"] * 10)
        self.assertEqual(outcomes[10:50], ["no_balance"] * 40)
        self.assertEqual(await self.db.read(lambda c: faults(bank, c, [account])), [])

        settled = [bank.calls.settle(account, str(call), Over(bank.now())) for call in range(40)]
        await gatherResults([Deferred.fromCoroutine(each) for each in settled])
        self.assertEqual(await self.db.read(lambda c: faults(bank, c, [account])), [])
        with_all = await self.db.read(lambda c: bank.wallets.balance(c, account, "EUR"))
        self.assertEqual((with_all.balance, with_all.held), (10 * MINUTE, 0))

    async def test_payments(self) -> None:
        """Twenty times the same payment, refunds and purchases at once: added once, and never below zero."""
        bank = self.bank()
        account = bank.new_id()
        await self.db.transact(bank.row_of(account))
        await self.db.transact(lambda c: bank.payments.open(c, account, "R1", "card", 10 * UNIT, "EUR"))
        await self.db.transact(lambda c: bank.payments.open(c, account, "RF1", BANK, 0, "EUR"))
        paid = Paid("R1", "pi_1", 10 * UNIT, "EUR")
        took = [bank.takings.take("card", [paid]) for _ in range(20)]
        booked = [bank.takings.book(Paid("RF1", "B", UNIT, "EUR")) for _ in range(5)]
        await gatherResults([Deferred.fromCoroutine(_done(each)) for each in (*took, *booked)])
        told = await self.db.read(lambda c: bank.wallets.balance(c, account, "EUR"))
        self.assertEqual(told.balance, 11 * UNIT)
        now = bank.now()
        buy = partial(bank.premium_book.buy, account=account, months=1, price=2 * UNIT, now=now)
        bought = [self.db.transact(partial(buy, reference=f"{number}")) for number in range(4)]
        for each in bought:
            each.addErrback(lambda failure: failure.trap(Problem) and 0)
        told_back = [[PaidBack("pi_1", "refunds", total * UNIT, "EUR", total)] for total in (3, 10, 5, 10)]
        backs = [Deferred.fromCoroutine(_done(bank.takings.take("card", told))) for told in told_back]
        waiting: list[Deferred[Any]] = [*bought, *backs]
        await gatherResults(waiting)
        self.assertEqual(await self.db.read(lambda c: faults(bank, c, [account])), [])
        totals = {each.account: each.amount for each in await self.db.read(bank.ledger.totals)}
        self.assertEqual(totals["clearing:card"], 0)
        self.assertGreaterEqual(totals.get("uncollected", 0), 0)
        notes = await self.db.read(lambda c: bank.notes.page(c, 0, 9))
        self.assertEqual(len(notes[0]), 2)
        await self.reopen()
        again = self.bank("2")
        self.assertEqual((await again.audit.check()).faults, [])
        await self.db.transact(lambda c: c.exec_driver_sql("DELETE FROM ledger_totals"))
        self.assertEqual(await again.audit.rebuild(), len(totals))
        self.assertEqual(await self.db.read(lambda c: faults(again, c, [account])), [])
        self.assertEqual(await self.db.transact(lambda c: drop_ended(c, 2**62)), 2)

    async def test_restarted(self) -> None:
        """What is open is settled by the next process; rates and books are there."""
        bank = self.bank()
        account = bank.new_id()
        await self.db.transact(bank.row_of(account))
        await bank.credits.credit(account, UNIT, "EUR", "bank", "1")
        await bank.tables.replace(RATES, RateTable(RATES))
        await bank.calls.outgoing(account, "1", Leg(SAFENUM, LANDLINE))
        await bank.calls.answered(account, "1", bank.now())
        await bank.calls.alive(bank.now() + 30_000)
        await self.reopen()
        again = self.bank("2")
        await again.tables.load()
        self.assertEqual(len(again.tables.table), len(RATES))
        await gatherResults([Deferred.fromCoroutine(again.calls.settle_left()) for _ in range(3)])
        balance = await self.db.read(lambda c: again.wallets.balance(c, account, "EUR"))
        self.assertEqual((balance.balance, balance.held), (UNIT - MINUTE // 2, 0))
        self.assertEqual(await self.db.read(lambda c: faults(again, c, [account])), [])
        self.assertIsNone(await again.calls.settle(account, "1", Over(again.now())))


async def _done(work: Awaitable[Any]) -> None:
    await work


class PostgresMoneyTests(OnPostgres, StoredMoneyTests): ...
