"""What was told of an account's keys is told again where it has come into a chat.

Who is in that chat may have seen other keys of it, in another one, and have been in none with it when they
were replaced. That it is to be told is stored with the chat's member.
"""

from functools import partial
from typing import Any

from sqlalchemy import Connection

from safeum_home.ids import AccountId
from safeum_home.jobs import Jobs
from safeum_home.keys.log import Entry, KeyLog
from safeum_home.keys.telling import Audience, KeyTelling
from safeum_home.ports import Database
from safeum_home.rounds import Rounds
from safeum_home.storage import key_log
from safeum_home.storage.key_log import OWED, KeyLogRow

SOON = 0.1
"""Seconds after the chat has changed: what that tells comes first."""
AT_ONCE = 20


class KeyReminders:
    """Looks what is owed, when it is told that there may be something."""

    def __init__(self, clock: Any, jobs: Jobs, database: Database, log: KeyLog, telling: KeyTelling) -> None:
        """`clock` provides IReactorTime."""
        self._database = database
        self._log = log
        self._telling = telling
        self._rounds = Rounds(clock)
        self._seconds = clock.seconds
        self._reminding = jobs.job("telling again of changed keys", self._remind)
        self._due = self._rounds.queue(SOON, 1, self._round)

    def look(self) -> None:
        """Something may be owed."""
        self._due.add("all of it", self._seconds())

    def stop(self) -> None:
        """What is owed is told at the next start."""
        self._rounds.stop()

    def _round(self, _: str) -> None:
        self._reminding.ask()

    async def _remind(self) -> None:
        def read(c: Connection) -> list[tuple[KeyLogRow, Entry | None, Audience | None]]:
            return [
                (row, entry, None if entry is None else self._telling.audience(c, entry.account))
                for row, entry in self._log.owed(c, AT_ONCE)
            ]

        found = await self._database.read(read)
        for row, entry, audience in found:
            if entry is None or audience is None:
                await self._database.transact(partial(key_log.let_be, account=row.account, number=row.number))
            else:
                await self._again(row, entry, audience)
        if len(found) == AT_ONCE:
            self.look()

    async def _again(self, row: KeyLogRow, entry: Entry, audience: Audience) -> None:
        again = entry._replace(position=self._database.next_position())

        def store(c: Connection) -> tuple[set[AccountId], set[str]]:
            newest = self._log.newest(c, entry.account).entry
            if newest is None or newest.number != entry.number:
                # Others are in force meanwhile, and that was told.
                key_log.let_be(c, row.account, row.number)
                return set(), set()
            if newest.position != OWED:
                return set(), set()
            self._log.put(c, again)
            people = audience.now(c)
            own = self._telling.here([entry.account])
            return people, self._telling.note(c, again, people) if own else set()

        people, nodes = await self._database.transact(store)
        self._telling.wake(nodes)
        self._telling.tell(again, self._telling.here(people - {entry.account}))
