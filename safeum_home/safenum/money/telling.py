"""Tells accounts' devices what their balances are now."""

from collections.abc import Sequence
from functools import partial
from itertools import islice

from sqlalchemy import Connection

from safeum_home.damage import undamaged
from safeum_home.errors import Problem
from safeum_home.ids import AccountId
from safeum_home.jobs import Jobs
from safeum_home.ports import Bus, Database, Published
from safeum_home.protocol import frames
from safeum_home.protocol.events import BalanceChanged
from safeum_home.safenum.money.wallets import Wallets

AT_ONCE = 50
"""Balances in one snapshot."""


class BalanceTelling:
    """They are read after the change, one snapshot at a time: what is told last is what is last.

    The event is not kept for devices that are away: they ask when they come.
    """

    def __init__(self, jobs: Jobs, database: Database, wallets: Wallets, bus: Bus, currency: str) -> None:
        self._database = database
        self._wallets = wallets
        self._bus = bus
        self._currency = currency
        self._changed: dict[AccountId, None] = {}
        self._telling = jobs.job("telling balances", self._tell)

    def changed(self, account: AccountId) -> None:
        if self._bus.connected(account):
            self._changed[account] = None
            self._telling.ask()

    async def _tell(self) -> None:
        while self._changed:
            some = list(islice(self._changed, AT_ONCE))
            for account in some:
                del self._changed[account]
            try:
                found = await self._database.read(partial(self._read, accounts=some))
            except Problem:
                self._changed.update(dict.fromkeys(some))
                raise
            for account, event in found:
                self._bus.publish(account, Published(frames.text_frame(frames.encode_event(event))))

    def _read(self, c: Connection, accounts: Sequence[AccountId]) -> list[tuple[AccountId, BalanceChanged]]:
        """Without those that were closed meanwhile."""

        def read(account: AccountId) -> tuple[AccountId, BalanceChanged] | None:
            try:
                with self._wallets.open(c, account) as wallet:
                    purse = wallet.purse(self._currency)
            except Problem:
                return None
            return account, BalanceChanged(self._currency, purse.balance, purse.held)

        return [each for each in undamaged(accounts, read, "wallets") if each is not None]
