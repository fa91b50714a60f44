"""Going to sleep, and waking: a session that stays away until there is something to do, or to fetch."""

from typing import Any

from twisted.internet.defer import Deferred

from safeum_home.client.calls import Calls
from safeum_home.client.errors import ASLEEP, ClientError, Closing
from safeum_home.client.finding import Finding
from safeum_home.client.inbox import Inbox
from safeum_home.protocol import commands as c
from safeum_home.protocol.push import Payload, Wake, read_wake

_NORMAL = 1000


class Sleeping(Finding):
    """A client that can be away for hours, and then goes on where it was: it keeps all that it holds."""

    _calls: Calls
    _inbox: Inbox
    _machine: Any
    _by_push = False
    """Whether it comes back because it was woken, and not because somebody uses it."""

    def sleep(self) -> "Deferred[None]":
        """Disconnect until woken or used. Fires when that is so; what was asked before is answered first."""
        return Deferred.fromCoroutine(self._sleep())

    async def _sleep(self) -> None:
        if self.opened is None:
            return
        code = _NORMAL
        if self._calls.open:
            self._inbox.acks.flush()
            asked = self._calls.request(c.SessionSleep())
            self._calls.hold()
            try:
                await asked
                code = ASLEEP
            except ClientError:
                # The connection is no more, or the node does not know of this: then it is left without.
                pass
        self._calls.lost(Closing(code, "going to sleep"))
        self._machine.sleep()

    def wake(self, by_push: bool = False) -> None:
        """Come back, where it sleeps: as any command does. `by_push`: nobody uses it, it was woken."""
        self._by_push = by_push and not self._calls.open
        self._machine.wake()

    def on_push(self, payload: Payload) -> Wake | None:
        """A push has come: come back, and say what for; None, and nothing is done, for what is no wake."""
        wake = read_wake(payload)
        if wake is not None:
            self.wake(by_push=True)
            self._machine.retry()
        return wake
