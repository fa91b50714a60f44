"""Publishing one's own keys: again, for the first time, or others than before."""

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.keys.log import Entry, KeyLog
from safeum_home.keys.public import Held, PublicKeys
from safeum_home.keys.telling import Audience, KeyTelling
from safeum_home.limits import RateLimit
from safeum_home.ports import Caller, Committed, Database, Owner, Owners
from safeum_home.protocol.commands import KeysPublish, KeysPublished
from safeum_home.protocol.key_types import hash_of


class _Stored(NamedTuple):
    """What is in force now. `told` are those to be told of it, at other nodes too, which are `nodes`."""

    entry: Entry
    told: frozenset[AccountId] = frozenset()
    nodes: frozenset[str] = frozenset()


class Publishing:
    """The command `keys.publish`."""

    def __init__(
        self,
        database: Database,
        owners: Owners,
        log: KeyLog,
        public: PublicKeys,
        telling: KeyTelling,
        now: Callable[[], int],
        limit: RateLimit,
        changes: RateLimit,
    ) -> None:
        """`now` is in milliseconds. `limit` is how often an account publishes, `changes` how often others."""
        self._database = database
        self._owners = owners
        self._log = log
        self._public = public
        self._telling = telling
        self._now = now
        self._limit = limit
        self._changes = changes

    async def publish(self, caller: Caller, params: KeysPublish) -> Committed[KeysPublished]:
        """Raises `bad_keys`, `key_mismatch`."""
        account, identity = caller.account, params.identity
        self._limit.take(account)
        if (hash := hash_of(account, identity)) is None:
            raise Problem(Code.BAD_KEYS)
        held = self._public.get(account)
        if held is not None and held.hash == hash and self._public.is_sure(account):
            # As after each reconnection: nothing is read. What others see stays as it was: not when a device
            # has connected last.
            return Committed(KeysPublished(hash, held.since), _nothing)
        entry = await self._confirmed(account, hash)
        stored = _Stored(entry) if entry else await self._store(account, hash, params.replaces)
        entry = stored.entry
        self._public.put(account, Held(identity, hash, entry.at))

        def publish() -> None:
            self._telling.wake(set(stored.nodes))
            self._telling.tell(entry, self._telling.here(stored.told))

        return Committed(KeysPublished(hash, entry.at), publish if stored.told else _nothing)

    async def _confirmed(self, account: AccountId, hash: str) -> Entry | None:
        """The entry in force where it is of these keys: as after each start of the node, nothing is written.

        None as well where anything was put in force, or may have been, while it was read.
        """
        mine = await self._owners.need(account)
        held, turns = self._public.get(account), self._public.turns

        def read(c: Connection) -> Entry | None:
            self._owners.must_be_there(c, mine)
            return self._log.newest(c, account).entry

        entry = await self._database.read(read)
        is_still = self._public.get(account) is held and self._public.turns == turns
        return entry if entry is not None and entry.hash == hash and is_still else None

    async def _store(self, account: AccountId, hash: str, replaces: str | None) -> _Stored:
        mine = await self._owners.need(account)
        if replaces is None:
            return await self._database.transact(lambda c: self._in_force(c, mine, account, hash))
        self._changes.take(account)
        stored = None
        try:
            audience = await self._database.read(lambda c: self._telling.audience(c, account))
            position = self._database.next_position()
            stored = await self._database.transact(
                lambda c: self._replaced(c, mine, account, hash, replaces, audience, position)
            )
            return stored
        finally:
            if stored is None or not stored.told:
                self._changes.give_back(account)

    def _in_force(self, c: Connection, mine: Owner, account: AccountId, hash: str) -> _Stored:
        """What is published are the keys that are in force, or the first ones."""
        self._owners.must_be_there(c, mine)
        newest = self._log.newest(c, account)
        if (entry := newest.entry) is None:
            entry = Entry(account, newest.next, 0, hash, self._now())
            self._log.put(c, entry)
        elif entry.hash != hash:
            raise _mismatch(entry)
        return _Stored(entry)

    def _replaced(
        self,
        c: Connection,
        mine: Owner,
        account: AccountId,
        hash: str,
        replaces: str,
        audience: Audience,
        position: int,
    ) -> _Stored:
        before = self._log.newest(c, account).entry
        if before is None or before.hash == hash:
            return self._in_force(c, mine, account, hash)
        self._owners.must_be_there(c, mine)
        if before.hash != replaces:
            raise _mismatch(before)
        at = max(self._now(), before.at + 1)
        entry = Entry(account, before.number + 1, position, hash, at, before.hash)
        self._log.put(c, entry)
        told = {account, *audience.now(c)}
        return _Stored(entry, frozenset(told), frozenset(self._telling.note(c, entry, told)))


def _mismatch(entry: Entry) -> Problem:
    return Problem(Code.KEY_MISMATCH, f"{entry.hash} since {entry.at}")


def _nothing() -> None:
    """Nobody is to be told."""
