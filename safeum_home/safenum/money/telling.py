"""Tells an account's devices what its balance is now."""

from sqlalchemy import Connection

from safeum_home.errors import Problem
from safeum_home.ids import AccountId
from safeum_home.ports import Bus, Database, Published
from safeum_home.protocol import frames
from safeum_home.protocol.events import BalanceChanged
from safeum_home.safenum.money.wallets import Wallets
from safeum_home.spawn import spawn


class BalanceTelling:
    """It is read after the change, once at a time for each account: what is told last is what is last.

    The event is not kept for devices that are away: they ask when they come.
    """

    def __init__(self, database: Database, wallets: Wallets, bus: Bus, currency: str) -> None:
        self._database = database
        self._wallets = wallets
        self._bus = bus
        self._currency = currency
        self._reading: dict[AccountId, bool] = {}
        """Those whose balance is being read, and whether it has changed since that began."""

    def changed(self, account: AccountId) -> None:
        if account in self._reading:
            self._reading[account] = True
        elif self._bus.connected(account):
            self._reading[account] = False
            spawn(self._tell(account), "telling a balance")

    async def _tell(self, account: AccountId) -> None:
        try:
            again = True
            while again:
                self._reading[account] = False
                event = await self._database.read(lambda c: self._read(c, account))
                again = self._reading[account]
            self._bus.publish(account, Published(frames.text_frame(frames.encode_event(event))))
        except Problem:
            pass  # closed meanwhile, or the database is away: devices ask when they come back
        finally:
            del self._reading[account]

    def _read(self, c: Connection, account: AccountId) -> BalanceChanged:
        with self._wallets.open(c, account) as wallet:
            purse = wallet.purse(self._currency)
        return BalanceChanged(self._currency, purse.balance, purse.held)
