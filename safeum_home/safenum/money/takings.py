"""What providers and the bank tell, for the reactor's thread: kept first, then told to the account."""

from collections import Counter
from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from safeum_home.ids import AccountId
from safeum_home.ports import Database
from safeum_home.ports.payments import Paid, Told
from safeum_home.safenum.money.payment_record import BANK
from safeum_home.safenum.money.payments import PaymentBook

Changed = Callable[[AccountId], None]


class Takings:
    """`told` counts what came of each provider since the node was opened, by its sort."""

    def __init__(self, database: Database, book: PaymentBook, changed: Changed) -> None:
        """`changed` is told whose balance is another one now."""
        self._database = database
        self._book = book
        self._changed = changed
        self.told: Counter[tuple[str, str]] = Counter()

    async def take(self, provider: str, told: Sequence[Told]) -> None:
        """Keep it; raises `storage_unavailable` and `busy`: then nothing was kept, or not all of it."""
        for each in told:
            await self._take(provider, each)

    async def _take(self, provider: str, told: Told) -> None:
        account = await self._database.transact(lambda c: self._book.told(c, provider, told))
        self.told[provider, type(told).__name__.lower()] += 1
        if account is not None:
            self._changed(account)

    async def look(self, paid: Paid) -> tuple[bool, str]:
        """What `book` would do with a transfer: whether its name was added before, and why it is not."""
        return await self._database.read(lambda c: self._book.known(c, BANK, paid))

    async def book(self, paid: Paid) -> tuple[bool, str]:
        """Add a transfer, once; whether it was added now and, where it is not there at all, why."""

        def add(c: Connection) -> tuple[AccountId | None, str]:
            return self._book.paid(c, BANK, paid, note=False)

        account, why = await self._database.transact(add)
        if account is None:
            return False, why
        self.told[BANK, "paid"] += 1
        self._changed(account)
        return True, ""
