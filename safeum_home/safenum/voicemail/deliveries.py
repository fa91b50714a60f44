"""What callers have left, on its way to their accounts: tried again for a while, where storage is away."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.ports.voicemail import Recorded, VoicemailChats
from safeum_home.spawn import spawn

PAUSES = (1.0, 5.0, 30.0, 120.0, 600.0)
"""Seconds before it is tried again; then it is given up."""
MOST = 64
"""Recordings that wait at once, in memory: what comes then is lost, and the log says so."""

_log = Logger()


class Deliveries:
    """`clock` provides IReactorTime."""

    def __init__(self, clock: Any, chats: VoicemailChats) -> None:
        self._clock = clock
        self._chats = chats
        self._waiting: set[Deferred[None]] = set()
        self._pausing: set[Deferred[None]] = set()
        self._stopped = False
        self.delivered = self.lost = 0

    def add(self, account: AccountId, recorded: Recorded) -> None:
        """Deliver it, as soon as that can be done."""
        if len(self._waiting) >= MOST:
            self._lose("too many wait")
            return
        running = spawn(self._deliver(account, recorded), "delivering voicemail")
        self._waiting.add(running)
        running.addBoth(lambda _: self._waiting.discard(running))

    async def stop(self) -> None:
        """Try what waits once more, and then no more."""
        self._stopped = True
        for pause in tuple(self._pausing):
            pause.cancel()
        while self._waiting:
            await _end_of(next(iter(self._waiting)))

    async def _deliver(self, account: AccountId, recorded: Recorded) -> None:
        for pause in (*PAUSES, None):
            try:
                await self._chats.deliver(account, recorded)
            except Problem as problem:
                if problem.code is Code.NOT_FOUND:
                    return  # the account was closed meanwhile
                if pause is None or self._stopped:
                    self._lose(problem.code.code)
                    return
                await self._wait(pause)
            else:
                self.delivered += 1
                return

    async def _wait(self, seconds: float) -> None:
        pause: Deferred[None] = deferLater(self._clock, seconds)
        self._pausing.add(pause)
        pause.addErrback(lambda failure: None)  # the node stops
        await pause
        self._pausing.discard(pause)

    def _lose(self, why: str) -> None:
        self.lost += 1
        _log.error("A voicemail is lost: {why}.", why=why)


def _end_of(running: "Deferred[None]") -> "Deferred[None]":
    done: Deferred[None] = Deferred()
    running.addBoth(lambda _: done.callback(None))
    return done
