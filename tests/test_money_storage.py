"""Money on databases with threads and a disk: whoever comes at the same time, and after a restart."""

from typing import Any

from twisted.internet.defer import Deferred, gatherResults

from safeum_home.errors import Problem
from safeum_home.ports.money import Leg, Over
from safeum_home.safenum.money.rate_table import RateTable
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


class PostgresMoneyTests(OnPostgres, StoredMoneyTests): ...
