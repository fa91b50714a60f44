"""Every hour, and when a day ends: what was left too many days ago is destroyed, with its days' keys."""

from typing import Any

from sqlalchemy import Connection
from twisted.internet.interfaces import IDelayedCall

from safeum_home.chats.voicemail.days import DAY, VoicemailDays
from safeum_home.jobs import Jobs
from safeum_home.ports import Blinder, Database, EpochTurns
from safeum_home.storage import erasure, files, voicemails

SOON, EVERY = 30.0, 3600.0
"""Seconds from the start to the first time, and from one to the next at the most."""
AT_ONCE = 200
"""Messages in one transaction."""


class VoicemailSweep:
    """Where the storage is away it is done once that is back."""

    def __init__(
        self,
        clock: Any,
        jobs: Jobs,
        database: Database,
        blinder: Blinder,
        days: VoicemailDays,
        turns: EpochTurns,
    ) -> None:
        """`clock` provides IReactorTime; `turns` are of the keyring of the days' keys."""
        self._clock = clock
        self._database = database
        self._blinder = blinder
        self._days = days
        self._turns = turns
        self._sweeping = jobs.job("destroying old voicemail", self.sweep)
        self._call: IDelayedCall | None = None

    def start(self) -> None:
        self._call = self._clock.callLater(SOON, self._begin)

    def stop(self) -> None:
        if self._call is not None and self._call.active():
            self._call.cancel()

    def _begin(self) -> None:
        rest = DAY / 1000 - self._clock.seconds() % (DAY / 1000)
        self._call = self._clock.callLater(min(EVERY, rest + 1.0), self._begin)
        self._sweeping.ask()

    async def sweep(self) -> None:
        """Destroy what is too old; done when nothing opens it any more. Raises `storage_unavailable`."""
        since = self._days.kept_since(int(self._clock.seconds() * 1000))
        while await self._database.transact(lambda c: self._drop(c, since)):
            pass
        dropped = await self._database.transact(
            lambda c: voicemails.drop_days_before(c, since, self._turns.epoch)
        )
        # Where the storage goes away in between it is turned for them with what is fleeting.
        if dropped:
            await self._turns.if_due()

    def _drop(self, c: Connection, day: int) -> bool:
        """Delete some messages of before a day; whether there may be more."""
        found = voicemails.voicemails_before(c, day, AT_ONCE)
        hour = int(self._clock.seconds() // 3600)
        for chat, positions in found.items():
            for position in positions:
                files.drop(c, chat, position)
            marks = [self._blinder.gone(chat, position) for position in positions]
            erasure.drop_messages(c, chat, positions, hour, self._turns.epoch, marks)
        return sum(map(len, found.values())) == AT_ONCE
