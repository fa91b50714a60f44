"""Going to sleep, and waking: a session that stays away until there is something to do, or to fetch."""

from abc import abstractmethod
from typing import Any

from twisted.internet.defer import Deferred

from safeum_home.client.abilities.finding import Finding
from safeum_home.client.abilities.inbox import Inbox
from safeum_home.client.connection.requests import Calls
from safeum_home.client.errors import ASLEEP, ClientError, Closing, Disconnected, TimedOut
from safeum_home.protocol import commands as c
from safeum_home.protocol.push import Payload, Wake, read_wake
from safeum_home.spawn import spawn

_NORMAL, _LOST = 1000, 1006
PROBE = 2.0
"""Seconds within which something comes on a connection that is alive."""


class Sleeping(Finding):
    """A client that can be away for hours, and then goes on where it was: it keeps all that it holds."""

    _calls: Calls
    _inbox: Inbox
    _machine: Any
    _by_push = False
    """Whether it comes back because it was woken, and not because somebody uses it."""
    _put_away = False
    """Whether its program has said that nobody is there."""
    _pushed = False
    """Whether it was pushed to without a session since it last began to go to sleep."""

    @abstractmethod
    def _drop(self, closing: Closing, wait: float | None = None) -> None:
        """Give up the connection, as though it were lost."""

    def sleep(self) -> "Deferred[None]":
        """Disconnect until woken or used. Fires when that is so; what was asked before is answered first."""
        return Deferred.fromCoroutine(self._sleep())

    async def _sleep(self) -> None:
        if self.opened is None:
            return
        code, self._pushed = _NORMAL, False
        if self._calls.open:
            self._inbox.acks.flush()
            asked = self._calls.request(c.SessionSleep())
            self._calls.hold()
            try:
                await asked
                code = ASLEEP
            except ClientError as error:
                # The connection is no more, or the node does not know of this: then it is left without.
                if isinstance(error, Disconnected) and error.closing.code == ASLEEP:
                    return  # the node was first
        self._calls.lost(Closing(code, "going to sleep"))
        self._machine.sleep()

    def wake(self, by_push: bool = False) -> None:
        """Come back, where it sleeps: as any command does. `by_push`: nobody uses it, it was woken."""
        self._by_push = by_push and not self._calls.open
        self._machine.wake()

    def on_push(self, payload: Payload) -> Wake | None:
        """A push has come: come back, and say what for; None, and nothing is done, for what is no wake."""
        wake = read_wake(payload)
        if wake is None:
            return None
        if self._calls.open:
            spawn(self._probe(), "looking whether the node is there")
        else:
            self._pushed = True
            self.wake(by_push=True)
            self._machine.retry()
        return wake

    async def _probe(self) -> None:
        """Whoever is pushed to has no connection, as its node sees it: is this one dead?"""
        heard = self._calls.heard
        try:
            await self._calls.request(c.SessionAck(self._inbox.cursor or ""), PROBE)
        except TimedOut:
            if self._calls.open and self._calls.heard == heard:
                self._drop(Closing(_LOST, "the node does not answer"))
                self.wake(by_push=self._put_away)
                self._machine.retry()
        except ClientError:
            pass  # an answer, or the connection was lost without this
