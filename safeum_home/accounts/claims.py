"""Claims on numbers that others have: begun by who has proved to hold one, ended by any sign of its owner."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from safeum_home.accounts.directory import AccountDirectory, OpenAccount
from safeum_home.accounts.records import ClaimRecord, seal, unseal
from safeum_home.config import NumberSection
from safeum_home.errors import Code, Problem, Tampered
from safeum_home.ids import is_number
from safeum_home.ports import Blinder, Caller, Database
from safeum_home.protocol.commands import Done, NumberKeep
from safeum_home.storage import accounts, claims
from safeum_home.storage.rows import ClaimRow


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would be held of a number once it was claimed: `at` in milliseconds, None as of that moment."""

    running: bool
    at: int | None = None


class Claims:
    """The command `number.keep`, and the rows of claims. `now` is in milliseconds.

    What takes a connection runs inside a transaction or a read, in its thread.
    """

    def __init__(
        self,
        database: Database,
        blinder: Blinder,
        directory: AccountDirectory,
        section: NumberSection,
        now: Callable[[], int],
    ) -> None:
        self._database = database
        self._blinder = blinder
        self._directory = directory
        self._time = int(section.claim_seconds * 1000)
        self._pause = int(section.claim_again_seconds * 1000)
        self._now = now

    def until(self) -> int:
        """When a claim that begins now is good."""
        return self._now() + self._time

    def is_good(self, c: Connection, owner: OpenAccount) -> bool:
        """Whether a claim on the owner's number has run its time undisturbed, and one can be begun if not.

        Raises `number_claimed` where one is running, `number_kept` where one has ended not long ago.
        """
        claim = self._read(c, owner)
        return claim is not None and self.has_run(claim)

    def has_run(self, claim: ClaimRecord) -> bool:
        """As `is_good`, of what is held."""
        now = self._now()
        left = claim.at + (self._time if claim.running else self._pause) - now
        if left > 0:
            code = Code.NUMBER_CLAIMED if claim.running else Code.NUMBER_KEPT
            raise Problem(code, retry_after=left / 1000)
        return claim.running

    def foresee(self, c: Connection, owner: OpenAccount, there: bool) -> Foreseen | None:
        """What is answered to a claim on the owner's number, who is connected or not; None if it is good."""
        claim = self._read(c, owner)
        if claim is not None:
            try:
                good = self.has_run(claim)
            except Problem:
                return Foreseen(claim.running, claim.at)
            if good and not there:
                return None
        return Foreseen(not there)

    def begin(self, c: Connection, owner: OpenAccount) -> None:
        """Raises `busy` where the number is not the owner's any more: then there is another to be asked."""
        self._start(c, owner, True)

    def refuse(self, c: Connection, owner: OpenAccount) -> None:
        """The owner is there: a claim has failed at once, and the next one has to wait. Raises as `begin`."""
        self._start(c, owner, False)

    def end(self, c: Connection, owner: OpenAccount) -> None:
        """The owner was there: a claim that runs has failed, and the next one has to wait."""
        if not is_number(owner.username):
            return
        claim = self._read(c, owner)
        if claim is not None and claim.running:
            self._write(c, owner, ClaimRecord(False, self._now()))

    def forget(self, c: Connection, owner: OpenAccount) -> None:
        claims.delete_claim(c, self._blinder.alias(owner.username))

    async def used(self, owner: OpenAccount) -> None:
        """A device of the account came back: as `end`, and it is on disk when this is done."""
        if not is_number(owner.username):
            return
        claim = await self._database.read(lambda c: self._read(c, owner))
        if claim is not None and claim.running:
            await self._database.transact(lambda c: self.end(c, owner))

    async def keep(self, caller: Caller, params: NumberKeep) -> Done:
        await self.used(await self._directory.need(caller.account))
        return Done()

    def _start(self, c: Connection, owner: OpenAccount, running: bool) -> None:
        row = accounts.account_by_alias(c, self._blinder.alias(owner.username))
        if row is None or row.account != owner.blind:
            raise Problem(Code.BUSY, retry_after=1.0)
        self._write(c, owner, ClaimRecord(running, self._now()))

    def _read(self, c: Connection, owner: OpenAccount) -> ClaimRecord | None:
        row = claims.claim(c, self._blinder.alias(owner.username))
        if row is None or row.account != owner.blind:
            return None
        try:
            return unseal(owner.key, ClaimRecord, row.sealed, row.alias, row.account)
        except Tampered:
            return None  # whoever can damage a row can delete it: the claim has to be made anew

    def _write(self, c: Connection, owner: OpenAccount, record: ClaimRecord) -> None:
        alias = self._blinder.alias(owner.username)
        sealed = seal(owner.key, record, alias, owner.blind)
        claims.put_claim(c, ClaimRow(alias, owner.blind, sealed))
