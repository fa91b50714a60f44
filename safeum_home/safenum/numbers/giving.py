"""Who is given a number, and when: as the setting `assign` says, or the operator. All devices learn of it."""

from collections.abc import Awaitable, Callable, Iterable

from sqlalchemy import Connection

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.jobs import Jobs
from safeum_home.ports import Blinder, Caller, Committed, Database
from safeum_home.protocol.commands.safenum import SafenumRequest, SafenumState
from safeum_home.safenum.numbers.assignment import Numbers

MOST_WAITING = 10_000
"""Accounts that are to be given a number behind their login; beyond them one has to log in once more."""
Change = Callable[[Connection], bool]
"""Changes something inside a transaction; whether it did."""
Retell = Callable[[AccountId, Change], Awaitable[Callable[[], None]]]
"""Runs a change in the commit that has a profile told again; what is returned tells. Raises `not_found`."""


class Giving:
    """At sign-up and login, and the command `safenum.request`."""

    def __init__(
        self, jobs: Jobs, database: Database, blinder: Blinder, numbers: Numbers, assign: str, retell: Retell
    ) -> None:
        """`assign` is as in the configuration."""
        self._database = database
        self._blinder = blinder
        self._numbers = numbers
        self._assign = assign
        self._retell = retell
        self._waiting: dict[AccountId, None] = {}
        self._late = jobs.job("giving numbers", self._give_late)

    def signed_up(self, c: Connection, account: bytes) -> None:
        """In the commit that makes the account with this blind index. Without numbers it has none."""
        if self._assign == "signup":
            self._numbers.give(c, account)

    def logged_in(self, account: AccountId) -> None:
        """Give one to who has signed up before there were any."""
        if self._assign == "signup" and len(self._waiting) < MOST_WAITING:
            self._waiting[account] = None
            self._late.ask()

    async def request(self, caller: Caller, params: SafenumRequest) -> Committed[SafenumState]:
        """Raises `limit_reached` where numbers are given by the operator alone, or none is left."""
        account = caller.account
        publish = _nothing
        if self._assign != "never":
            publish = await self.give(account)
        number = await self._database.read(lambda c: self._numbers.number_of(c, account))
        if number is None:
            raise Problem(Code.LIMIT_REACHED, "no number is given at present")
        return Committed(SafenumState(number), publish)

    async def give(self, account: AccountId) -> Callable[[], None]:
        """Give one to who has none, as far as there are any; what is returned tells of it.

        Raises `not_found`.
        """
        if not await self._database.read(lambda c: self._numbers.would_give(c, self._blind(account))):
            return _nothing
        return await self._retell(account, lambda c: self._numbers.give(c, self._blind(account)))

    async def give_some(self, accounts: Iterable[AccountId]) -> int:
        """Give one to each of some that have none, and tell of it; how many got one.

        Each is a transaction of its own, after the one before: what others ask of the writer comes between.
        Raises `storage_unavailable` and `busy`: then the rest have none.
        """
        given = 0
        for account in accounts:
            try:
                publish = await self.give(account)
            except Problem as problem:
                if problem.code is not Code.NOT_FOUND:
                    raise
                continue  # it was closed meanwhile
            publish()
            given += publish is not _nothing
        return given

    async def take_back(self, account: AccountId) -> Callable[[], None]:
        """Take its number from an account; what is returned tells of it. Raises `not_found`."""
        return await self._retell(account, lambda c: self._numbers.take_back(c, self._blind(account)))

    async def _give_late(self) -> None:
        while self._waiting:
            account, _ = self._waiting.popitem()
            try:
                await self.give_some([account])
            except Problem:
                self._waiting[account] = None
                raise

    def _blind(self, account: AccountId) -> bytes:
        return self._blinder.account(account)


def _nothing() -> None:
    """Nothing is to be told."""
