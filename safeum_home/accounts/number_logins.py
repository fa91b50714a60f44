"""From a proved number into an account: `verification.submit`.

A code alone never opens an account that exists: numbers go back to their operators and to other people, and
text messages can be read on their way. So its password is needed too, and whoever holds the number
without knowing that can only claim the number, for a new account.
"""

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
from sqlalchemy import Connection

from safeum_home.accounts.admission import Admission, Admitted
from safeum_home.accounts.claims import Claims, Foreseen
from safeum_home.accounts.devices import Devices
from safeum_home.accounts.directory import AccountDirectory, OpenAccount
from safeum_home.accounts.login_limits import LoginLimits
from safeum_home.accounts.logins import Authenticated, Logins
from safeum_home.accounts.passwords import PasswordHasher
from safeum_home.accounts.records import AccountRecord, ClaimRecord, seal, unseal
from safeum_home.accounts.verifications import Verifications
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.limits import network
from safeum_home.ports import Announcer, Blinder, Caller, Committed, Database
from safeum_home.protocol.commands import VerificationSubmit
from safeum_home.protocol.types import NumberClaim
from safeum_home.spawn import spawn
from safeum_home.storage import accounts


class NumberLogins:
    """The command `verification.submit`. `now` is in milliseconds."""

    def __init__(
        self,
        database: Database,
        blinder: Blinder,
        directory: AccountDirectory,
        devices: Devices,
        hasher: PasswordHasher,
        announcer: Announcer,
        limits: LoginLimits,
        logins: Logins,
        verifications: Verifications,
        claims: Claims,
        admission: Admission,
        now: Callable[[], int],
        moved: Callable[[AccountId, str], Coroutine[Any, Any, None]],
    ) -> None:
        """`moved(account, number)` is called where a number is no longer that account's."""
        self._database = database
        self._blinder = blinder
        self._directory = directory
        self._devices = devices
        self._hasher = hasher
        self._announcer = announcer
        self._limits = limits
        self._logins = logins
        self._verifications = verifications
        self._claims = claims
        self._admission = admission
        self._now = now
        self._moved = moved

    async def submit(self, caller: Caller, params: VerificationSubmit) -> Committed[Authenticated]:
        proof = self._verifications.prove(params.verification, params.code)
        try:
            authenticated = await self._enter(caller, proof.number, params)
        except BaseException:
            proof.machine.refused()
            raise
        proof.machine.end()
        return authenticated

    async def _enter(
        self, caller: Caller, number: str, params: VerificationSubmit
    ) -> Committed[Authenticated]:
        if await self._directory.credentials(number) is None:
            try:
                return await self._sign_up(caller, number, params)
            except accounts.AliasTaken:
                pass  # by another verification of the same number, just now: so there is an account
        foreseen = await self._foreseen(number) if params.claim else None
        try:
            return await self._logins.enter(caller, number, number, params.password, params.device)
        except Problem as problem:
            if problem.code is not Code.BAD_CREDENTIALS or not params.claim:
                raise
        return await self._claim(caller, number, params, foreseen)

    async def _sign_up(
        self, caller: Caller, number: str, params: VerificationSubmit
    ) -> Committed[Authenticated]:
        hashed, admitted = await self._new_owner(caller, number, params)
        owner, insert = self._logins.new_account(number, hashed, admitted)
        authenticated = await self._logins.new_device(owner, params.device, insert)
        self._directory.keep(owner)
        return authenticated

    async def _new_owner(
        self, caller: Caller, number: str, params: VerificationSubmit
    ) -> tuple[str, Admitted]:
        """The hash of the password of somebody who may sign up."""
        self._admission.check(params.consent)
        for name in (number, number[1:]):
            self._hasher.check_strength(params.password, name)
        self._limits.sign_ups.take(network(caller.host))
        admitted = await self._admission.admit(params.consent, params.invite)
        return await self._hasher.hash(params.password), admitted

    async def _foreseen(self, number: str) -> Foreseen | None:
        """What a claim would be answered, before the password is tried: if it is a PIN, the account ends."""
        owner = await self._directory.by_username(number)
        if owner is None:
            raise busy()  # it was closed just now
        there = bool(self._devices.connected(owner.account))
        return await self._database.read(lambda c: self._claims.foresee(c, owner, there))

    async def _claim(
        self, caller: Caller, number: str, params: VerificationSubmit, foreseen: Foreseen | None
    ) -> Committed[Authenticated]:
        """Begin a claim, or make it good where its time has run."""
        owner = await self._directory.by_username(number)
        if owner is None:
            return await self._nobody(caller, number, params, foreseen)
        good = await self._database.read(lambda c: self._claims.is_good(c, owner))
        if self._devices.connected(owner.account):
            # Nobody who is there is taken for gone, whatever the connection has been silent about.
            await self._database.transact(lambda c: self._claims.refuse(c, owner))
            raise await self._refusal(owner)
        try:
            if not good:
                raise await self._begun(owner)
            hashed, admitted = await self._new_owner(caller, number, params)
            return await self._move(owner, number, hashed, admitted, params)
        except Problem as problem:
            # Closed since it was looked up.
            raise busy() if problem.code is Code.NOT_FOUND else problem from None

    async def _nobody(
        self, caller: Caller, number: str, params: VerificationSubmit, foreseen: Foreseen | None
    ) -> Committed[Authenticated]:
        """The account was closed since then, by this password maybe: the answer does not tell."""
        if foreseen is None:
            try:
                return await self._sign_up(caller, number, params)
            except accounts.AliasTaken:
                raise busy() from None
        at = foreseen.at
        if at is None:
            at = await self._database.transact(lambda c: self._now())  # the like of what `_begun` stores
        claim = ClaimRecord(foreseen.running, at)
        raise await self._problem(lambda c: self._claims.has_run(claim))

    async def _begun(self, owner: OpenAccount) -> Problem:
        """Begin a claim and tell the account; what the claimant is answered."""
        until = self._claims.until()
        message = await self._announcer.tell(owner.account, NumberClaim("claimed", self._now(), until))

        def store(c: Connection) -> None:
            if self._claims.is_good(c, owner):
                raise busy()
            self._claims.begin(c, owner)
            message.store(c)

        await self._database.transact(store)
        # Who looked for a claim before it was stored, and is not connected yet, has to look again.
        self._devices.look_again()
        there = self._devices.connected(owner.account)
        message.publish()
        if there:
            await self._database.transact(lambda c: self._claims.end(c, owner))
        return await self._refusal(owner)

    async def _refusal(self, owner: OpenAccount) -> Problem:
        """What `is_good` says now."""
        return await self._problem(lambda c: self._claims.is_good(c, owner))

    async def _problem(self, look: Callable[[Connection], bool]) -> Problem:
        try:
            await self._database.read(look)
        except Problem as problem:
            return problem
        return busy()

    async def _move(
        self, old: OpenAccount, number: str, hashed: str, admitted: Admitted, params: VerificationSubmit
    ) -> Committed[Authenticated]:
        """The number goes to a new account, and its old one lives on under its own id: in one commit."""
        owner, insert = self._logins.new_account(number, hashed, admitted)
        was, will_be = self._blinder.alias(number), self._blinder.alias(old.account)

        def change(c: Connection) -> None:
            if old.username != number or not self._claims.is_good(c, old):
                raise busy()  # its owner has come back just now
            rename(c, old)
            self._claims.forget(c, old)
            accounts.change_alias(c, old.blind, was, will_be)
            insert(c)

        body = NumberClaim("moved", self._now())
        authenticated = await self._logins.new_device(
            owner, params.device, change, lambda: self._announcer.tell(old.account, body)
        )
        old.username = old.account
        # It may have been opened anew meanwhile, and the other one has the number still.
        self._directory.forget_account(old.account)
        self._devices.look_again()
        self._directory.keep(owner)
        spawn(self._moved(old.account, number), "taking a number out of the set")
        return authenticated


def busy() -> Problem:
    """Something has changed just now: the same submission is answered otherwise."""
    return Problem(Code.BUSY, retry_after=1.0)


def rename(c: Connection, owner: OpenAccount) -> None:
    """Have the account's record name it by its own id; raises `not_found`."""
    row = accounts.account(c, owner.blind)
    if row is None:
        raise Problem(Code.NOT_FOUND)
    record = unseal(owner.key, AccountRecord, row.sealed, owner.blind)
    record = msgspec.structs.replace(record, username=owner.account)
    accounts.update_account(c, owner.blind, seal(owner.key, record, owner.blind))
