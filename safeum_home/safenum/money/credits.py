"""Money that comes in, what is bought with it, and what is left of it when an account is closed.

A balance can be used for services that are taxed differently: so tax is due where it is spent, and not where
it is paid in (a multi-purpose voucher, Directive 2006/112/EC, Article 30b). It is neither transferred nor
paid out.
"""

from collections.abc import Callable

from sqlalchemy import Connection
from twisted.logger import Logger

from safeum_home.errors import Tampered
from safeum_home.ids import AccountId
from safeum_home.ports import Blinder
from safeum_home.safenum.money import chart
from safeum_home.safenum.money.ledger import Entry, Ledger, Posting
from safeum_home.safenum.money.months import day_of
from safeum_home.safenum.money.rating import tax_within
from safeum_home.safenum.money.settling import Settling
from safeum_home.safenum.money.tariff import Tariff
from safeum_home.safenum.money.wallets import Line, OpenWallet, Wallets

_log = Logger()


class CreditBook:
    """For the writer's thread, inside transactions."""

    def __init__(
        self,
        ledger: Ledger,
        wallets: Wallets,
        tariff: Tariff,
        settling: Settling,
        blinder: Blinder,
        now: Callable[[], int],
    ) -> None:
        """`now` is in milliseconds."""
        self._ledger = ledger
        self._wallets = wallets
        self._tariff = tariff
        self._settling = settling
        self._blinder = blinder
        self._now = now

    def credit(
        self, c: Connection, account: AccountId, amount: int, currency: str, source: str, reference: str
    ) -> bool:
        """Add to a balance what came in from `source`; False where this reference was added before."""
        with self._wallets.open(c, account) as wallet:
            return self.add(c, wallet, amount, currency, source, reference)

    def add(
        self, c: Connection, wallet: OpenWallet, amount: int, currency: str, source: str, reference: str
    ) -> bool:
        """The same to a wallet that is open."""
        if amount <= 0:
            raise ValueError("an amount above zero")
        now = self._now()
        contra = chart.GOODWILL if source == chart.GOODWILL else chart.clearing(source)
        postings = (Posting(contra, currency, amount), Posting(chart.CUSTOMERS, currency, -amount))
        if not self._ledger.enter(c, self.key(source, reference), Entry("credit", now, postings), wallet):
            return False
        wallet.add_line(Line(now, source, currency, amount), now)
        return True

    def key(self, source: str, reference: str) -> bytes:
        """That of the entry of what came in."""
        return self._blinder.money("credit", f"{source}\0{reference}")

    def buy(
        self, c: Connection, account: AccountId, amount: int, currency: str, what: str, reference: str
    ) -> bool:
        """Take a price with its tax; False where this reference was paid before."""
        with self._wallets.open(c, account) as wallet:
            key = self._blinder.money("buy", f"{account}\0{what}\0{reference}")
            return self.charge(c, wallet, amount, currency, what, key)

    def charged(self, c: Connection, key: bytes) -> bool:
        """Whether something was bought under this key."""
        return self._ledger.entered(c, key)

    def charge(
        self, c: Connection, wallet: OpenWallet, amount: int, currency: str, what: str, key: bytes
    ) -> bool:
        """The same from a wallet that is open; False where there is an entry of this key."""
        if amount <= 0:
            raise ValueError("a price above zero")
        now = self._now()
        country = self._tariff.country(wallet.record.country)
        vat_rate = self._tariff.vat_rate(country, day_of(now))
        vat = tax_within(amount, vat_rate)
        amounts = (
            (chart.CUSTOMERS, amount),
            (chart.REVENUE, vat - amount),
            (chart.vat(country), -vat),
        )
        postings = tuple(Posting(name, currency, each) for name, each in amounts if each)
        if not self._ledger.enter(c, key, Entry(what, now, postings), wallet):
            return False
        wallet.add_line(Line(now, what, currency, -amount, 0, amount - vat, vat, vat_rate, country), now)
        return True

    def forfeit(self, c: Connection, account: bytes) -> None:
        """`ports.closing.Forfeit`: calls are settled as far as they were seen; the rest is the node's.

        Nobody is kept from closing an account by rows that are damaged: then its money stays in the books as
        what it was.
        """
        try:
            with c.begin_nested():
                self._settling.settle_all(c, account)
                self._forfeit(c, account)
        except Tampered:
            _log.error("The wallet of an account that was closed cannot be opened: it is not forfeited.")

    def _forfeit(self, c: Connection, account: bytes) -> None:
        with self._wallets.behind(c, account) as wallet:
            if wallet is None:
                return
            for currency, purse in wallet.record.purses.items():
                amounts = (
                    (chart.CUSTOMERS, purse.balance),
                    # Of calls whose rows were damaged.
                    (chart.HELD, purse.held),
                    (chart.FORFEITED, -purse.balance - purse.held),
                )
                postings = tuple(Posting(name, currency, each) for name, each in amounts if each)
                key = self._blinder.money("forfeit", f"{account.hex()}\0{currency}")
                if postings:
                    self._ledger.enter(c, key, Entry("forfeit", self._now(), postings), wallet)
