"""Launch keys are made known on each connection, and bound anew every 12 hours.

away --online--> trying --published--> known        trying --refused--> refused --wanted, or due--> trying
any --online--> trying                              known --due--> trying        any --stop--> stopped
"""

from collections.abc import Callable
from typing import Any, Protocol

from automat import TypeMachineBuilder
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from safeum_home.client.calling.launch import RENEW
from safeum_home.client.calling.timer import Timer
from safeum_home.client.errors import ClientError

RETRY = 30.0
"""Seconds until another try, where the node has refused."""
_log = Logger()


class Core:
    """`publish` gives the command. Who waits for it is told, whatever comes of it."""

    def __init__(self, clock: IReactorTime, publish: Callable[[], "Deferred[Any]"]) -> None:
        self.timer = Timer(clock)
        self._publish = publish
        self._waiting: list[Deferred[None]] = []
        self._tried = 0
        self.ended: Failure | None = None

    def try_now(self, machine: "Publishing") -> None:
        self.timer.stop()
        self._tried += 1
        tried = self._tried

        def published(_: object) -> None:
            if tried == self._tried:
                machine.published()

        def failed(failure: Failure) -> None:
            if failure.check(ClientError) is None:
                _log.failure("Launch keys cannot be published", failure)
            if tried == self._tried:
                machine.refused(failure)

        self._publish().addCallbacks(published, failed)

    def forget(self) -> None:
        """Nothing is heard of the last try."""
        self._tried += 1

    def join(self, ready: "Deferred[None]") -> None:
        self._waiting.append(ready)

    def tell(self, result: Failure | None) -> None:
        waiting, self._waiting = self._waiting, []
        for ready in waiting:
            if not ready.called:  # it was given up meanwhile
                ready.callback(result)


class Publishing(Protocol):
    """What can happen."""

    def online(self) -> None:
        """There is a session on a new connection."""

    def wanted(self, ready: "Deferred[None]") -> None:
        """Fire it once they are known, or with what they were refused with."""

    def published(self) -> None:
        """The node has them."""

    def refused(self, failure: Failure) -> None:
        """It does not take them, or the connection is lost."""

    def due(self) -> None:
        """Once more."""

    def stop(self, failure: Failure) -> None:
        """Nothing is published any more; who waits is told so."""


_builder = TypeMachineBuilder(Publishing, Core)
_away = _builder.state("away")
_trying = _builder.state("trying")
_known = _builder.state("known")
_refused = _builder.state("refused")
_stopped = _builder.state("stopped")


@_refused.upon(Publishing.due).to(_trying)
@_known.upon(Publishing.due).to(_trying)
@_away.upon(Publishing.online).to(_trying)
@_trying.upon(Publishing.online).to(_trying)
@_known.upon(Publishing.online).to(_trying)
@_refused.upon(Publishing.online).to(_trying)
def _try(machine: Publishing, core: Core) -> None:
    core.try_now(machine)


@_refused.upon(Publishing.wanted).to(_trying)
def _try_for(machine: Publishing, core: Core, ready: "Deferred[None]") -> None:
    core.join(ready)
    core.try_now(machine)


@_away.upon(Publishing.wanted).loop()
@_trying.upon(Publishing.wanted).loop()
def _wait_for(machine: Publishing, core: Core, ready: "Deferred[None]") -> None:
    core.join(ready)


@_known.upon(Publishing.wanted).loop()
def _at_once(machine: Publishing, core: Core, ready: "Deferred[None]") -> None:
    ready.callback(None)


@_trying.upon(Publishing.published).to(_known)
def _published(machine: Publishing, core: Core) -> None:
    core.timer.start(RENEW, machine.due)
    core.tell(None)


@_trying.upon(Publishing.refused).to(_refused)
def _is_refused(machine: Publishing, core: Core, failure: Failure) -> None:
    core.timer.start(RETRY, machine.due)
    core.tell(failure)


for _state in (_away, _trying, _known, _refused):

    @_state.upon(Publishing.stop).to(_stopped)
    def _stop(machine: Publishing, core: Core, failure: Failure) -> None:
        core.timer.stop()
        core.forget()
        core.ended = failure
        core.tell(failure)


@_stopped.upon(Publishing.wanted).loop()
def _never(machine: Publishing, core: Core, ready: "Deferred[None]") -> None:
    assert core.ended is not None
    ready.errback(core.ended)


_stopped.upon(Publishing.online).loop().returns(None)
_stopped.upon(Publishing.stop).loop().returns(None)

new_publishing = _builder.build()
"""`new_publishing(Core(...))` waits for a connection."""
