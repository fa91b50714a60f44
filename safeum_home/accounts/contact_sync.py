"""Finding contacts by their numbers: the node evaluates what it cannot read, and gives out a set that only
those can read who had the right number evaluated. docs/contact-sync.md says what each side learns."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from msgspec import structs
from sqlalchemy import Connection

from safeum_home.accounts.directory import AccountDirectory
from safeum_home.accounts.findable_keeper import FindableKeeper, Served
from safeum_home.accounts.records import AccountRecord, seal, unseal
from safeum_home.accounts.work_pool import WorkPool
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit, network
from safeum_home.ports import Caller, Database
from safeum_home.protocol import ristretto
from safeum_home.protocol.commands import (
    AccountFindable,
    ContactsDirectory,
    ContactsPage,
    ContactsSync,
    Directory,
    DirectoryPage,
    Evaluated,
    Findable,
)
from safeum_home.storage import accounts

_DAY = 86_400
_ADDRESS = 10
"""How many times more numbers an address may have evaluated than an account: a household has several."""
_SETS = 24
"""How often a day an account may fetch the whole set."""
_SMALL = 32
"""Pages: a smaller set may be fetched as often as if it had so many."""
_TOGGLES = 50
"""How often a day an account may change whether it can be found."""


@dataclass(frozen=True, slots=True)
class SyncLimits:
    """What an account and an address may ask for; per account, whatever the number of its sessions."""

    points: RateLimit
    points_by_address: RateLimit
    sets: RateLimit
    toggles: RateLimit

    @classmethod
    def of(cls, points: int, now: Callable[[], float]) -> "SyncLimits":
        def daily(amount: int) -> RateLimit:
            return RateLimit(amount / _DAY, amount, now)

        return cls(daily(points), daily(points * _ADDRESS), daily(_SETS), daily(_TOGGLES))


class ContactSync:
    """The commands `contacts.*` and `account.findable`."""

    def __init__(
        self,
        database: Database,
        directory: AccountDirectory,
        keeper: FindableKeeper,
        pool: WorkPool,
        limits: SyncLimits,
    ) -> None:
        self._database = database
        self._directory = directory
        self._keeper = keeper
        self._pool = pool
        self._limits = limits

    async def sync(self, caller: Caller, params: ContactsSync) -> Evaluated:
        """What is cheap to refuse is refused first; then the points are counted, then they are evaluated."""
        served = self._served(params.period)
        points = params.points
        distinct = set(points)
        if len(distinct) != len(points) or ristretto.IDENTITY in distinct:
            raise Problem(Code.INVALID_POINTS)
        self._pool.check()
        # The account first: one that is over its limit must not use up that of its address.
        self._limits.points.take(caller.account, len(points))
        self._limits.points_by_address.take(network(caller.host), len(points))
        try:
            return Evaluated(await self._pool.run(partial(served.key.evaluate, points)))
        except ristretto.NotAnElement:
            raise Problem(Code.INVALID_POINTS) from None

    def directory(self, caller: Caller, params: ContactsDirectory) -> Directory:
        served = self._served()
        self._take_page(caller.account, served)
        until = int(self._keeper.ends(served.period) * 1000)
        return Directory(served.period, until, served.set.versions())

    def page(self, caller: Caller, params: ContactsPage) -> DirectoryPage:
        served = self._served(params.period)
        if params.page >= served.set.pages:
            raise Problem(Code.NOT_FOUND)
        self._take_page(caller.account, served)
        version, entries = served.set.version(params.page), served.set.entries(params.page)
        return DirectoryPage(version, served.set.pages, entries)

    async def findable(self, caller: Caller, params: AccountFindable) -> Findable:
        owner = await self._directory.need(caller.account)
        wanted = params.findable

        def record(c: Connection) -> AccountRecord:
            row = accounts.account(c, owner.blind)
            if row is None:
                raise Problem(Code.NOT_FOUND)
            return unseal(owner.key, AccountRecord, row.sealed, owner.blind)

        if wanted is None:
            return Findable((await self._database.read(record)).findable)
        self._limits.toggles.take(caller.account)

        def store(c: Connection) -> str:
            changed = structs.replace(record(c), findable=wanted)
            accounts.update_account(c, owner.blind, seal(owner.key, changed, owner.blind))
            # What is in memory may be older than a number's going to somebody else.
            return changed.username

        username = await self._database.transact(store)
        # Also where the set is being built: then it is applied to the new one before that is served.
        await self._keeper.changed(owner.account, username, wanted)
        return Findable(wanted)

    def _served(self, period: int | None = None) -> Served:
        if not self._keeper.enabled:
            raise Problem(Code.SYNC_UNAVAILABLE)
        served = self._keeper.served
        if served is None:
            raise Problem(Code.BUSY, "the set is being built", retry_after=5.0)
        if period is not None and period != served.period:
            raise Problem(Code.PERIOD_OVER)
        return served

    def _take_page(self, account: AccountId, served: Served) -> None:
        self._limits.sets.take(account, 1.0 / max(served.set.pages, _SMALL))
