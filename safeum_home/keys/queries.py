"""Asking for keys, on behalf of accounts of this node: `keys.query` and `keys.log`."""

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import Connection

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.keys.log import KeyLog
from safeum_home.keys.shown import KeysShown
from safeum_home.limits import RateLimit
from safeum_home.ports import Caller, Database
from safeum_home.protocol.commands import KeyHistory, KeyList, KeysLog, KeysQuery
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.key_types import MOST_LAUNCHED, AccountKeys, LoggedKeys

_HIGHEST = 2**53


class Elsewhere(Protocol):
    """Keys of accounts of other nodes."""

    async def of(
        self, viewer: AccountId, accounts: Sequence[AccountId], launches: bool
    ) -> dict[AccountId, AccountKeys]:
        """What `viewer` is shown of each; those that it has nothing to do with are left out."""


class KeyQueries:
    """The commands that look at keys."""

    def __init__(
        self,
        node: str,
        database: Database,
        log: KeyLog,
        shown: KeysShown,
        elsewhere: Elsewhere,
        limit: RateLimit,
    ) -> None:
        """`limit` is of how many accounts each account may ask."""
        self._node = node
        self._database = database
        self._log = log
        self._shown = shown
        self._elsewhere = elsewhere
        self._limit = limit

    async def query(self, caller: Caller, params: KeysQuery) -> KeyList:
        """Raises `rate_limited`, and `invalid_params` where launch keys of too many are asked for."""
        asked = [AccountId(account) for account in params.accounts]
        if params.launches and len(asked) > MOST_LAUNCHED:
            raise Problem(Code.INVALID_PARAMS, f"launches are of at most {MOST_LAUNCHED} accounts")
        self._limit.take(caller.account, len(asked))
        viewer, different = caller.account, dict.fromkeys(asked)
        here = [account for account in different if node_of(account) == self._node]
        others = [account for account in different if node_of(account) != self._node]
        found = await self._shown.of(viewer, here, params.launches) if here else {}
        if others:
            found |= await self._elsewhere.of(viewer, others, params.launches)
        return KeyList([found.get(account) or AccountKeys(account) for account in asked])

    async def log(self, caller: Caller, params: KeysLog) -> KeyHistory:
        """Empty for whom one has nothing to do with."""
        self._limit.take(caller.account)
        account, before = AccountId(params.account), params.before

        def read(c: Connection) -> KeyHistory:
            known = self._shown.read(c, caller.account, [account])
            if account not in known.entries:
                return KeyHistory([], False)
            highest = _HIGHEST if before is None else before
            entries = self._log.page(c, account, highest, params.limit + 1)
            page = [LoggedKeys(entry.number, entry.hash, entry.at) for entry in entries[: params.limit]]
            return KeyHistory(page, len(entries) > params.limit)

        return await self._database.read(read)
