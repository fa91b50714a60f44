"""Reading the policy, and agreeing to a new version of it."""

from collections.abc import Callable

import msgspec
from msgspec import Raw
from sqlalchemy import Connection

from safeum_home.accounts.directory import AccountDirectory
from safeum_home.accounts.policy import CurrentPolicy
from safeum_home.accounts.records import AccountRecord, ConsentRecord, seal, unseal
from safeum_home.errors import Code, Problem
from safeum_home.ports import Caller, Database
from safeum_home.protocol.commands import Done, PolicyAccept, PolicyGet
from safeum_home.storage import accounts


class Consents:
    """The commands `policy.get` and `policy.accept`."""

    def __init__(
        self,
        database: Database,
        directory: AccountDirectory,
        policy: CurrentPolicy,
        now: Callable[[], int],
    ) -> None:
        self._database = database
        self._directory = directory
        self._policy = policy
        self._now = now

    def get(self, caller: Caller, params: PolicyGet) -> Raw:
        return self._policy.now.encoded

    async def accept(self, caller: Caller, params: PolicyAccept) -> Done:
        consent = ConsentRecord(self._policy.check(params.version), self._now())
        owner = await self._directory.need(caller.account)

        def store(c: Connection) -> None:
            row = accounts.account(c, owner.blind)
            if row is None:
                raise Problem(Code.NOT_FOUND)
            record = unseal(owner.key, AccountRecord, row.sealed, owner.blind)
            agreed = msgspec.structs.replace(record, consent=consent)
            accounts.update_account(c, owner.blind, seal(owner.key, agreed, owner.blind))

        await self._database.transact(store)
        owner.consented = consent.version
        self._directory.keep(owner)
        return Done()
