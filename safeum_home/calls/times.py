"""`ports.calls.CallTimes`: what goes on now is in memory, and stored from time to time.

An entry says until when its call is known to have gone on. So one whose node was killed needs no mending: it
ends with the last sign of life that was stored, unless the call goes on with the next node.
"""

from collections import OrderedDict
from typing import Any

from twisted.logger import Logger

from safeum_home.calls.log import CallLog, Spoken
from safeum_home.errors import Problem
from safeum_home.ids import AccountId
from safeum_home.ports import Database
from safeum_home.rounds import Rounds
from safeum_home.spawn import spawn

EVERY = 30.0
"""Seconds after which signs of life are stored, all together; and what could not be stored is tried again."""
MOST_HELD = 50_000
"""Calls that go on, or could not be stored yet: further ones are not logged."""
MOST_FORGOTTEN = 20_000
"""Accounts of which it is known when they have forgotten their logs: beyond that it counts for all."""
AT_ONCE = 500
"""How many are given to the database together; a tenth of a second later, more."""
Called = tuple[AccountId, str]
"""An account, and a call of it."""


class _Held:
    """A call, as far as it is known. `changed` since it was last given to the database."""

    __slots__ = ("at", "changed", "is_over", "until")

    def __init__(self, at: int) -> None:
        self.at = self.until = at
        self.changed = self.is_over = False


class KeptTimes:
    """For the reactor's thread; nothing waits for it, and nothing of it fails."""

    _log = Logger()

    def __init__(self, clock: Any, database: Database, log: CallLog) -> None:
        """`clock` provides IReactorTime."""
        self._seconds = clock.seconds
        self._database = database
        self._entries = log
        self._held: dict[Called, _Held] = {}
        self._rounds = Rounds(clock)
        self._due = self._rounds.queue(0.0, AT_ONCE, self._store)
        self._ticks = self._rounds.queue(EVERY, 1, self._tick)
        self._later: set[Called] = set()
        self._is_full = False
        self._since = int(clock.seconds() * 1000)
        self._forgotten: OrderedDict[AccountId, int] = OrderedDict()
        """When accounts have forgotten their logs last; before `_since` any of them may have."""

    def begun(self, account: AccountId, call: str, at: int) -> None:
        called = account, call
        held = self._held.get(called)
        if held is None:
            if self._full():
                return
            held = self._held[called] = _Held(max(at, self._forgotten.get(account, self._since)))
        held.is_over = False
        self._changed(called, held, now=True)

    def alive(self, account: AccountId, call: str, now: int) -> None:
        if (held := self._held.get((account, call))) is not None:
            held.until = max(held.until, now)
            self._changed((account, call), held, now=False)

    def over(self, account: AccountId, call: str, until: int) -> None:
        if (held := self._held.get((account, call))) is not None:
            held.until, held.is_over = max(held.until, until), True
            self._changed((account, call), held, now=True)

    def forget_account(self, account: AccountId) -> None:
        """Store nothing more of the calls of an account that go on now."""
        for called in [called for called in self._held if called[0] == account]:
            self._drop(called)

    def forget(self, account: AccountId) -> None:
        """The same; and what goes on for longer begins now, should it be stored after all."""
        self.forget_account(account)
        self._forgotten.pop(account, None)
        self._forgotten[account] = int(self._seconds() * 1000)
        while len(self._forgotten) > MOST_FORGOTTEN:
            self._since = max(self._since, self._forgotten.popitem(last=False)[1])

    def flush(self) -> None:
        """The node stops: what is known goes to the database, and nothing is tried again."""
        self._rounds.stop()
        for called, held in list(self._held.items()):
            if held.changed:
                self._store(called)

    def _full(self) -> bool:
        was, self._is_full = self._is_full, len(self._held) >= MOST_HELD
        if self._is_full and not was:
            self._log.warn("More than {most} calls go on: further ones are not logged.", most=MOST_HELD)
        return self._is_full

    def _changed(self, called: Called, held: _Held, now: bool) -> None:
        held.changed = True
        if now:
            self._later.discard(called)
            self._due.add(called, self._seconds())
        else:
            self._later.add(called)
            self._ticks.add("all of them", self._seconds())

    def _tick(self, _: str) -> None:
        later, self._later = self._later, set()
        for called in later:
            self._due.add(called, self._seconds())

    def _store(self, called: Called) -> None:
        held = self._held.get(called)
        if held is not None and held.changed:
            held.changed = False
            spawn(self._write(called, held), "storing an entry of a log of calls")

    async def _write(self, called: Called, held: _Held) -> None:
        try:
            await self._database.append(self._entries.put, Spoken(*called, held.at, held.until))
        except Problem:
            # The database is away, or has too much to do.
            if self._held.get(called) is held and not held.changed:
                self._changed(called, held, now=False)
            return
        except BaseException:
            self._held.pop(called, None)
            raise
        if held.is_over and not held.changed and self._held.get(called) is held:
            del self._held[called]

    def _drop(self, called: Called) -> None:
        del self._held[called]
        self._later.discard(called)
        self._due.drop(called)
