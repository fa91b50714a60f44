"""Keeps the set of those who can be found by number: built at the start, and again under each period's key.

It lives in memory alone. Numbers are sealed in the rows of accounts; each is opened, evaluated and forgotten,
in a thread, some hundred at a time, so that clients' batches come in between.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, DeferredLock
from twisted.internet.task import deferLater
from twisted.logger import Logger

from safeum_home.accounts.findable_set import FindableSet
from safeum_home.accounts.records import AccountRecord, unseal
from safeum_home.accounts.work_pool import WorkPool
from safeum_home.config import ContactSyncSection
from safeum_home.errors import Problem, Tampered
from safeum_home.ids import AccountId, is_number
from safeum_home.ports import Database, ElementKey, ElementKeys, Keyring
from safeum_home.protocol import ristretto
from safeum_home.protocol.contact_sync import entry
from safeum_home.spawn import spawn
from safeum_home.storage import accounts
from safeum_home.storage.rows import AccountRow

_ROWS = 250
"""Accounts that are opened in one go: some 25 ms where all can be found."""
_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Served:
    """What clients are answered with during a period."""

    period: int
    key: ElementKey
    set: FindableSet


@dataclass(frozen=True, slots=True)
class _Change:
    account: AccountId
    number: str
    findable: bool

    def apply(self, key: ElementKey) -> bytes:
        """The entry that is to be put or dropped; in a thread."""
        return entry(key.output(self.number.encode("ascii")), self.account)


class FindableKeeper:
    """`served` is None until the set was built for the first time. `clock` provides IReactorTime."""

    _log = Logger()

    def __init__(
        self,
        clock: Any,
        database: Database,
        keyring: Keyring,
        keys: ElementKeys,
        pool: WorkPool,
        section: ContactSyncSection,
        new_set: Callable[[], FindableSet] = FindableSet,
    ) -> None:
        self._clock = clock
        self._database = database
        self._keyring = keyring
        self._keys = keys
        self._pool = pool
        self._length = section.period_days * 86_400
        self._wanted = section.enabled
        self.enabled = section.enabled and ristretto.available()
        """False where the operator wants none of it, or the machine lacks the group."""
        self._new_set = new_set
        self.served: Served | None = None
        self._changes: dict[AccountId, _Change] | None = None
        """What has changed while a set is being built: its rows may have been read before."""
        self._order = DeferredLock()
        self._keeping: Deferred[None] | None = None

    def start(self) -> None:
        """Build the set, and again at the beginning of each period."""
        if not self.enabled:
            if self._wanted:
                self._log.warn("Contacts cannot be found by number: libsodium is not on this machine.")
            return
        self._pool.start()
        self._keeping = spawn(self._keep(), "keeping the set of those who can be found")

    def forget(self) -> None:
        """Build the set anew: rows may have changed without a word. The old one is served until then."""
        if self._keeping is not None:
            self._keeping.cancel()
            self._keeping = spawn(self._keep(anew=True), "keeping the set of those who can be found")

    def stop(self) -> None:
        """End what is under way; the set and its key are gone."""
        if self._keeping is not None:
            self._keeping.cancel()
        self.served = None

    def join(self) -> None:
        """Wait for the threads, which blocks."""
        self._pool.stop()

    def ends(self, period: int) -> float:
        """When a period ends, in seconds since 1970."""
        return float((period + 1) * self._length)

    async def changed(self, account: AccountId, username: str, findable: bool) -> None:
        """An account's row says so now: when this has returned, the set does too."""
        if not is_number(username):
            return
        change = _Change(account, username, findable)
        if self._changes is not None:
            self._changes.pop(account, None)  # the last change is to be the last applied
            self._changes[account] = change
        await self._order.acquire()
        try:
            if (served := self.served) is not None:
                self._apply(served.set, change, await self._pool.must(partial(change.apply, served.key)))
        finally:
            self._order.release()

    async def _keep(self, anew: bool = False) -> None:
        while True:
            now = self._clock.seconds()
            period = int(now // self._length)
            if not anew and self.served is not None and self.served.period == period:
                await deferLater(self._clock, max(1.0, self.ends(period) - now))
                continue
            try:
                self.served = await self._build(period)
                anew = False
            except CancelledError:
                raise
            except Problem as problem:
                self._log.error("The set of those who can be found: {code}.", code=problem.code.code)
                await deferLater(self._clock, _RETRY_SECONDS)
            except Exception:
                self._log.failure("The set of those who can be found could not be built")
                await deferLater(self._clock, _RETRY_SECONDS)

    async def _build(self, period: int) -> Served:
        key, fresh = self._keys.of(period), self._new_set()
        self._changes = {}
        damaged, after = 0, b""
        while rows := await self._database.read(partial(accounts.accounts_after, after=after, limit=_ROWS)):
            entries, closed = await self._pool.must(partial(self._open, key, rows))
            if closed:
                # The keyring may have been turned since; what does not open now is damaged.
                rows = await self._database.read(partial(accounts.accounts_after, after=after, limit=_ROWS))
                entries, closed = await self._pool.must(partial(self._open, key, rows))
            damaged += closed
            for each in entries:
                self._put(fresh, each)
            after = rows[-1].account if rows else after
        if damaged:
            self._log.error("{damaged} accounts cannot be opened and were left out.", damaged=damaged)
        await self._pool.must(fresh.versions)  # else the reactor's thread would hash all of it at once
        while self._changes:
            change = self._changes.pop(next(iter(self._changes)))
            self._apply(fresh, change, await self._pool.must(partial(change.apply, key)))
        self._changes = None
        return Served(period, key, fresh)

    def _open(self, key: ElementKey, rows: list[AccountRow]) -> tuple[list[bytes], int]:
        """The entries of those of `rows` that can be found, and how many cannot be opened; in a thread."""
        entries, closed = [], 0
        for row in rows:
            try:
                owner = self._keyring.unwrap(row.account, row.key)
                try:
                    record = unseal(owner, AccountRecord, row.sealed, row.account)
                finally:
                    owner.wipe()
            except Tampered:
                closed += 1
                continue
            if record.findable and is_number(record.username):
                entries.append(_Change(AccountId(record.account), record.username, True).apply(key))
        return entries, closed

    def _apply(self, kept: FindableSet, change: _Change, entry: bytes) -> None:
        if change.findable:
            self._put(kept, entry)
        else:
            kept.drop(entry)

    def _put(self, kept: FindableSet, entry: bytes) -> None:
        if not kept.put(entry):
            self._log.error("The set of those who can be found is full: somebody was left out.")
